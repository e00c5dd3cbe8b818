"""Who gets a resource next, and who gives way where runs wait for each other in a circle.

A queue is served in order: by priority, which grows by one for each minute of waiting so that nobody starves, then by arrival. Nobody is served past one that stands in front
and does not fit yet. First of all comes who already shares the resource and wants it alone: until it is served, nobody else can be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from operator import itemgetter
from typing import NamedTuple

from specthread.domain.fold_run import find_run
from specthread.domain.ids import RunId
from specthread.domain.locks import Held, Lock, Locks, Moment, Waiting, concerning, dropped, hold_of, wait_of
from specthread.domain.messages import open_question
from specthread.domain.model import State
from specthread.domain.names import spectask_of
from specthread.domain.readiness import free_for_spawned
from specthread.domain.reports import GrantLock, RefuseLock
from specthread.domain.rules_lock import fits
from specthread.domain.run import WORKING_RUN_STATES

AGEING_SECONDS = 60.0
Capacities = Mapping[str, int]
"""How many runs may share a resource, by its name; one that is not named is shared by any number."""


def due(state: State, capacities: Capacities, now: datetime) -> tuple[GrantLock | RefuseLock, ...]:
    """Returns what is to be decided about locks: what can be granted, and, for each circle of waits that is left, who gives way."""
    # In the order of the names: that of the map is another one in each process.
    waited_for = dict(sorted(((key, lock) for key, lock in state.locks.items() if lock.waiting), key=itemgetter(0)))
    if not waited_for:
        return ()
    commands: list[GrantLock | RefuseLock] = []
    locks = state.locks
    for key, lock in waited_for.items():
        for waiting in _grantable(lock, capacities.get(key[1]), now):
            commands.append(GrantLock(spectask=spectask_of(waiting.run), run=waiting.run, resource=key[1], capacity=capacities.get(key[1])))
            locks = locks.set(key, _with_hold(locks[key], waiting))
    return (*commands, *_victims(state, locks, capacities, now))


def queue(lock: Lock, now: datetime) -> tuple[Waiting, ...]:
    """Returns who waits for a resource, the next one first."""

    def rank(waiting: Waiting) -> tuple[bool, float, int]:
        aged = waiting.priority + max((now - waiting.since).total_seconds(), 0.0) / AGEING_SECONDS
        return (hold_of(lock, waiting.run) is None, -aged, waiting.seq)

    return tuple(sorted(lock.waiting, key=rank))


def blockers(locks: Locks, run: RunId) -> dict[str, tuple[RunId, ...]]:
    """Returns the resources that a run waits for, each with the runs that hold it now."""
    found = {name: lock for (_, name), lock in concerning(locks, run) if wait_of(lock, run)}
    return {name: tuple(held.run for held in lock.held if held.run != run) for name, lock in sorted(found.items())}


def stuck(state: State, capacities: Capacities, now: datetime) -> dict[RunId, tuple[RunId, ...]]:
    """Returns who cannot go on unless somebody gives way, each with those in its way, who cannot go on either."""
    return _stuck(state, state.locks, capacities, now)


def _grantable(lock: Lock, capacity: int | None, now: datetime) -> Iterator[Waiting]:
    for waiting in queue(lock, now):
        if not fits(lock, waiting, capacity):
            return
        yield waiting
        lock = _with_hold(lock, waiting)


def _with_hold(lock: Lock, waiting: Waiting) -> Lock:
    others = tuple(held for held in lock.held if held.run != waiting.run)
    held = Held(run=waiting.run, mode=waiting.mode, seq=waiting.seq, turn=0, since=waiting.since)
    return replace(lock, held=(*others, held), waiting=tuple(each for each in lock.waiting if each.run != waiting.run))


def _victims(state: State, locks: Locks, capacities: Capacities, now: datetime) -> Iterator[RefuseLock]:
    """Yields who gives way, one for each circle: of those that hold what is waited for, the one that loses the fewest turns, then the one that came last."""
    while circle := _circle(_stuck(state, locks, capacities, now)):
        # Only what another of them waits for is worth giving up. What somebody is asked for by others than these does not open the circle.
        holding = sorted({held.run for lock in locks.values() if _wanted_in(lock, circle) for held in lock.held if held.run in circle})
        if not holding:
            return
        victim = min(holding, key=lambda run: (_turns_lost(state, run), -_asked_at(state.locks, run)))
        resource = min(concerning(locks, victim), key=lambda found: (wait_of(found[1], victim) is None, not found[1].waiting, found[0]))[0][
            1
        ]
        yield RefuseLock(spectask=spectask_of(victim), run=victim, resource=resource, cause="deadlock")
        locks = dropped(locks, lambda run, victim=victim: run == victim, Moment(0, now))  # type: ignore[misc]


def _wanted_in(lock: Lock, circle: Collection[RunId]) -> bool:
    return any(waiting.run in circle for waiting in lock.waiting)


def _circle(graph: Mapping[RunId, Iterable[RunId]]) -> tuple[RunId, ...]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return tuple(error.args[1][:-1])
    return ()


class _Need(NamedTuple):
    """What a run waits for: that at most `spare` of these are left who have not gone on."""

    of: tuple[RunId, ...]
    spare: int = 0


def _stuck(state: State, locks: Locks, capacities: Capacities, now: datetime) -> dict[RunId, tuple[RunId, ...]]:
    """Lets everybody go on who can, those who could after them, and so on, as a banker would; who is left is stuck, whatever the order was."""
    left = _needs(state, locks, capacities, now)
    count = 0
    while count != len(left):
        count = len(left)
        # A line is there from its front to its end, so that it goes in one round.
        for run in tuple(left):
            if not any(_is_open(need, left) for need in left[run]):
                del left[run]
    return {
        run: tuple(sorted({other for need in left[run] if _is_open(need, left) for other in need.of if other in left}))
        for run in sorted(left)
    }


def _is_open(need: _Need, left: Collection[RunId]) -> bool:
    return sum(run in left for run in need.of) > need.spare


def _needs(state: State, locks: Locks, capacities: Capacities, now: datetime) -> dict[RunId, list[_Need]]:
    """Returns what everybody needs who stands in line, holds what others stand in line for, or is in turn waited for by those."""
    needs: dict[RunId, list[_Need]] = {}
    looked_at: set[RunId] = set()
    to_look_at: list[RunId] = []
    for (_, name), lock in locks.items():
        ahead: tuple[RunId, ...] = ()
        for waiting in queue(lock, now) if lock.waiting else ():
            needs.setdefault(waiting.run, []).extend((*_of_lock(lock, waiting, capacities.get(name)), _Need(ahead)))
            ahead = (waiting.run,)
        to_look_at += [held.run for held in lock.held if lock.waiting]
    while to_look_at:
        run = to_look_at.pop()
        if run not in looked_at:
            looked_at.add(run)
            found = tuple(_of_rest(state, run))
            needs.setdefault(run, []).extend(found)
            to_look_at += [other for need in found for other in need.of]
    return needs


def _of_lock(lock: Lock, waiting: Waiting, capacity: int | None) -> Iterator[_Need]:
    others = [held for held in lock.held if held.run != waiting.run]
    yield _Need(tuple(held.run for held in others if "exclusive" in {held.mode, waiting.mode}))
    if capacity is not None:
        # Any of those that share it will do.
        yield _Need(tuple(held.run for held in others), capacity - 1)


def _of_rest(state: State, run: RunId) -> Iterator[_Need]:
    """Yields what a session needs that rests for others, or has no place yet. People and whatever else it waits for come some day."""
    spectask = state.spectasks.get(spectask_of(run))
    session = spectask.sessions.get(run) if spectask else None
    if spectask is None or session is None:
        return
    if session.state == "pending":
        working = tuple(other.id for other in spectask.sessions.values() if other.state in WORKING_RUN_STATES)
        if free_for_spawned(spectask, len(working)) < 1:
            yield _Need(working, len(working) - 1)
    if session.state == "waiting" and session.wait is not None:
        yield _Need(session.wait.sessions)
        for question in filter(None, (open_question(spectask, number) for number in session.wait.questions)):
            yield _Need(tuple(map(RunId, question.receivers)), len(question.receivers) - 1)


def _turns_lost(state: State, run: RunId) -> int:
    """Returns how many turns a run made since it got the first resource that it holds."""
    spectask = state.spectasks.get(spectask_of(run))
    known = find_run(spectask, run) if spectask else None
    first = min((held.turn for _, lock in concerning(state.locks, run) for held in lock.held if held.run == run), default=0)
    return known.turn - first if known else 0


def _asked_at(locks: Locks, run: RunId) -> int:
    return max((waiting.seq for _, lock in concerning(locks, run) for waiting in lock.waiting if waiting.run == run), default=0)
