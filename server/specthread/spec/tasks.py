"""The tasks of a `tasks.md`: numbered check boxes, their detail, and the facts written under them.

The tree comes from the ids first and from the indent second. A leaf that names no dependency waits for what its dialect says, see `order.py`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from specthread.spec.boxes import TaskState
from specthread.spec.checkpoint import held_by_checkpoints
from specthread.spec.dialects import Dialect
from specthread.spec.document import Problem, Span, whole_line
from specthread.spec.order import DependsSource, Written, waits_of
from specthread.spec.references import Reference
from specthread.spec.rules import problem_at
from specthread.spec.source import Lines, Source, scan
from specthread.spec.task_block import REGRESSION, Meta, Run, TaskBlock, read_run
from specthread.spec.waves import Waves

__all__ = ["REGRESSION", "DependsSource", "Meta", "Task", "Tasks", "parse_tasks", "tasks_of"]


class Task(NamedTuple):
    """One numbered check box with what is written under it, at its place in a document.

    `detail` is the markdown below the box without the facts listed here and without its subtasks. `requires` holds criterion ids and, for a
    whole requirement, its id; a subtask does not repeat what its parent requires. `depends` of a leaf includes what the tasks above it name;
    `depends_source` is `none` for `_Depends: none_` and for a parent that names nothing. Several checks are joined by `&&`. `section` is the
    heading above, `meta` every labelled value, `references` each entry of an id list.
    """

    block: TaskBlock
    base: int
    """The line its block counts from."""
    parent: str | None
    leaf: bool
    depends: tuple[str, ...]
    depends_source: DependsSource
    section: str

    @property
    def id(self) -> str:
        """The number, as written."""
        return self.block.id

    @property
    def title(self) -> str:
        """The text of the box."""
        return self.block.title

    @property
    def detail(self) -> str:
        """What is written below, without facts and subtasks."""
        return self.block.detail

    @property
    def state(self) -> TaskState:
        """What its box says."""
        return self.block.state

    @property
    def state_raw(self) -> str:
        """The mark in its box."""
        return self.block.state_raw

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self.block.optional

    @property
    def line(self) -> int:
        """The line of its box."""
        return self.block.line + self.base - 1

    @property
    def last(self) -> int:
        """Its last line with text, subtasks not counted."""
        return self.block.last + self.base - 1

    @property
    def box(self) -> Span:
        """The character between the brackets."""
        return self.block.box.below(self.base)

    @property
    def id_span(self) -> Span:
        """The place of its number."""
        return self.block.id_span.below(self.base)

    @property
    def requires(self) -> tuple[str, ...]:
        """The ids it names."""
        return self.block.requires

    @property
    def requires_written(self) -> tuple[str, ...]:
        """The entries of its lists of requirements."""
        return self.block.requires_written

    @property
    def when(self) -> str | None:
        """The condition under which it is done."""
        return self.block.when

    @property
    def files(self) -> tuple[str, ...]:
        """Where it works."""
        return self.block.files

    @property
    def uses(self) -> tuple[str, ...]:
        """The resources it needs, as they are written."""
        return self.block.uses

    @property
    def role(self) -> str | None:
        """Who does it."""
        return self.block.role

    @property
    def check(self) -> str | None:
        """The command that verifies it."""
        return self.block.check

    @property
    def meta(self) -> tuple[Meta, ...]:
        """Every labelled value."""
        return tuple(replace(meta, span=meta.span.below(self.base)) for meta in self.block.meta)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Every entry of its lists of ids."""
        return tuple(replace(reference, span=reference.span.below(self.base)) for reference in self.block.references)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tasks:
    """The tasks in document order, what was found while reading them, and the graph that is written in the document.

    `runs` are the stretches they were read from, each with the line it starts at. `order` is the same object for two versions in which the same
    tasks wait for each other; `shape` for two that differ in words alone: no id, reference, box or line is another one.
    """

    tasks: tuple[Task, ...]
    problems: tuple[Problem, ...]
    graph: Waves | None
    lines: Lines
    runs: tuple[tuple[int, Run], ...]
    order: object
    shape: object


