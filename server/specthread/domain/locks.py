"""Locks: who holds which resource, who waits for it, and what became of all that; pure values and how they change.

A resource is named `kind:name`, such as `database:test` or `file:src/app.py`. Agents and APIs are shared by everything this daemon does; the others
belong to one repository. Who gets what when is decided in `plan/locks.py`; here is only what is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple

from immutables import Map

from specthread.domain.ids import RunId
from specthread.spec.resource import resource_of

LockMode = Literal["shared", "exclusive"]
Loss = Literal["timeout", "deadlock"]

_EVERYWHERE = frozenset({"agent", "api"})
MOST_REMEMBERED = 1_000
"""Resources whose statistics are kept; of those that nobody uses, the ones used longest ago go first."""

KEPT_WAITS = 100
KEPT_VICTIMS = 20
"""Of one resource, how many of the last waits and of those that gave way last are remembered."""

ResourceKey = tuple[str, str]
"""Where a resource belongs (a repository's path, or nothing where it is everybody's) and its name."""


class Moment(NamedTuple):
    """An event, by its number and its time."""

    seq: int
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One run's hold on a resource; `turn` is the turn it had reached when it was granted."""

    run: RunId
    mode: LockMode
    seq: int
    turn: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One run's place in the queue of a resource. A run that holds it as shared may wait for it as exclusive."""

    run: RunId
    mode: LockMode
    seq: int
    since: datetime
    priority: int = 0
    seconds: float | None = None
    """How long it will wait at most; None is as long as it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockStatistics:
    """What happened around one resource so far, times in seconds. Only who got it after somebody else had left counts as having waited."""

    grants: int = 0
    waits: int = 0
    longest: float = 0.0
    recent: tuple[float, ...] = ()
    """The last waits, newest last."""
    timeouts: int = 0
    deadlocks: int = 0
    victims: tuple[RunId, ...] = ()
    """Who gave way in the last deadlocks, newest last."""
    taken_back: int = 0
    """How often a person took it from somebody."""
    held: float = 0.0
    """How long it was held, over all holds that are over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Everything about one resource; `used` is the number of the last event that concerned it, `freed` of the last one by which somebody left it or its line."""

    held: tuple[Held, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    statistics: LockStatistics = field(default_factory=LockStatistics)
    used: int = 0
    freed: int = 0


Locks = Map[ResourceKey, Lock]
NONE = Lock()


def resource_key(repository: str, resource: str) -> ResourceKey | None:
    """Returns the key of a resource as somebody in this repository names it; None where that is no name of one."""
    name = resource_of(resource)
    if name is None:
        return None
    return ("" if name.partition(":")[0] in _EVERYWHERE else repository, name)


def hold_of(lock: Lock, run: RunId) -> Held | None:
    """Returns a run's hold on the resource, or None."""
    return next((held for held in lock.held if held.run == run), None)


def wait_of(lock: Lock, run: RunId) -> Waiting | None:
    """Returns a run's place in the queue, or None."""
    return next((waiting for waiting in lock.waiting if waiting.run == run), None)


def concerning(locks: Locks, run: RunId) -> Iterator[tuple[ResourceKey, Lock]]:
    """Yields the resources that a run holds or waits for."""
    # Most of those that are remembered are idle.
    return ((key, lock) for key, lock in locks.items() if (lock.held or lock.waiting) and (hold_of(lock, run) or wait_of(lock, run)))


def asked(locks: Locks, key: ResourceKey, waiting: Waiting) -> Locks:
    """Returns the locks with one more in the queue."""
    lock = locks.get(key, NONE)
    return _forgetting(locks.set(key, replace(lock, waiting=(*lock.waiting, waiting), used=waiting.seq)))


def granted(locks: Locks, key: ResourceKey, held: Held) -> Locks:
    """Returns the locks with the first wait of `held.run` turned into a hold, which takes the place of a weaker one."""
    lock = locks.get(key, NONE)
    waiting = wait_of(lock, held.run)
    has_waited = waiting is not None and lock.freed > waiting.seq
    statistics = _with_wait(lock.statistics, _seconds(waiting.since, held.since)) if waiting and has_waited else lock.statistics
    lock = _without(replace(lock, statistics=replace(statistics, grants=statistics.grants + 1)), held.run, Moment(held.seq, held.since))
    return _forgetting(locks.set(key, replace(lock, held=(*lock.held, held))))


