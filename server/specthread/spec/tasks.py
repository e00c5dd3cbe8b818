"""The tasks of a `tasks.md`: numbered check boxes, their detail, and the facts written under them.

The tree comes from the ids first and from the indent second. A leaf that names no dependency waits for the mandatory leaf before it.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from specthread.spec.boxes import STATES, Box, TaskState, read_box
from specthread.spec.document import Line, Problem, Range, heading_of, scan_lines
from specthread.spec.facts import KNOWN, Fact, read_facts
from specthread.spec.references import Reference, read_references
from specthread.spec.rules import problem, problem_at

DependsSource = Literal["explicit", "wave", "phase", "order", "none"]

REGRESSION: Final = "regression"
"""The check of a task that changes nothing a test sees: the project's own check, green before and after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """One labelled value under a task, whether or not the label means something to us; the label is in lower case."""

    label: str
    value: str
    line: int
    range: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One numbered check box with what is written under it.

    `detail` is the markdown below the box without the facts listed here and without its subtasks. `range` is the box with its detail,
    `box` the one character between the brackets. `requires` holds criterion ids and, for a whole requirement, its id; a subtask does not
    repeat what its parent requires. `depends` of a leaf includes what the tasks above it name; `depends_source` is `none` for
    `_Depends: none_` and for a parent that names nothing. Several checks are joined by `&&`. `section` is the heading above, `meta` every
    labelled value, `references` each entry of an id list.
    """

    id: str
    parent: str | None
    title: str
    detail: str
    state: TaskState
    state_raw: str
    optional: bool
    line: int
    range: Range
    box: Range
    requires: tuple[str, ...]
    requires_written: tuple[str, ...]
    depends: tuple[str, ...]
    depends_source: DependsSource
    when: str | None
    files: tuple[str, ...]
    role: str | None
    check: str | None
    leaf: bool
    section: str = ""
    meta: tuple[Meta, ...] = ()
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """The tasks in document order, and what was found while reading them."""

    tasks: tuple[Task, ...]
    problems: tuple[Problem, ...]


def parse_tasks(content: bytes) -> Tasks:
    """The tasks of the document; never raises, and reads nothing from fences, comments and front matter."""
    return tasks_of(scan_lines(content))


def tasks_of(lines: Sequence[Line]) -> Tasks:
    """The tasks of a document already scanned."""
    blocks, problems = _blocks(lines)
    parents = _parents(blocks)
    with_children = {parent for parent in parents if parent is not None}
    tasks = [
        _task(block, parent=None if parent is None else blocks[parent].id, leaf=index not in with_children)
        for index, (block, parent) in enumerate(zip(blocks, parents, strict=True))
    ]
    return Tasks(tasks=tuple(_in_order(tasks, parents)), problems=(*problems, *_duplicates(blocks)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A task's line, the lines under it that belong to it alone, and the heading it stands under."""

    id: str
    box: Box
    head: Line
    body: list[Line]
    section: str


def _blocks(lines: Sequence[Line]) -> tuple[list[_Block], list[Problem]]:
    blocks: list[_Block] = []
    problems: list[Problem] = []
    current: _Block | None = None
    section = ""
    blank_before = True
    for line in lines:
        box = read_box(line)
        if box is not None and box.id is not None:
            current = _Block(id=box.id, box=box, head=line, body=[], section=section)
            blocks.append(current)
            problems += _unknown_mark(box, line)
        elif (heading := heading_of(line)) is not None:
            current, section = None, heading.title
        elif box is not None and (current is None or box.indent <= current.box.indent):
            current = None
            problems += _unnumbered(box, line)
        elif blank_before and _starts_paragraph(line):
            current = None
        elif current is not None:
            current.body.append(line)
        blank_before = not line.text.strip()
    return blocks, problems


def _starts_paragraph(line: Line) -> bool:
    return bool(line.text) and line.text[0] not in " \t" and not line.hidden and _BULLET.match(line.text) is None


_BULLET = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)")


def _unknown_mark(box: Box, line: Line) -> list[Problem]:
    if box.raw in STATES:
        return []
    message = f"The mark “{box.raw}” has no meaning here, so the task counts as not started. Use a space, “x”, “-” or “~”."
    return [problem_at("task/unknown-mark", message, line.number, line.span(box.mark, box.mark + 1))]


def _unnumbered(box: Box, line: Line) -> list[Problem]:
    if box.indent:
        return []
    message = "This check box has no number, so it is not a task. Write a number such as “4.” in front of its text, or use a plain bullet."
    return [problem("task/no-id", message, line)]


def _parents(blocks: Sequence[_Block]) -> list[int | None]:
    """Per block the index of its parent: always an earlier block, so the tree has no cycle."""
    latest: dict[str, int] = {}
    around: list[int] = []
    parents: list[int | None] = []
    for index, block in enumerate(blocks):
        while around and blocks[around[-1]].box.indent >= block.box.indent:
            around.pop()
        parent = next((latest[prefix] for prefix in _prefixes(block.id) if prefix in latest), None)
        if parent is None and "." in block.id and around:
            parent = around[-1]
        parents.append(parent)
        latest[block.id] = index
        around.append(index)
    return parents


