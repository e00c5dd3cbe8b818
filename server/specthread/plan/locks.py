"""Who gets a resource next, and who gives way where runs wait for each other in a circle.

A queue is served in order: by priority, which grows by one for each minute of waiting so that nobody starves, then by arrival. Nobody is served past one that stands in front
and does not fit yet. First of all comes who already shares the resource and wants it alone: until it is served, nobody else can be. Then
comes for whom the scheduler keeps it, who has waited long for a place, is in no line and holds none of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from operator import itemgetter

from specthread.domain.ids import RunId
from specthread.domain.locks import NONE, Held, Lock, LockMode, Locks, Moment, Waiting, concerning, dropped, hold_of, wait_of
from specthread.domain.model import State
from specthread.domain.names import spectask_of
from specthread.domain.reports import GrantLock, RefuseLock
from specthread.domain.rules_lock import fits
from specthread.domain.runs import find_run
from specthread.plan.capacity import Capacity
from specthread.plan.claims import Kept, is_behind
from specthread.plan.needs import Need, Resting, is_open, needs_of_use

AGEING_SECONDS = 60.0
NOTHING_KEPT: Kept = {}


def due(state: State, capacity: Capacity, now: datetime, kept: Kept = NOTHING_KEPT) -> tuple[GrantLock | RefuseLock, ...]:
    """Returns what is to be decided about locks: what can be granted, and, for each circle of waits that is left, who gives way.

    For whom a resource is kept comes before those in line, but for nobody who would be stuck behind that: the other has nothing yet.
    """
    # Most of those that are remembered are idle.
    used = Locks({key: lock for key, lock in state.locks.items() if lock.held or lock.waiting})
    while True:
        found, locks = _granted(used, capacity, now, kept)
        behind = {(key, each.run) for key in kept for each in locks.get(key, NONE).waiting}
        graph = _stuck(locks, Resting(state, locks, capacity, kept), capacity, now) if behind else {}
        passing = {key for key, run in behind if run in graph}
        if not passing:
            return (*found, *_victims(state, locks, capacity, now))
        kept = {key: keeper for key, keeper in kept.items() if key not in passing}


def _granted(locks: Locks, capacity: Capacity, now: datetime, kept: Kept) -> tuple[list[GrantLock], Locks]:
    """Returns what can be granted, and the locks after that."""
    found: list[GrantLock] = []
    # In the order of the names: that of the map is another one in each process.
    for key, lock in sorted(((key, lock) for key, lock in locks.items() if lock.waiting), key=itemgetter(0)):
        most = capacity.resources.get(key[1])
        for waiting in _grantable(lock, most, now, kept.get(key)):
            found.append(GrantLock(spectask=spectask_of(waiting.run), run=waiting.run, resource=key[1], capacity=most))
            locks = locks.set(key, _with_hold(locks[key], waiting))
    return found, locks


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


def stuck(state: State, capacity: Capacity, now: datetime) -> dict[RunId, tuple[RunId, ...]]:
    """Returns who cannot go on unless somebody gives way, each with those in its way, who cannot go on either."""
    return _stuck(state.locks, Resting(state, state.locks, capacity, NOTHING_KEPT), capacity, now)


def _grantable(lock: Lock, capacity: int | None, now: datetime, keeper: tuple[str, LockMode] | None) -> Iterator[Waiting]:
    for waiting in queue(lock, now):
        if not fits(lock, waiting, capacity) or is_behind(lock, waiting, keeper):
            return
        yield waiting
        lock = _with_hold(lock, waiting)


def _with_hold(lock: Lock, waiting: Waiting) -> Lock:
    others = tuple(held for held in lock.held if held.run != waiting.run)
    held = Held(run=waiting.run, mode=waiting.mode, seq=waiting.seq, turn=0, since=waiting.since)
    return replace(lock, held=(*others, held), waiting=tuple(each for each in lock.waiting if each.run != waiting.run))


def _victims(state: State, locks: Locks, capacity: Capacity, now: datetime) -> Iterator[RefuseLock]:
    """Yields who gives way until nobody is stuck: of those that hold what is waited for, the one that loses the fewest turns, then the one that came last."""
    resting = Resting(state, locks, capacity, NOTHING_KEPT)
    while graph := _stuck(locks, resting, capacity, now):
        # Only what another of them waits for is worth giving up. What somebody is asked for by others than these does not open the circle.
        holding = sorted(_holding(graph, locks, resting))
        if not holding:
            return
        victim = min(holding, key=lambda run: (_turns_lost(state, run), -_asked_at(state.locks, run)))
        resource = min(concerning(locks, victim), key=lambda found: (wait_of(found[1], victim) is None, not found[1].waiting, found[0]))[0][
            1
        ]
        yield RefuseLock(spectask=spectask_of(victim), run=victim, resource=resource, cause="deadlock")
        locks = dropped(locks, lambda run, victim=victim: run == victim, Moment(0, now))  # type: ignore[misc]
        resting = Resting(state, locks, capacity, NOTHING_KEPT)


def _holding(graph: Mapping[RunId, Collection[RunId]], locks: Locks, resting: Resting) -> set[RunId]:
    """Returns who holds what somebody waits for that it waits for in turn: of each circle that can be opened all who could."""
    found: set[RunId] = set()
    for run in graph:
        wanted = {*resting.lacking(run), *(key for key, lock in concerning(locks, run) if wait_of(lock, run))}
        holders = {held.run for key in wanted for held in locks.get(key, NONE).held if held.run in graph[run]}
        found |= {holder for holder in holders - found if run in _reached(graph, holder)}
    return found


def _reached(graph: Mapping[RunId, Collection[RunId]], start: RunId) -> set[RunId]:
    found: set[RunId] = set()
    ahead = [start]
    while ahead:
        new = set(graph.get(ahead.pop(), ())) - found
        found |= new
        ahead += new
    return found


def _stuck(locks: Locks, resting: Resting, capacity: Capacity, now: datetime) -> dict[RunId, tuple[RunId, ...]]:
    """Lets everybody go on who can, those who could after them, and so on, as a banker would; who is left is stuck, whatever the order was."""
    left = _needs(locks, resting, capacity, now)
    count = 0
    while count != len(left):
        count = len(left)
        # A line is there from its front to its end, so that it goes in one round.
        for run in tuple(left):
            if not any(is_open(need, left) for need in left[run]):
                del left[run]
    return {
        run: tuple(sorted({other for need in left[run] if is_open(need, left) for other in need.of if other in left}))
        for run in sorted(left)
    }


def _needs(locks: Locks, resting: Resting, capacity: Capacity, now: datetime) -> dict[RunId, list[Need]]:
    """Returns what everybody needs who stands in line, holds what others stand in line for, holds anything and rests, or is in turn waited for by those."""
    needs: dict[RunId, list[Need]] = {}
    looked_at: set[RunId] = set()
    to_look_at: list[RunId] = []
    for key, lock in locks.items():
        ahead: tuple[RunId, ...] = ()
        for waiting in queue(lock, now) if lock.waiting else ():
            users = {held.run: held.mode for held in lock.held if held.run != waiting.run}
            found = [*needs_of_use(users, waiting.mode, capacity.resources.get(key[1])), Need(ahead)]
            if not ahead and is_behind(lock, waiting, resting.kept.get(key)):
                found += resting.needs_of_kept(key)
            needs.setdefault(waiting.run, []).extend(found)
            to_look_at += [other for need in found for other in need.of]
            ahead = (waiting.run,)
        to_look_at += [held.run for held in lock.held if lock.waiting or resting.is_resting(held.run)]
    while to_look_at:
        run = to_look_at.pop()
        if run not in looked_at:
            looked_at.add(run)
            found = [*resting.needs(run)]
            needs.setdefault(run, []).extend(found)
            to_look_at += [other for need in found for other in need.of]
    return needs


def _turns_lost(state: State, run: RunId) -> int:
    """Returns how many turns a run made since it got the first resource that it holds."""
    spectask = state.spectasks.get(spectask_of(run))
    known = find_run(spectask, run) if spectask else None
    first = min((held.turn for _, lock in concerning(state.locks, run) for held in lock.held if held.run == run), default=0)
    return known.turn - first if known else 0


def _asked_at(locks: Locks, run: RunId) -> int:
    return max((waiting.seq for _, lock in concerning(locks, run) for waiting in lock.waiting if waiting.run == run), default=0)
