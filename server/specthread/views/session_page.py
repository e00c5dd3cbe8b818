"""The page of a session that has ended: what came of it, what was decided, what was said to it, and why it was sent back. Its turns lie beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from specthread.domain import events as e
from specthread.domain.family import children_of, short, work_of
from specthread.domain.model import SpecTask
from specthread.domain.run import Verification, WorkSession
from specthread.views.redaction import redacted
from specthread.views.report import session_markdown


def session_page(spectask: SpecTask, session: WorkSession, envelopes: Iterable[e.Envelope], secrets: Sequence[str] = ()) -> bytes:
    """Returns `sessions/ws-<n>.md`; `envelopes` are the events of the session."""
    events = [envelope.event for envelope in envelopes]
    parts = [
        session_markdown(spectask, session, "#", secrets),
        f"Spawned by {short(session.parent)}." if session.parent else "",
        _section("Spawned", [f"{short(child.id)}: {work_of(spectask, child).title}" for child in children_of(spectask, session.id)]),
        *_printed(session.verification),
        _section("Decisions", _decisions(events)),
        _section("Said to it", [f"{event.source}: {event.text}" for event in events if isinstance(event, e.MessageSent)]),
        _section("Sent back", [f"{event.cause}: {event.text}" for event in events if isinstance(event, e.SessionSentBack)]),
        _section("Earlier tries", [event.reason for event in events if isinstance(event, e.RunFailed)]),
        f"Its conversation lies in `{session.id.rpartition('/')[2]}/`, one file per turn.",
    ]
    hide = partial(redacted, secrets=secrets)
    return ("\n\n".join(hide(part) for part in parts if part) + "\n").encode(errors="replace")


def _printed(found: Verification | None) -> Iterator[str]:
    """Yields what the checks printed on both trees, and what the formatter changed."""
    if found is None:
        return
    yield _fenced("What its check printed before the work", found.before_output)
    yield _fenced("What its check printed on the work", found.output)
    for check in found.checks:
        yield _fenced(f"What `{check.command}` printed", check.output)
    yield _fenced("What the formatter changed", found.formatted)


def _fenced(title: str, text: str) -> str:
    """Returns a section with a text as it is; the fence is longer than any in it."""
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"## {title}\n\n{fence}text\n{text.strip()}\n{fence}" if text.strip() else ""


def _decisions(events: Iterable[e.Event]) -> Iterator[str]:
    asked: dict[str, str] = {}
    for event in events:
        if isinstance(event, e.QuestionAsked):
            asked[event.question] = event.text
        elif isinstance(event, e.QuestionAnswered):
            yield f"{asked.get(event.question, event.question)} — {event.person}: {event.answer}"


def _section(title: str, items: Iterable[str]) -> str:
    lines = [f"- {' '.join(item.split())}" for item in items]
    return "\n".join([f"## {title}", "", *lines]) if lines else ""