def _prefixes(task_id: str) -> Iterator[str]:
    prefix = task_id.rpartition(".")[0]
    while prefix:
        yield prefix
        prefix = prefix.rpartition(".")[0]


def _task(block: _Block, *, parent: str | None, leaf: bool) -> Task:
    facts = tuple(read_facts(block.body))
    references = tuple(_references(facts))
    depends = _ids(reference for reference in references if reference.kind == "depends")
    checks = _values(facts, "check")
    end = next((line.range.end for line in reversed(block.body) if line.text.strip()), block.head.range.end)
    return Task(
        id=block.id,
        parent=parent,
        title=block.box.text,
        detail=_detail(block.body, facts),
        state=STATES.get(block.box.raw, "todo"),
        state_raw=block.box.raw,
        optional=block.box.optional,
        line=block.head.number,
        range=Range(block.head.range.start, end),
        box=block.head.span(block.box.mark, block.box.mark + 1),
        requires=_ids(reference for reference in references if reference.kind == "requires"),
        requires_written=tuple(reference.written for reference in references if reference.kind == "requires"),
        depends=depends,
        depends_source=_depends_source(facts, references, leaf=leaf),
        when=next(iter(_values(facts, "when")), None),
        files=tuple(_listed(facts, "files")),
        role=next(iter(_values(facts, "role")), None),
        check=" && ".join(check for check in checks if check != REGRESSION) or (REGRESSION if checks else None),
        leaf=leaf,
        section=block.section,
        meta=tuple(Meta(label=fact.label, value=fact.value, line=fact.line.number, range=fact.range) for fact in facts),
        references=references,
    )


def _references(facts: Iterable[Fact]) -> Iterator[Reference]:
    for fact in facts:
        if fact.label in {"requirements", "requirement", "validates"}:
            yield from read_references("requires", fact.line, fact.start, fact.end)
        elif fact.label == "depends":
            yield from read_references("depends", fact.line, fact.start, fact.end)


def _ids(references: Iterable[Reference]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(task_id for reference in references for task_id in reference.ids))


def _depends_source(facts: Iterable[Fact], references: Iterable[Reference], *, leaf: bool) -> DependsSource:
    if any(reference.kind == "depends" for reference in references):
        return "explicit"
    says_none = any(fact.label == "depends" for fact in facts)
    return "none" if says_none or not leaf else "order"


def _bare(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] == "`" and "`" not in value[1:-1]
    return value[1:-1].strip() if quoted else value


def _values(facts: Iterable[Fact], label: str) -> list[str]:
    values: list[str] = []
    for fact in facts:
        if fact.label == label and fact.continued and values:
            values[-1] = f"{values[-1]} {fact.value}"
        elif fact.label == label and fact.value:
            values.append(fact.value)
    return [_bare(value) for value in values]


def _listed(facts: Iterable[Fact], label: str) -> Iterator[str]:
    for fact in facts:
        if fact.label == label:
            entries = (_bare(entry.strip()) for entry in _bare(fact.value).split(","))
            yield from (entry for entry in entries if entry)


def _detail(body: Iterable[Line], facts: Iterable[Fact]) -> str:
    told = {fact.line.number for fact in facts if fact.label in KNOWN}
    kept = [line.text for line in body if not line.in_comment and line.number not in told]
    return textwrap.dedent("\n".join(kept)).strip("\n")


def _in_order(tasks: Sequence[Task], parents: Sequence[int | None]) -> Iterator[Task]:
    """The tasks with all that their leaves wait for.

    A leaf waits for what it and the tasks above it name. One that names nothing waits for the leaf before it, inside the nearest
    task above that names something; optional leaves are passed over, since they may never be done.
    """
    previous: int | None = None
    for index, task in enumerate(tasks):
        if not task.leaf:
            yield task
            continue
        deciding = [above for above in _above(index, parents) if _names_depends(tasks[above])]
        inherited = [name for above in deciding for name in tasks[above].depends]
        own, source = task.depends, task.depends_source
        if source == "order" and previous is not None and (not deciding or deciding[0] in _above(previous, parents)):
            own = (tasks[previous].id,)
        elif (source == "order" and deciding) or inherited:
            source = "explicit" if inherited else "none"
        yield replace(task, depends=tuple(dict.fromkeys((*own, *inherited))), depends_source=source) if own or deciding else task
        previous = previous if task.optional else index


def _names_depends(task: Task) -> bool:
    return any(meta.label == "depends" for meta in task.meta)


def _above(index: int, parents: Sequence[int | None]) -> Iterator[int]:
    above = parents[index]
    while above is not None:
        yield above
        above = parents[above]


def _duplicates(blocks: Iterable[_Block]) -> Iterator[Problem]:
    seen: set[str] = set()
    for block in blocks:
        if block.id in seen:
            yield problem("task/duplicate-id", f"Task {block.id} exists twice. Give this one a number of its own.", block.head)
        seen.add(block.id)