def parse_tasks(content: bytes, dialect: Dialect = "specthread") -> Tasks:
    """The tasks of the document; never raises, and reads nothing from fences, comments and front matter."""
    return tasks_of(scan(content), dialect)


def tasks_of(source: Source, dialect: Dialect = "specthread", before: Tasks | None = None) -> Tasks:
    """The tasks of a document already scanned; `before` makes it cheap, and changes nothing else."""
    if before is None:
        return _assembled(source, _runs(source.lines, 0, dialect, {}), dialect)
    if before.lines is source.lines:
        return before
    window = _window(source, before)
    if window is None:
        return _assembled(source, _runs(source.lines, 0, dialect, _known(before, before.runs)), dialect)
    first, last, start, end = window
    known = _known(before, before.runs[first:last])
    middle = _runs(source.lines[start:end], start, dialect, known)
    moved = len(source.lines) - len(before.lines)
    after = before.runs[last:] if not moved else tuple((base + moved, run) for base, run in before.runs[last:])
    runs = (*before.runs[:first], *middle, *after)
    return _grafted(source, before, runs, first, last) or _assembled(source, runs, dialect)


def _known(before: Tasks, runs: Sequence[tuple[int, Run]]) -> dict[Lines, Run]:
    return {before.lines[base - 1 : base - 1 + run.length]: run for base, run in runs}


def _window(source: Source, before: Tasks) -> tuple[int, int, int, int] | None:
    """The runs of the version before that an edit may have changed, and the lines that stand in their place now."""
    splice = source.splice
    if splice is None or splice.before is not before.lines or not before.runs:
        return None
    bases = [base for base, _ in before.runs]
    # The run above is read anew too: the first line of this one may no longer begin a run.
    first = max(0, bisect_right(bases, splice.first + 1) - 2)
    last = max(bisect_right(bases, splice.first + splice.removed), first + 1)
    end = bases[last] - 1 if last < len(bases) else len(before.lines)
    return first, last, bases[first] - 1, end + splice.added - splice.removed


def _runs(lines: Lines, offset: int, dialect: Dialect, known: Mapping[Lines, Run]) -> tuple[tuple[int, Run], ...]:
    """What is read from each run of these lines, which follow `offset` others; runs start at headings and at check boxes flush left."""
    starts = [index for index, line in enumerate(lines) if line.starts_run]
    if not starts or starts[0] != 0:
        starts.insert(0, 0)
    pieces = ((start, lines[start:end]) for start, end in zip(starts, [*starts[1:], len(lines)], strict=True))
    return tuple((offset + start + 1, known.get(piece) or read_run(piece, dialect)) for start, piece in pieces)


def _grafted(source: Source, before: Tasks, runs: tuple[tuple[int, Run], ...], first: int, last: int) -> Tasks | None:
    """The tasks of the version before with the blocks of some runs exchanged; None where they hang together differently."""
    old, new = before.runs[first:last], runs[first : last + len(runs) - len(before.runs)]
    if _structure(old) != _structure(new):
        return None
    start = sum(len(run.blocks) for _, run in before.runs[:first])
    blocks = [(block, base) for base, run in new for block in run.blocks]
    end = start + len(blocks)
    middle = (Task(block, base, *task[2:]) for task, (block, base) in zip(before.tasks[start:end], blocks, strict=True))
    moved = len(source.lines) - len(before.lines)
    after = before.tasks[end:] if not moved else (Task(task.block, task.base + moved, *task[2:]) for task in before.tasks[end:])
    tasks = (*before.tasks[:start], *middle, *after)
    same = not moved and _shape(old) == _shape(new)
    return Tasks(
        tasks=tasks,
        problems=before.problems if same else _problems(runs, tasks),
        graph=before.graph if same else _graph(runs),
        lines=source.lines,
        runs=runs,
        order=before.order,
        shape=before.shape if same else object(),
    )


