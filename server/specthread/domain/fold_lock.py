"""Folds of the events that concern locks, which belong to no single SpecTask; whoever ends holds nothing any more, without an event of its own.

What a session no longer has of what its task uses stands with the session, too: another task may begin with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specthread.domain import events as e
from specthread.domain.copying import replace
from specthread.domain.ids import RunId
from specthread.domain.locks import (
    Held,
    Locks,
    Moment,
    Waiting,
    asked,
    dropped,
    gave_up,
    gave_way,
    granted,
    released,
    resource_key,
    taken_back,
    withdrawn,
)
from specthread.domain.model import ENDED_TASK_STATES, SpecTask
from specthread.domain.names import spectask_of
from specthread.domain.runs import find_run, with_run

LockFold = Callable[[Locks, SpecTask, e.Envelope, Any], Locks]


def folded_locks(locks: Locks, spectask: SpecTask, envelope: e.Envelope) -> Locks:
    """Returns the locks after an event of `spectask`, which is as it was made by that event."""
    fold = LOCK_FOLDS.get(type(envelope.event))
    if fold is None or (not locks and type(envelope.event) is not e.LockRequested and type(envelope.event) is not e.LockGranted):
        return locks
    locks = fold(locks, spectask, envelope, envelope.event)
    return _all_gone(locks, spectask, envelope, envelope.event) if spectask.state in ENDED_TASK_STATES else locks


def _requested(locks: Locks, spectask: SpecTask, envelope: e.Envelope, event: e.LockRequested) -> Locks:
    key = resource_key(spectask.repository, event.resource)
    waiting = Waiting(run=event.run, mode=event.mode, seq=envelope.seq, since=envelope.time, priority=event.priority, seconds=event.seconds)
    return asked(locks, key, waiting) if key else locks


def _granted(locks: Locks, spectask: SpecTask, envelope: e.Envelope, event: e.LockGranted) -> Locks:
    key = resource_key(spectask.repository, event.resource)
    run = find_run(spectask, event.run)
    held = Held(run=event.run, mode=event.mode, seq=envelope.seq, turn=run.turn if run else 0, since=envelope.time)
    return granted(locks, key, held) if key else locks


def _released(locks: Locks, spectask: SpecTask, envelope: e.Envelope, event: e.LockReleased) -> Locks:
    key = resource_key(spectask.repository, event.resource)
    return (taken_back if event.reason else released)(locks, key, event.run, _at(envelope)) if key else locks


def _refused(locks: Locks, spectask: SpecTask, envelope: e.Envelope, event: e.LockRefused) -> Locks:
    key = resource_key(spectask.repository, event.resource)
    if key is None:
        return locks
    return (gave_up if event.cause == "timeout" else gave_way)(locks, key, event.run, _at(envelope))


def _run_gone(locks: Locks, _: SpecTask, envelope: e.Envelope, event: Any) -> Locks:  # noqa: ANN401  three classes of events
    gone: RunId = event.session if isinstance(event, e.SessionMerged | e.SessionStarted) else event.run
    return dropped(locks, lambda run: run == gone, _at(envelope))


def _run_rests(locks: Locks, _: SpecTask, envelope: e.Envelope, event: Any) -> Locks:  # noqa: ANN401  several classes of events
    """Whoever was stopped no longer stands in line: its agent is told that the call was cut off."""
    return withdrawn(locks, lambda run: run == event.run, _at(envelope))


def _place_awaited(locks: Locks, spectask: SpecTask, envelope: e.Envelope, event: e.PlaceAwaited) -> Locks:
    """Whoever has not begun its work needs nothing meanwhile, and asks again when it begins."""
    return _run_gone(locks, spectask, envelope, event) if spectask.sessions[event.run].returns == "starting" else locks


def _all_gone(locks: Locks, spectask: SpecTask, envelope: e.Envelope, _: e.Event) -> Locks:
    return dropped(locks, lambda run: spectask_of(run) == spectask.id, _at(envelope))


def _all_rest(locks: Locks, spectask: SpecTask, envelope: e.Envelope, _: e.Event) -> Locks:
    return withdrawn(locks, lambda run: spectask_of(run) == spectask.id, _at(envelope))


def _at(envelope: e.Envelope) -> Moment:
    return Moment(envelope.seq, envelope.time)


LOCK_FOLDS: dict[type[e.Event], LockFold] = {
    e.LockRequested: _requested,
    e.LockGranted: _granted,
    e.LockReleased: _released,
    e.LockRefused: _refused,
    e.SessionStarted: _run_gone,
    e.SessionMerged: _run_gone,
    e.RunFailed: _run_gone,
    e.RunCancelled: _run_gone,
    e.SpecTaskCancelled: _all_gone,
    e.SpecTaskFailed: _all_gone,
    e.SpecTaskOvertaken: _all_gone,
    e.PlaceAwaited: _place_awaited,
    e.RunPaused: _run_rests,
    e.RunInterrupted: _run_rests,
    e.QuestionAsked: _run_rests,
    e.SpecTaskPaused: _all_rest,
}
"""Folds by event class; those of other events leave the locks alone."""


def _stands_in_line(spectask: SpecTask, _: e.Envelope, event: e.LockRequested) -> SpecTask:
    run = find_run(spectask, event.run)
    return with_run(spectask, replace(run, awaits=event.resource)) if run else spectask


def _out_of_line(spectask: SpecTask, event: e.LockGranted | e.LockReleased | e.LockRefused) -> SpecTask:
    run = find_run(spectask, event.run)
    return with_run(spectask, replace(run, awaits="")) if run and run.awaits == event.resource else spectask


def _had_back(spectask: SpecTask, _: e.Envelope, event: e.LockGranted) -> SpecTask:
    spectask = _out_of_line(spectask, event)
    session = spectask.sessions.get(event.run)
    if session is None or event.resource not in session.without:
        return spectask
    return _with_without(spectask, event.run, tuple(each for each in session.without if each != event.resource))


def _gave_back(spectask: SpecTask, _: e.Envelope, event: e.LockReleased | e.LockRefused) -> SpecTask:
    spectask = _out_of_line(spectask, event)
    session = spectask.sessions.get(event.run)
    lost = (event.resource,) if isinstance(event, e.LockReleased) else event.lost
    if session is None or not lost:
        return spectask
    return _with_without(spectask, event.run, tuple(sorted({*session.without, *lost})))


def _with_without(spectask: SpecTask, run: RunId, without: tuple[str, ...]) -> SpecTask:
    return replace(spectask, sessions=spectask.sessions.set(run, replace(spectask.sessions[run], without=without)))


LOCK_SESSION_FOLDS: dict[type[e.Event], Callable[[SpecTask, e.Envelope, Any], SpecTask]] = {
    e.LockRequested: _stands_in_line,
    e.LockGranted: _had_back,
    e.LockReleased: _gave_back,
    e.LockRefused: _gave_back,
}
"""What the events of locks change of their SpecTask."""
