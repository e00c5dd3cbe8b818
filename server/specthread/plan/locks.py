"""Who gets a resource next, and who gives way where runs wait for each other in a circle.

A queue is served in order: by priority, which grows by one for each minute of waiting so that nobody starves, then by arrival. Nobody is served past one that stands in front
and does not fit yet. First of all comes who already shares the resource and wants it alone: until it is served, nobody else can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from specthread.domain.fold_run import find_run
from specthread.domain.ids import RunId
from specthread.domain.locks import Held, Lock, Locks, Moment, Waiting, concerning, dropped, hold_of, wait_of
from specthread.domain.model import State
from specthread.domain.names import spectask_of
from specthread.domain.reports import GrantLock, RefuseLock
from specthread.domain.rules_lock import fits

AGEING_SECONDS = 60.0
Capacities = Mapping[str, int]
"""How many runs may share a resource, by its name; one that is not named is shared by any number."""


def due(state: State, capacities: Capacities, now: datetime) -> tuple[GrantLock | RefuseLock, ...]:
    """Returns what is to be decided about locks: what can be granted, and, for each circle of waits that is left, who gives way."""
    waited_for = {key: lock for key, lock in state.locks.items() if lock.waiting}
    if not waited_for:
        return ()
    commands: list[GrantLock | RefuseLock] = []
    locks = state.locks
    for key, lock in waited_for.items():
        for waiting in _grantable(lock, capacities.get(key[1]), now):
            commands.append(GrantLock(spectask=spectask_of(waiting.run), run=waiting.run, resource=key[1], capacity=capacities.get(key[1])))
            locks = locks.set(key, _with_hold(locks[key], waiting))
    return (*commands, *_victims(state, locks, now))


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


def waits_for(locks: Locks, now: datetime) -> dict[RunId, frozenset[RunId]]:
    """Returns the wait-for graph: each run that waits, with those that must go on before it can."""
    graph: dict[RunId, frozenset[RunId]] = {}
    for lock in locks.values():
        ahead: RunId | None = None
        for waiting in queue(lock, now) if lock.waiting else ():
            in_the_way = {held.run for held in lock.held if held.run != waiting.run} | ({ahead} if ahead else set())
            graph[waiting.run] = graph.get(waiting.run, frozenset()) | in_the_way
            ahead = waiting.run
    return graph


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


def _victims(state: State, locks: Locks, now: datetime) -> Iterator[RefuseLock]:
    """Yields who gives way, one for each circle: of those that hold something, the one that loses the fewest turns, then the one that came last."""
    while circle := _circle(waits_for(locks, now)):
        holding = [run for run in circle if any(hold_of(lock, run) for lock in locks.values())]
        victim = min(holding, key=lambda run: (_turns_lost(state, run), -_asked_at(state.locks, run)))
        (_, resource), _lock = next((key, lock) for key, lock in concerning(locks, victim) if wait_of(lock, victim))
        yield RefuseLock(spectask=spectask_of(victim), run=victim, resource=resource, cause="deadlock")
        locks = dropped(locks, lambda run, victim=victim: run == victim, Moment(0, now))  # type: ignore[misc]


def _circle(graph: Mapping[RunId, Iterable[RunId]]) -> tuple[RunId, ...]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return tuple(error.args[1][:-1])
    return ()


def _turns_lost(state: State, run: RunId) -> int:
    """Returns how many turns a run made since it got the first resource that it holds."""
    spectask = state.spectasks.get(spectask_of(run))
    known = find_run(spectask, run) if spectask else None
    first = min((held.turn for _, lock in concerning(state.locks, run) for held in lock.held if held.run == run), default=0)
    return known.turn - first if known else 0


def _asked_at(locks: Locks, run: RunId) -> int:
    return max((waiting.seq for _, lock in concerning(locks, run) for waiting in lock.waiting if waiting.run == run), default=0)
