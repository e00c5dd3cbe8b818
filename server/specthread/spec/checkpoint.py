"""Checkpoints as barriers: what stands before one is done before it, and what stands after it begins when it is done.

This holds wherever a checkpoint's place is only that in the document. What names its dependencies has said otherwise, and so has a graph: a task
that something before the checkpoint waits for, in whatever wave, is not held back. A checkpoint that may be left out holds nothing back, and one
that a task before it waits for, because somebody named it, does not wait for that task.
"""

from collections.abc import Iterator, Mapping

from specthread.spec.dialects import Dialect
from specthread.spec.order import Waits, Written, named_waits, tasks_above
from specthread.spec.waves import Waves


def held_by_checkpoints(written: Written, waits: list[Waits], dialect: Dialect, graph: Waves | None) -> list[Waits]:
    """Per task the ids it waits for and where that is written, checkpoints regarded; spec-kit's are part of their phase already."""
    if dialect == "spec-kit" and graph is None:
        return waits
    barriers = _barriers(written, graph)
    return _Walk(written, waits, barriers).held() if barriers else waits


def _barriers(written: Written, graph: Waves | None) -> list[int]:
    """The leaves that are a checkpoint, or part of one, and have no other place than the one in the document."""
    placed = {name for row in (*graph.waves, *graph.edges) for name in row} if graph else set()
    found = []
    for index, leaf in enumerate(written.leaves):
        around = [written.blocks[each] for each in (index, *tasks_above(index, written.parents))] if leaf else []
        if any(block.is_checkpoint for block in around) and not any(block.id in placed or block.names_depends for block in around):
            found.append(index)
    return found


class _Walk:
    """One walk over the leaves in document order. A list of ids that many tasks share is looked into once, and stays one list."""

    def __init__(self, written: Written, waits: list[Waits], barriers: list[int]) -> None:
        self._written = written
        self._waits = waits
        self._barriers = frozenset(barriers)
        self._order = [index for index, leaf in enumerate(written.leaves) if leaf]
        self._numbers = {index: number for number, index in enumerate((each for each in barriers if not written.blocks[each].optional), 1)}
        self._named = {written.blocks[index].id: index for index in self._numbers}
        self._leaves: dict[str, list[int]] = {}
        for index in self._order:
            for each in (index, *tasks_above(index, written.parents)):
                self._leaves.setdefault(written.blocks[each].id, []).append(index)
        self._passed: list[int] = []
        self._behind: dict[int, int] = {}
        """The last of the barriers passed that a leaf is known to wait for, counted from 1."""
        self._known: dict[int, int] = {}
        self._joined: dict[tuple[int, str], tuple[str, ...]] = {}

    def held(self) -> list[Waits]:
        found = list(self._waits)
        first = self._needed_from()
        is_named = any(first.get(index, number + 1) <= number for index, number in self._numbers.items())
        ends: dict[int, None] = {}
        waited_for: set[int] = set()
        looked_into: set[int] = set()
        for index in self._order:
            if index in self._barriers:
                free = self._free_of(index, first) if is_named else ends
                found[index] = (tuple(dict.fromkeys(self._written.blocks[end].id for end in free)), "order")
            elif named_waits(self._written, index) is None:
                number = min(len(self._passed), first.get(index, len(self._passed) + 1) - 1)
                found[index] = self._held(self._waits_before(index, number + 1), number)
            names = found[index][0]
            self._behind[index] = self._last_before(names)
            if self._written.blocks[index].optional:
                continue
            if id(names) not in looked_into:
                looked_into.add(id(names))
                for each in self._meant(names):
                    waited_for.add(each)
                    ends.pop(each, None)
            if index not in waited_for:
                ends[index] = None
            if index in self._barriers:
                self._passed.append(index)
                self._behind[index] = len(self._passed)
        return found

    def _held(self, waits: Waits, number: int) -> Waits:
        """The same with the barrier of this number (none is 0), unless it waits for that already."""
        names, source = waits
        if number <= self._last_before(names):
            return waits
        barrier = self._written.blocks[self._passed[number - 1]].id
        joined = self._joined.setdefault((id(names), barrier), (*names, barrier))
        return joined, "order" if source == "none" else source

    def _last_before(self, names: tuple[str, ...]) -> int:
        if id(names) not in self._known:
            self._known[id(names)] = max((self._behind.get(leaf, 0) for leaf in self._meant(names)), default=0)
        return self._known[id(names)]

    def _meant(self, names: tuple[str, ...]) -> Iterator[int]:
        return (leaf for name in names for leaf in self._leaves.get(name, ()))

    def _waits_before(self, index: int, number: int) -> Waits:
        """What a leaf waits for that must be done before the barrier of this number: where only its place says that it waits for such a barrier, what that waits for."""
        names, source = self._waits[index]
        if source != "order" or self._named.keys().isdisjoint(names) or named_waits(self._written, index) is not None:
            return names, source
        free: dict[str, None] = {}
        rest, passed = list(reversed(names)), set[int]()
        while rest:
            name = rest.pop()
            barrier = self._named.get(name, -1)
            if self._numbers.get(barrier, 0) < number:
                free[name] = None
            elif barrier not in passed:
                passed.add(barrier)
                rest += reversed(self._waits[barrier][0])
        return (names, source) if not passed else (tuple(free), "order")

    def _free_of(self, barrier: int, first: Mapping[int, int]) -> list[int]:
        """The leaves before a barrier that do not wait, over whatever is named, for it or one behind it."""
        number = self._numbers.get(barrier, len(self._passed) + 1)
        late = {index for index, its in self._numbers.items() if its >= number}
        blocks = self._written.blocks
        waits = {index: self._waits_before(index, first.get(index, len(self._numbers) + 2))[0] for index in self._order}
        count = 0
        while count < len(late):
            count = len(late)
            names = {blocks[each].id for index in late for each in (index, *tasks_above(index, self._written.parents))}
            late |= {index for index in self._order if index not in self._barriers and not names.isdisjoint(waits[index])}
        return [index for index in self._order if index < barrier and index not in late and not blocks[index].optional]

    def _needed_from(self) -> dict[int, int]:
        """Per leaf the first of the barriers before which it must be done, because something that stands before that barrier waits for it."""
        found: dict[int, int] = {}
        looked_into: set[int] = set()
        before: list[int] = []
        number = 1
        for index in self._order:
            if index in self._numbers:
                while before:
                    leaf = before.pop()
                    found.setdefault(leaf, number)
                    if leaf in self._barriers:
                        if self._numbers.get(leaf, 0) >= number:
                            before += (each for each in self._order if each < leaf and each not in found)
                        continue
                    names = self._waits_before(leaf, number)[0]
                    if id(names) not in looked_into:
                        looked_into.add(id(names))
                        before += (each for each in self._meant(names) if each not in found)
                number += 1
            if not self._written.blocks[index].optional:
                before.append(index)
        return found
