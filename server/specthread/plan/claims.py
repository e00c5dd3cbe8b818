"""Which resources somebody uses, waits for or is about to use, over all SpecTasks: what a task needs must be free before it gets a place.

Otherwise who only stands in line would hold a place, and the resource's holder could wait for somebody who needs that very place. So claims are counted from the
command that gives a task to a session, by what its task names, until the session is over or gave the resource back; and beside them what agents took by themselves.
Who has waited long gets what it needs kept: nobody else begins with it, so it is free some day. Whoever began before has all it needs, so no circle of waits comes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from specthread.domain.ids import RunId
from specthread.domain.locks import NONE, Locks, ResourceKey, resource_key
from specthread.domain.model import ImplementationTask, SpecTask
from specthread.domain.readiness import is_to_begin, uses_of
from specthread.domain.run import WorkSession
from specthread.spec.resource import Mode

_MODES: tuple[Mode, ...] = ("exclusive", "shared")
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
        self.kept: Mapping[ResourceKey, tuple[str, Mode]] = {}
        """For whom a resource is kept, and for which use."""

    def is_free(self, needed: Mapping[ResourceKey, Mode], claimant: str) -> bool:
        """Tells whether this claimant could use all of this, too."""
        return all(self._free.get(key, _FREE)[mode] and not self._is_kept(key, mode, claimant) for key, mode in needed.items())

    def keep(self, wanted: Iterable[tuple[str, Mapping[ResourceKey, Mode]]]) -> None:
        """Keeps for each claimant, the first one first, all that it needs, where nothing of that is kept for another one already."""
        kept: dict[ResourceKey, tuple[str, Mode]] = {}
        for claimant, needed in wanted:
            if not any(key in kept and "exclusive" in {mode, kept[key][1]} for key, mode in needed.items()):
                kept = {**{key: (claimant, mode) for key, mode in needed.items()}, **kept}
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
        for key in touched:
            known = self.users(key)
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
        lock = self.locks.get(key, NONE)
        found = dict(self._claimants.get(key, {}))
        for run, mode in (*((held.run, held.mode) for held in lock.held), *((waiting.run, waiting.mode) for waiting in lock.waiting)):
            found[run] = mode if found.get(run) != "exclusive" else "exclusive"
        return found

    def taken(self) -> dict[tuple[ResourceKey, Mode], tuple[RunId, ...]]:
        """Returns for each resource that is not free for some use who claims it; sessions only."""
        found: dict[tuple[ResourceKey, Mode], tuple[RunId, ...]] = {}
        for key, free in self._free.items():
            sessions = tuple(sorted(RunId(each) for each in self.users(key) if "/" in each))
            found |= {(key, mode): sessions for mode in _MODES if not free[mode]}
        return found
