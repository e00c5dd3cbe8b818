"""Which resources somebody uses, waits for or is about to use, over all SpecTasks: what a task needs must be free before it gets a place.

Otherwise who only stands in line would hold a place, and the resource's holder could wait for somebody who needs that very place. So claims are counted from the
command that gives a task to a session, by what its task names, until the session is over or gave the resource back; and beside them what agents took by themselves.
Who has waited long gets what it needs kept: nobody else begins with it, or gets it by a tool, so it is free some day. Whoever began before has all it needs or, where
it comes back, goes first; who could not go on otherwise is let pass (`locks.py`). So no circle of waits comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from specthread.domain.copying import replace
from specthread.domain.ids import RunId
from specthread.domain.locks import NONE, Held, Lock, Locks, ResourceKey, Waiting, hold_of, resource_key
from specthread.domain.model import ImplementationTask, SpecTask
from specthread.domain.readiness import is_to_begin, uses_of
from specthread.domain.run import ACTING, WorkSession
from specthread.spec.resource import Mode

_MODES: tuple[Mode, ...] = ("exclusive", "shared")
MOST_KEPT_FOR = 16
"""For so many who have waited long resources may be kept at once; whoever waits behind them has its turn as they begin."""
_FREE: Mapping[Mode, bool] = dict.fromkeys(_MODES, True)


def needs_of(spectask: SpecTask, task: ImplementationTask | None) -> dict[ResourceKey, Mode]:
    """Returns the resources that a task uses, and how."""
    found = ((resource_key(spectask.repository, name), mode) for name, mode in uses_of(task).items()) if task and task.plan.uses else ()
    return {key: mode for key, mode in found if key}


def claim_of(spectask: SpecTask, session: WorkSession) -> dict[ResourceKey, Mode]:
    """Returns the resources that a session has because of its task, or will ask for: those that it gave back are none of them.

    An attempt that waits to begin has nothing yet.
    """
    if session.ended is not None or is_to_begin(session):
        return {}
    needed = needs_of(spectask, spectask.tasks.get(session.task))
    return {key: mode for key, mode in needed.items() if key[1] not in session.without}


def lacking_of(spectask: SpecTask, session: WorkSession, locks: Locks) -> dict[ResourceKey, Mode]:
    """Returns what must be free before a session gets the place that it waits for: of what its task uses all that it does not hold; its agent asks for that first."""
    if session.state != "pending" or session.returns not in ACTING:
        return {}
    needed = needs_of(spectask, spectask.tasks.get(session.task))
    return {key: mode for key, mode in needed.items() if not _has(locks.get(key, NONE), session.id, mode)}


def _has(lock: Lock, run: RunId, mode: Mode) -> bool:
    held = hold_of(lock, run)
    return held is not None and (held.mode == "exclusive" or mode == "shared")


Needed = frozenset[tuple[ResourceKey, Mode]]
NOTHING: Needed = frozenset()
Kept = Mapping[ResourceKey, tuple[str, Mode]]
"""For whom a resource is kept, as SpecTask and task or session, and for which use."""


def is_behind(lock: Lock, waiting: Waiting, keeper: tuple[str, Mode] | None) -> bool:
    """Tells whether somebody in line must let the one go first for whom the resource is kept; who shares it already need not."""
    return keeper is not None and "exclusive" in {waiting.mode, keeper[1]} and hold_of(lock, waiting.run) is None


def in_front(lock: Lock, keeper: tuple[str, Mode] | None) -> Lock:
    """Returns the lock without those in line that must let the one go first for whom the resource is kept."""
    return replace(lock, waiting=tuple(each for each in lock.waiting if not is_behind(lock, each, keeper))) if keeper else lock


class Claims:
    """Who claims which resource. What is free is as of the last call of `turned`."""

    def __init__(self) -> None:
        self.locks = Locks()
        self.capacities: Mapping[str, int] = {}
        self._claims: dict[str, Mapping[ResourceKey, Mode]] = {}
        self._claimants: dict[ResourceKey, dict[str, Mode]] = {}
        self._free: dict[ResourceKey, Mapping[Mode, bool]] = {}
        self._touched: set[ResourceKey] = set()
        self._moved: set[ResourceKey] = set()
        self._resting: dict[str, Collection[ResourceKey]] = {}
        self.kept: Kept = {}

    def is_free(self, needed: Iterable[tuple[ResourceKey, Mode]], claimant: str = "") -> bool:
        """Tells whether this claimant, or one for whom nothing is kept, could use all of this, too."""
        return all(self._free.get(key, _FREE)[mode] and not self._is_kept(key, mode, claimant) for key, mode in needed)

    def is_unclaimed(self, needed: Iterable[tuple[ResourceKey, Mode]]) -> bool:
        """Tells whether somebody could use all of this, for whomever it is kept."""
        return all(self._free.get(key, _FREE)[mode] for key, mode in needed)

    def is_free_for(self, needed: Mapping[ResourceKey, Mode], session: RunId) -> bool:
        """Tells whether a session that comes back could use all of this: what only others claim that rest, too, is in nobody's way."""
        return all(not self.in_the_way(key, mode, session) for key, mode in needed.items())

    def in_the_way(self, key: ResourceKey, mode: Mode, session: RunId) -> tuple[str, ...]:
        """Returns those of whom at least one must go before a session that comes back can have a resource."""
        lock = in_front(self.locks.get(key, NONE), self.kept.get(key))
        found = {claimant: theirs for claimant, theirs in self._claimants.get(key, {}).items() if claimant not in self._resting}
        found = {each: theirs for each, theirs in with_line(found, lock).items() if each != session}
        is_full = len(found) >= self.capacities.get(key[1], len(found) + 1)
        return tuple(sorted(each for each, theirs in found.items() if is_full or "exclusive" in {mode, theirs}))

    def rest(self, session: RunId, lacking: Collection[ResourceKey] | None) -> None:
        """Notes that a session rests, and what it must have before it goes on; None where it does not rest."""
        before = self._resting.get(session)
        if before == lacking:
            return
        if lacking is None:
            del self._resting[session]
        else:
            self._resting[session] = lacking
        if before is None or lacking is None:
            self._touched |= self._claims.get(session, {}).keys()

    def keep(self, wanted: Iterable[tuple[str, Mapping[ResourceKey, Mode]]], awaits_person: Callable[[str], bool]) -> None:
        """Keeps for each of the first claimants, one after the other, all that it needs, where nothing of that is kept for another one already.

        While somebody has what one needs who waits for a person, nothing is kept for it, because that would lie idle as long.
        """
        kept: dict[ResourceKey, tuple[str, Mode]] = {}
        stalled: dict[ResourceKey, bool] = {}
        first = 0
        for claimant, needed in wanted:
            for key in needed.keys() - stalled.keys():
                stalled[key] = any(map(awaits_person, self.users(key)))
            if any(stalled[key] for key in needed):
                continue
            first += 1
            if not any(key in kept and "exclusive" in {mode, kept[key][1]} for key, mode in needed.items()):
                kept |= {key: (claimant, mode) for key, mode in needed.items() if key not in kept}
            if first == MOST_KEPT_FOR:
                break
        moved = {key for key in kept.keys() | self.kept.keys() if kept.get(key) != self.kept.get(key)}
        self._touched |= moved
        self._moved |= moved
        self.kept = kept

    def _is_kept(self, key: ResourceKey, mode: Mode, claimant: str) -> bool:
        keeper, theirs = self.kept.get(key, (claimant, mode))
        return keeper != claimant and "exclusive" in {mode, theirs}

    def claim(self, claimant: str, claimed: Mapping[ResourceKey, Mode]) -> None:
        """Puts what somebody claims in the place of what they claimed before."""
        before = self._claims.get(claimant, {})
        if before == claimed:
            return
        for key in before.keys() - claimed.keys():
            del self._claimants[key][claimant]
            if not self._claimants[key]:
                del self._claimants[key]
        for key, mode in claimed.items():
            self._claimants.setdefault(key, {})[claimant] = mode
        self._claims[claimant] = claimed
        if not claimed:
            del self._claims[claimant]
        self._touched |= before.keys() | claimed.keys()

    def follow(self, locks: Locks, capacities: Mapping[str, int] | None = None) -> None:
        """Takes in who holds and waits for what, and how many may share it."""
        if locks is not self.locks:
            self._touched.update(key for key, lock in locks.items() if self.locks.get(key) is not lock)
            self.locks = locks
        if capacities is not None and capacities != self.capacities:
            self.capacities = capacities
            self._touched |= self._claimants.keys() | set(locks)

    def turned(self) -> Iterator[ResourceKey]:
        """Yields the resources that have become free, taken, or kept, for some use since the last call."""
        touched, self._touched = self._touched, set()
        moved, self._moved = self._moved, set()
        if touched:
            moved.update(*self._resting.values())
        for key in touched:
            known = with_line(self._claimants.get(key, {}), in_front(self.locks.get(key, NONE), self.kept.get(key)))
            capacity = self.capacities.get(key[1], len(known) + 1)
            now: Mapping[Mode, bool] = {"exclusive": not known, "shared": "exclusive" not in known.values() and len(known) < capacity}
            if now != self._free.get(key, _FREE):
                self._free[key] = now
                if now == _FREE:
                    del self._free[key]
                yield key
            elif key in moved:
                yield key

    def users(self, key: ResourceKey) -> dict[str, Mode]:
        """Returns who claims a resource, and how."""
        return with_line(self._claimants.get(key, {}), self.locks.get(key, NONE))

    def taken(self) -> dict[tuple[ResourceKey, Mode], tuple[RunId, ...]]:
        """Returns for each resource that is not free for some use who claims it; sessions only."""
        found: dict[tuple[ResourceKey, Mode], tuple[RunId, ...]] = {}
        for key, free in self._free.items():
            sessions = tuple(sorted(RunId(each) for each in self.users(key) if "/" in each))
            found |= {(key, mode): sessions for mode in _MODES if not free[mode]}
        return found


def with_line(claims: Mapping[str, Mode], lock: Lock) -> dict[str, Mode]:
    """Returns who claims a resource, together with those who have it or stand in line, each with its stronger use."""
    found = dict(claims)
    both: tuple[Held | Waiting, ...] = (*lock.held, *lock.waiting)
    for each in both:
        found[each.run] = each.mode if found.get(each.run) != "exclusive" else "exclusive"
    return found
