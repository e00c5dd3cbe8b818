from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from specthread.domain import events as e
from specthread.domain.ids import CommentId, RunId, SpecTaskId
from specthread.domain.model import DAEMON, Actor, Comment
from specthread.views.entries import RESULT_KEPT
from specthread.views.records import comment_file, decision_file
from specthread.views.redaction import lines_with_secrets, redacted, secret_values
from specthread.views.report import report_markdown
from specthread.views.transcript import turn_markdown
from support.situation import working

RUN = RunId("x-1/ws-1")
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 30
KIND = "PRIVATE KEY-----"
KEY = f"-----BEGIN {KIND}\n{BODY}-----END {KIND}"
SECRET = "correct horse battery staple"


class Counted(str):
    """A text that knows how many of its characters somebody went through to count."""

    __slots__ = ("counted",)

    def count(self, found, first=0, last=None):
        self.counted += (len(self) if last is None else last) - first
        return super().count(found, first, last)


def envelope(event, actor=DAEMON):
    return e.Envelope(
        seq=7,
        instance="i",
        schema=1,
        host="h",
        actor=actor,
        time=datetime(2026, 1, 1, tzinfo=UTC),
        spectask=SpecTaskId("x-1"),
        event=event,
    )


def result_of(content):
    return turn_markdown(1, [envelope(e.ToolFinished(run=RUN, turn=1, tool_use_id="t", content=content, is_error=False))], (SECRET,))


@pytest.mark.parametrize("before", [0, RESULT_KEPT - 500, RESULT_KEPT - 10])
def test_a_private_key_that_a_cut_goes_through_stays_out(before):
    assert "MIIEvQ" not in result_of("x" * before + "\n" + KEY)


@pytest.mark.parametrize("shown", [7, 12])
def test_a_secret_value_that_a_cut_goes_through_stays_out(shown):
    assert SECRET[:shown] not in result_of("x" * (RESULT_KEPT - shown) + SECRET + "y" * 100)


def test_a_private_key_without_an_end_is_hidden_up_to_the_end_of_what_was_said_and_no_further():
    text = result_of(f"mine:\n{KEY[:300]}")
    assert "MIIEvQ" not in text
    assert text.rstrip().endswith("</details>")
    assert redacted(f"a {KEY} b {KEY} c") == "a [redacted] b [redacted] c"


def test_half_a_surrogate_pair_does_not_keep_a_file_from_being_written():
    text = result_of("caf\udce9.txt \ud83d and \ud83d\ude00")
    assert "caf\ufffd.txt \ufffd and \U0001f600" in text
    comment = Comment(id=CommentId("c-1"), document="design", quote="caf\udce9", section="", line=1, text="\ud83d", author="Ada", seq=1)
    assert json.loads(comment_file(comment))["quote"] == "caf\ufffd"


def test_decisions_and_reports_hold_no_secret():
    ada = Actor(kind="human", name="Ada", email="")
    answered = e.QuestionAnswered(run=RUN, question="1/q", answer=f"Use {SECRET} and {KEY}", person="Ada")
    story = working()
    file = decision_file(story.spectask, envelope(answered, ada), (SECRET,)).decode()
    assert SECRET not in file
    assert "MIIEvQ" not in file
    assert json.loads(file)["answer"] == "Use [redacted] and [redacted]"
    spectask = story.spectask
    assert spectask.prompt.strip() not in report_markdown(spectask, (spectask.prompt.strip(),))


def test_of_a_file_of_settings_what_looks_like_a_secret_is_known():
    text = """
# a comment: with a word
HOST=localhost
AUTHOR=Ada Lovelace
DEBUG=true
PASSWORD="correct horse"
export API_TOKEN='abcdef'  # for tests
DATABASE_URL=postgres://ada:pa55word@localhost:5432/app
URL=https://example.org/a/long/path/1
"id": "0123456789abcdef0"
NODE_OPTIONS=--max-old-space-size=4096
TOKEN_LIFETIME=604800
PASSWORD_ROUNDS=12_000.5
DB_PASSWORD=84736251
KEY_FLAGS="--rounds 4000 --fast"
stripe: x
PIN_KEY=12345
"""
    assert secret_values(text) == ("0123456789abcdef0", "84736251", "abcdef", "correct horse", "pa55word")
    assert secret_values("") == ()


def test_lines_tell_a_secret_by_its_shape_and_by_values_that_nobody_writes_by_chance():
    text = "user = postgres\n\ntoken = ghp_%s\nx4711 = 1\npassword = x4711b\n" % ("a1" * 10)
    assert lines_with_secrets(text, ("postgres", "x4711b")) == (3, 5)
    assert lines_with_secrets("a correct horse battery", ("correct horse battery",)) == (1,)


@pytest.mark.parametrize(
    "honest",
    [
        "task-list-item-container",
        "disk-usage-percentage-total",
        "risk-assessment-model-v2",
        "flask-sqlalchemy-extensions2",
        "sk-learn-tutorial-version-2",
    ],
)
def test_words_that_end_in_sk_are_no_keys(honest):
    assert redacted(f'class="{honest}"') == f'class="{honest}"'
    assert lines_with_secrets(honest) == ()


@pytest.mark.parametrize("front", ["sk-", "sk-ant-api03-", "sk-proj-", "sk-or-v1-", "sk-live-"])
def test_keys_that_begin_with_sk_are_hidden_whole_wherever_they_begin(front):
    key = front + "a1B2c3D4e5F6g7H8i9" + "-x_Yz"
    assert redacted(f"key={key}.") == "key=[redacted]."
    assert redacted(f"said:\\n{key}") == "said:\\n[redacted]"
    assert lines_with_secrets(f"\n{key}\n") == (2,)


def test_a_text_full_of_secrets_is_gone_through_once_and_not_for_each():
    text = Counted(f"token = ghp_{'a1' * 10}\n" * 400)
    text.counted = 0
    assert lines_with_secrets(text, ("x4711b",)) == tuple(range(1, 401))
    assert text.counted <= len(text)


def test_a_private_key_is_told_by_the_line_on_which_it_begins_also_beside_others():
    assert lines_with_secrets(f"one\n{KEY}\nx4711b\n{KEY}\n", ("x4711b",)) == (2, 34, 35)


def test_a_key_of_a_known_kind_is_hidden_whatever_stands_before_it():
    assert redacted(f"plainsk-ant-{'k' * 40}") == "plain[redacted]"
