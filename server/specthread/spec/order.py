"""Which tasks a leaf waits for where the document does not say it task by task: by waves, by phases, or by the order they are written in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from specthread.spec.dialects import Dialect
from specthread.spec.task_block import TaskBlock
from specthread.spec.waves import Waves

DependsSource = Literal["explicit", "wave", "phase", "order", "none"]
Waits = tuple[tuple[str, ...], DependsSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The tasks in document order: per task the index of its parent, whether it is a leaf, and the heading of its phase."""

    blocks: Sequence[TaskBlock]
    parents: Sequence[int | None]
    leaves: Sequence[bool]
    phases: Sequence[str]


def waits_of(written: Written, dialect: Dialect, graph: Waves | None) -> list[Waits]:
    """Per task the ids it waits for, and where that is written.

    What a leaf and the tasks above it name counts first. A parent waits for nothing but what it names.
    """
    if graph is not None and graph.waves:
        derived = _by_wave(written, graph.waves)
    elif graph is not None:
        derived = _by_arrow(written, graph.edges)
    elif dialect == "spec-kit":
        derived = _by_phase(written)
    else:
        return _by_order(written)
    return [
        named_waits(written, index) or (derived[index] if written.leaves[index] else ((), "none")) for index in range(len(written.blocks))
    ]


def named_waits(written: Written, index: int) -> Waits | None:
    """What the task and, where it is a leaf, those above it name; None where nobody names anything."""
    around = [index, *tasks_above(index, written.parents)] if written.leaves[index] else [index]
    naming = [written.blocks[each] for each in around if written.blocks[each].names_depends]
    if not naming:
        return None
    names = tuple(dict.fromkeys(name for block in naming for name in block.depends))
    return names, "explicit" if names else "none"


# --- by order -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Row:
    """How far a row of leaves has come: what the next one waits for, and the parallel ones since."""

    before: tuple[str, ...] = ()
    run: list[str] = field(default_factory=list)
    told: tuple[str, ...] = ()
    """The run as a tuple that all who wait for it share."""

    def next(self, block: TaskBlock) -> tuple[str, ...]:
        """What this leaf waits for; it is part of the row from now on."""
        if block.is_parallel:
            waits = self.before
            if not block.optional:
                self.run.append(block.id)
            return waits
        waits = self.ends
        if not block.optional:
            self.before, self.run, self.told = (block.id,), [], ()
        return waits

    @property
    def ends(self) -> tuple[str, ...]:
        """What waits for all of the row waits for these."""
        if len(self.told) != len(self.run):
            self.told = tuple(self.run)
        return self.told or self.before


def _by_order(written: Written) -> list[Waits]:
    """A leaf that names nothing waits for the leaf before it, inside the nearest task above that names something.

    Optional leaves are passed over, since they may never be done.
    """
    rows: dict[int | None, _Row] = {}
    found: list[Waits] = []
    for index, block in enumerate(written.blocks):
        if not written.leaves[index]:
            found.append((block.depends, "explicit" if block.depends else "none"))
            continue
        deciding = [above for above in tasks_above(index, written.parents) if written.blocks[above].names_depends]
        waits, *_ = [rows.setdefault(scope, _Row()).next(block) for scope in (*deciding, None)]
        named = named_waits(written, index)
        if block.names_depends and named is not None:
            found.append(named)
        elif named is None:
            found.append((waits, "order"))
        else:
            names = tuple(dict.fromkeys((*waits, *named[0])))
            found.append((names, "order" if waits else named[1]))
    return found


def tasks_above(index: int, parents: Sequence[int | None]) -> Iterator[int]:
    """The tasks above one, the nearest first."""
    above = parents[index]
    while above is not None:
        yield above
        above = parents[above]


# --- by a graph -----------------------------------------------------------------------------------------------------------


def _by_wave(written: Written, waves: Sequence[Sequence[str]]) -> Mapping[int, Waits]:
    """A leaf waits for the leaves of the wave before its own; one that is in no wave waits for the last."""
    leaves = _leaves_by_id(written)
    resolved = [tuple(dict.fromkeys(leaf for name in wave for leaf in leaves.get(name, ()))) for wave in waves]
    resolved = [wave for wave in resolved if wave]
    place = {leaf: number for number, wave in reversed(list(enumerate(resolved))) for leaf in wave}
    found: dict[int, Waits] = {}
    for index, block in enumerate(written.blocks):
        number = place.get(block.id, len(resolved))
        # All of a wave share one tuple: ten thousand tasks that wait for ten thousand others are one list, not as many.
        found[index] = (resolved[number - 1] if number else (), "wave")
    return found


def _by_arrow(written: Written, edges: Sequence[tuple[str, str]]) -> Mapping[int, Waits]:
    leaves = _leaves_by_id(written)
    waits: dict[str, dict[str, None]] = {}
    for one, other in edges:
        for leaf in leaves.get(other, ()):
            waits.setdefault(leaf, {}).update(dict.fromkeys(name for name in leaves.get(one, ()) if name != leaf))
    return {
        index: (tuple(waits.get(block.id, ())), "explicit" if block.id in waits else "none") for index, block in enumerate(written.blocks)
    }


def _leaves_by_id(written: Written) -> dict[str, tuple[str, ...]]:
    """The leaves under each task; a leaf stands for itself."""
    found: dict[str, dict[str, None]] = {}
    for index, block in enumerate(written.blocks):
        if written.leaves[index]:
            for above in (index, *tasks_above(index, written.parents)):
                found.setdefault(written.blocks[above].id, {})[block.id] = None
    return {name: tuple(leaves) for name, leaves in found.items()}


# --- by phase -------------------------------------------------------------------------------------------------------------

_STORY_PHASE = re.compile(r"User Stor(?:y|ies)|\bUS[0-9]|ユーザーストーリー|用户故事|使用者故事", re.IGNORECASE)


def _by_phase(written: Written) -> Mapping[int, Waits]:
    """Phases follow each other, those of user stories side by side: each follows the last phase before the first of them."""
    found: dict[int, Waits] = {}
    before: tuple[str, ...] = ()
    stories: list[str] = []
    members = _members(written.phases)
    for phase, indexes in members.items():
        is_story = _is_story(written, phase, indexes)
        start = before if is_story or not stories else tuple(stories)
        row = _Row(before=start)
        for index in indexes:
            waits = row.next(written.blocks[index])
            found[index] = (waits, "phase" if waits == start else "order")
        if is_story:
            stories += row.ends
        else:
            before, stories = row.ends, []
    return found


def _members(phases: Sequence[str]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for index, phase in enumerate(phases):
        members.setdefault(phase, []).append(index)
    return members


def _is_story(written: Written, phase: str, indexes: Sequence[int]) -> bool:
    labelled = any(reference.kind == "requires" for index in indexes for reference in written.blocks[index].references)
    return labelled or _STORY_PHASE.search(phase) is not None