def gave_up(locks: Locks, key: ResourceKey, run: RunId, at: Moment) -> Locks:
    """Returns the locks after a run waited too long; what it holds it keeps."""
    lock = locks.get(key, NONE)
    statistics = replace(lock.statistics, timeouts=lock.statistics.timeouts + 1)
    waiting = tuple(each for each in lock.waiting if each.run != run)
    return locks.set(key, replace(lock, waiting=waiting, statistics=statistics, used=at.seq, freed=at.seq))


def gave_way(locks: Locks, key: ResourceKey, run: RunId, at: Moment) -> Locks:
    """Returns the locks after a run was chosen to break the circle it waited in for `key`: it holds nothing and waits for nothing."""
    lock = locks.get(key, NONE)
    known = lock.statistics
    statistics = replace(known, deadlocks=known.deadlocks + 1, victims=(*known.victims, run)[-KEPT_VICTIMS:])
    return dropped(locks.set(key, replace(lock, statistics=statistics)), lambda each: each == run, at)


def released(locks: Locks, key: ResourceKey, run: RunId, at: Moment) -> Locks:
    """Returns the locks without what a run holds or waits for of one resource."""
    return locks.set(key, _left(locks.get(key, NONE), run, at))


def taken_back(locks: Locks, key: ResourceKey, run: RunId, at: Moment) -> Locks:
    """Returns the locks after a person took a resource from a run."""
    lock = locks.get(key, NONE)
    statistics = replace(lock.statistics, taken_back=lock.statistics.taken_back + 1)
    return released(locks.set(key, replace(lock, statistics=statistics)), key, run, at)


def dropped(locks: Locks, of: Callable[[RunId], bool], at: Moment) -> Locks:
    """Returns the locks without anything that these runs hold or wait for."""
    for key, lock in locks.items():
        if not lock.held and not lock.waiting:
            continue
        runs = {held.run for held in lock.held} | {waiting.run for waiting in lock.waiting}
        for run in filter(of, runs):
            locks = locks.set(key, _left(locks[key], run, at))
    return locks


def withdrawn(locks: Locks, of: Callable[[RunId], bool], at: Moment) -> Locks:
    """Returns the locks without the waits of these runs; what they hold they keep."""
    for key, lock in locks.items():
        waiting = tuple(each for each in lock.waiting if not of(each.run)) if lock.waiting else ()
        if waiting != lock.waiting:
            locks = locks.set(key, replace(lock, waiting=waiting, used=at.seq, freed=at.seq))
    return locks


def _left(lock: Lock, run: RunId, at: Moment) -> Lock:
    return replace(_without(lock, run, at), freed=at.seq)


def _without(lock: Lock, run: RunId, at: Moment) -> Lock:
    held = tuple(each for each in lock.held if each.run != run)
    waiting = tuple(each for each in lock.waiting if each.run != run)
    over = sum(_seconds(each.since, at.time) for each in lock.held if each.run == run)
    statistics = replace(lock.statistics, held=lock.statistics.held + over) if over else lock.statistics
    return replace(lock, held=held, waiting=waiting, statistics=statistics, used=at.seq)


def _with_wait(known: LockStatistics, seconds: float) -> LockStatistics:
    recent = (*known.recent, seconds)[-KEPT_WAITS:]
    return replace(known, waits=known.waits + 1, longest=max(known.longest, seconds), recent=recent)


def _seconds(since: datetime, until: datetime) -> float:
    return max((until - since).total_seconds(), 0.0)  # a clock that was set back makes no negative time


def _forgetting(locks: Locks) -> Locks:
    if len(locks) <= MOST_REMEMBERED:
        return locks
    idle = [(lock.used, key) for key, lock in locks.items() if not lock.held and not lock.waiting]
    return locks.delete(min(idle)[1]) if idle else locks
