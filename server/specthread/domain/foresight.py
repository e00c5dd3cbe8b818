"""Conflicts seen ahead: which sessions are looked at, what is known of them, and how what was found is folded in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specthread.domain import events as e
from specthread.domain.copying import replace
from specthread.domain.foreseen import Foreseen
from specthread.domain.ids import RunId
from specthread.domain.model import SpecTask
from specthread.domain.run import RunState, WorkSession, stage

_HAS_FILES: frozenset[RunState] = frozenset({"running", "waiting", "paused", "interrupted", "verifying", "merging"})
NOTHING = Foreseen(paths=(), told=frozenset(), attempts=(0, 0))


def sessions_with_files(spectask: SpecTask) -> tuple[WorkSession, ...]:
    """Returns the sessions whose worktree holds work that is not merged yet, by number."""
    found = (session for session in spectask.sessions.values() if stage(session) in _HAS_FILES)
    return tuple(sorted(found, key=lambda session: session.number))


def known_of(spectask: SpecTask, session: RunId, other: RunId) -> Foreseen:
    """Returns what is known of a pair: nothing, where one of them has begun anew since."""
    known = spectask.foreseen.get((session, other), NOTHING)
    return known if known.attempts == _attempts(spectask, session, other) else NOTHING


def foreseen_for(spectask: SpecTask, run: RunId) -> dict[RunId, tuple[str, ...]]:
    """Returns with which sessions a run's work conflicts now, and in which paths."""
    alive = {session.id for session in sessions_with_files(spectask)}
    pairs = [pair for pair in spectask.foreseen if run in pair and alive.issuperset(pair)]
    found = {(pair[1] if pair[0] == run else pair[0]): known_of(spectask, *pair).paths for pair in pairs}
    return {other: found[other] for other in sorted(found, key=lambda each: spectask.sessions[each].number) if found[other]}


def _attempts(spectask: SpecTask, session: RunId, other: RunId) -> tuple[int, int]:
    one, two = spectask.sessions.get(session), spectask.sessions.get(other)
    return (one.attempt if one else 0, two.attempt if two else 0)


def _conflict_foreseen(spectask: SpecTask, _: e.Envelope, event: e.ConflictForeseen) -> SpecTask:
    known = known_of(spectask, event.session, event.other)
    found = Foreseen(paths=event.paths, told=known.told | set(event.paths), attempts=_attempts(spectask, event.session, event.other))
    return replace(spectask, foreseen=spectask.foreseen.set((event.session, event.other), found))


def _conflict_passed(spectask: SpecTask, _: e.Envelope, event: e.ConflictPassed) -> SpecTask:
    known = replace(known_of(spectask, event.session, event.other), paths=())
    return replace(spectask, foreseen=spectask.foreseen.set((event.session, event.other), known))


FORESIGHT_FOLDS: dict[type[e.Event], Callable[[SpecTask, e.Envelope, Any], SpecTask]] = {
    e.ConflictForeseen: _conflict_foreseen,
    e.ConflictPassed: _conflict_passed,
}
"""Folds by event class, joined into `state.APPLY`."""
