import json
import logging

import structlog
from hypothesis import given
from hypothesis import strategies as st

from specthread.daemon_log import log_to
from specthread.domain import events as e
from specthread.protocol.convert import event_view
from specthread.views.redaction import redacted
from specthread.views.streamed_redaction import StreamedRedaction
from support.event_strategy import envelope

KEY = "sk-ant-" + "k" * 40
SECRET = "correct horse battery"
LABEL = "RSA PRIVATE KEY-----"
BLOCK = f"-----BEGIN {LABEL}\nMIIE\nabc\n-----END {LABEL}"
words = st.lists(
    st.sampled_from([KEY, SECRET, BLOCK, "plain", " ", "\n", "corr", "correct ", "x" * 300, "日本", "-----BEGIN x"]), max_size=8
)


@given(words, st.lists(st.integers(1, 40), min_size=1))
def test_in_whatever_pieces_words_come_no_secret_is_shown_and_nothing_else_is_lost(said, sizes):
    text, shown, at, turn = "".join(said), "", 0, 0
    stream = StreamedRedaction([SECRET])
    while at < len(text):
        size = sizes[turn % len(sizes)]
        shown += stream.fed(text[at : at + size])
        at, turn = at + size, turn + 1
    shown += stream.rest()
    assert shown == redacted(text, [SECRET])


def test_words_are_shown_as_soon_as_they_are_whole():
    stream = StreamedRedaction(())
    assert [stream.fed(piece) for piece in ("I read", " the ", "file")] == ["I ", "read the ", ""]
    assert stream.rest() == "file"


def test_what_happened_is_told_to_clients_without_secrets():
    told = event_view(envelope(1, e.QuestionAsked(run="x/ws-1", question="q", kind="permission", text=f"Run {SECRET} {KEY}")), [SECRET])
    assert "[redacted]" in told.text
    assert not any(secret in json.dumps([told.text, told.payload]) for secret in (SECRET, KEY))


def test_the_log_of_the_daemon_holds_no_secret(tmp_path):
    root, handlers = logging.getLogger(), list(logging.getLogger().handlers)
    level, configured = root.level, structlog.get_config()
    try:
        log_to(tmp_path / "daemon.log", [SECRET])
        logging.getLogger("httpx").warning("sent %s with %s", KEY, SECRET)
        logging.shutdown([lambda handler=handler: handler for handler in root.handlers if handler not in handlers])
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**configured)
    assert (tmp_path / "daemon.log").read_text().count("[redacted]") == 2