def _structure(runs: Sequence[tuple[int, Run]]) -> list[object]:
    return [(run.title, run.waves and (run.waves.waves, run.waves.edges), [block.structure for block in run.blocks]) for _, run in runs]


def _shape(runs: Sequence[tuple[int, Run]]) -> list[object]:
    return [(base, run.problems, run.waves, [block.shape for block in run.blocks]) for base, run in runs]


def _problems(runs: Sequence[tuple[int, Run]], tasks: Sequence[Task]) -> tuple[Problem, ...]:
    return (*(problem.below(base, "") for base, run in runs for problem in run.problems), *_duplicates(tasks))


def _graph(runs: Sequence[tuple[int, Run]]) -> Waves | None:
    return next((replace(run.waves, line=run.waves.line + base - 1) for base, run in runs if run.waves), None)


def _assembled(source: Source, runs: tuple[tuple[int, Run], ...], dialect: Dialect) -> Tasks:
    blocks = [block for _, run in runs for block in run.blocks]
    bases = [base for base, run in runs for _ in run.blocks]
    sections, phases = _sections(runs, dialect)
    parents = _parents(blocks)
    with_children = set(parents)
    leaves = [index not in with_children for index in range(len(blocks))]
    graph = _graph(runs)
    written = Written(blocks=blocks, parents=parents, leaves=leaves, phases=phases)
    waits = held_by_checkpoints(written, waits_of(written, dialect, graph), dialect, graph)
    tasks = tuple(
        Task(block, base, None if parent is None else blocks[parent].id, leaf, depends, source_of, section)
        for block, base, parent, leaf, (depends, source_of), section in zip(blocks, bases, parents, leaves, waits, sections, strict=True)
    )
    return Tasks(tasks=tasks, problems=_problems(runs, tasks), graph=graph, lines=source.lines, runs=runs, order=object(), shape=object())


_PHASE = re.compile(r"(?:Phase|阶段|階段|フェーズ|단계|Fase|Фаза|Этап)\b|第.{1,3}(?:阶段|階段)|Phase[0-9]", re.IGNORECASE)


def _sections(runs: Sequence[tuple[int, Run]], dialect: Dialect) -> tuple[list[str], list[str]]:
    """Per task the heading above it, and the phase it belongs to: spec-kit has headings inside phases."""
    sections: list[str] = []
    phases: list[str] = []
    section = phase = ""
    for _, run in runs:
        if run.title is not None:
            section = run.title
            if dialect != "spec-kit" or _PHASE.match(section):
                phase = section
        sections += [section] * len(run.blocks)
        phases += [phase] * len(run.blocks)
    return sections, phases


def _parents(blocks: Sequence[TaskBlock]) -> list[int | None]:
    """Per block the index of its parent: always an earlier block, so the tree has no cycle."""
    latest: dict[str, int] = {}
    around: list[int] = []
    parents: list[int | None] = []
    for index, block in enumerate(blocks):
        while around and blocks[around[-1]].indent >= block.indent:
            around.pop()
        parent = None
        if "." in block.id and not block.id.startswith("T"):
            parent = next((latest[prefix] for prefix in _prefixes(block.id) if prefix in latest), around[-1] if around else None)
        parents.append(parent)
        latest[block.id] = index
        around.append(index)
    return parents


def _prefixes(task_id: str) -> Iterator[str]:
    prefix = task_id.rpartition(".")[0]
    while prefix:
        yield prefix
        prefix = prefix.rpartition(".")[0]


def _duplicates(tasks: Sequence[Task]) -> Iterator[Problem]:
    if len({task.block.id for task in tasks}) == len(tasks):
        return
    seen: set[str] = set()
    for task in tasks:
        if task.id in seen:
            message = f"Task {task.id} exists twice. Give this one a number of its own."
            yield problem_at("task/duplicate-id", message, whole_line(task.line))
        seen.add(task.id)
