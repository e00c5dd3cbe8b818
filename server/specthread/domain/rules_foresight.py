"""The rule for conflicts seen ahead: what is new is recorded, and both agents are told once of each file."""

from __future__ import annotations

from collections.abc import Iterator

from specthread.domain import events as e
from specthread.domain.family import work_of
from specthread.domain.foresight import known_of, sessions_with_files
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.reports import ReportConflicts
from specthread.domain.run import WorkSession
from specthread.domain.text import sound_text

MOST_NAMED = 12
"""Paths named in a message; a name is somebody's text, and a message is read by a model."""
LONGEST_NAME = 200
_HEARS = frozenset({"running", "waiting", "paused", "interrupted"})


def report(spectask: SpecTask, command: ReportConflicts, actor: Actor) -> tuple[e.Event, ...] | Refusal:  # noqa: ARG001  every rule has the same form
    """Records what differs from what is known; a session that ended meanwhile is passed over."""
    alive = {session.id: session for session in sessions_with_files(spectask)}
    events: list[e.Event] = []
    for session, other, paths in command.found:
        if session in alive and other in alive and session != other:
            events += _changed(spectask, alive[session], alive[other], tuple(map(sound_text, paths)))
    return tuple(events)


def _changed(spectask: SpecTask, session: WorkSession, other: WorkSession, paths: tuple[str, ...]) -> Iterator[e.Event]:
    known = known_of(spectask, session.id, other.id)
    if paths == known.paths:
        return
    if not paths:
        yield e.ConflictPassed(session=session.id, other=other.id)
        return
    yield e.ConflictForeseen(session=session.id, other=other.id, paths=paths)
    if set(paths) <= known.told:
        return
    for one, two in ((session, other), (other, session)):
        if one.state in _HEARS:
            yield e.MessageSent(run=one.id, after_turn=one.turn, text=_warning(spectask, two, paths), source="daemon")


def _warning(spectask: SpecTask, other: WorkSession, paths: tuple[str, ...]) -> str:
    name = other.id.rpartition("/")[2]
    named = ", ".join(_on_one_line(path) for path in paths[:MOST_NAMED])
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    title = _on_one_line(work_of(spectask, other).title)
    task = f"task {other.task}: {title}" if other.task else title
    return (
        f"Looking ahead: what you have changed so far would conflict with {name} ({task}), in {named}{more}. "
        "Nothing is lost, and you need not wait: change there only what your task needs, so that the merge stays small."
    )


def _on_one_line(text: str) -> str:
    """Returns somebody's words so that they cannot pass for a line of their own."""
    return " ".join(text.split())[:LONGEST_NAME]
