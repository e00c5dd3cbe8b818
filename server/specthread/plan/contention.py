"""Resources of a plan that is played: who begins without taking what another one has, and who is tried again when something is given back."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from heapq import heappop, heappush

from specthread.spec.resource import Mode

Key = tuple[str, Mode]


class Contention:
    """Who holds resources and who waits for one, by the first that it lacks; those to be tried again come back to the heap `ready`.

    All are known by the number of their turn, and the lowest goes first.
    A resource is one node's alone, or shared by as many as `sharers` says, by any number where it says nothing. For each resource and mode that
    can be had, one of those that wait for it is ready: it brings the next when it has been tried. So no return of a resource is told to all.
    """

    def __init__(self, needs: Mapping[int, Mapping[str, Mode]], sharers: Mapping[str, int], ready: list[int]) -> None:
        self._needs, self._sharers, self._ready = needs, sharers, ready
        self._held: Counter[Key] = Counter()
        self._waiting: defaultdict[Key, list[int]] = defaultdict(list)
        self._tried_for: dict[int, Key] = {}

    def begins(self, turn: int) -> bool:
        """Gives it all that it needs, or lets it wait."""
        woken = self._tried_for.pop(turn, None)
        lacking = next((key for key in self._needs.get(turn, {}).items() if not self._is_free(key)), None)
        if lacking is None:
            self.hold(turn)
        else:
            heappush(self._waiting[lacking], turn)
        if woken is not None and woken != lacking:
            self._wake(woken)
        return lacking is None

    def hold(self, turn: int) -> None:
        """Gives it all that it needs, whoever has it."""
        self._held.update(self._needs.get(turn, {}).items())

    def end(self, turn: int) -> None:
        """Takes back what it holds."""
        for name, mode in self._needs.get(turn, {}).items():
            self._held[name, mode] -= 1
            self._wake((name, "exclusive"))
            self._wake((name, "shared"))

    def _is_free(self, key: Key) -> bool:
        name, mode = key
        sharing = self._held[name, "shared"]
        if self._held[name, "exclusive"]:
            return False
        return not sharing if mode == "exclusive" else sharing < max(1, self._sharers.get(name, sharing + 1))

    def _wake(self, key: Key) -> None:
        if self._waiting[key] and self._is_free(key):
            turn = heappop(self._waiting[key])
            self._tried_for[turn] = key
            heappush(self._ready, turn)
