"""The outline of a document: its sections, and in them requirements with criteria, tasks with subtasks, and properties."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from specthread.spec.design import sections_of
from specthread.spec.document import DESIGN, DocumentName, Span
from specthread.spec.properties import properties_of
from specthread.spec.source import Lines
from specthread.spec.spec import kind_of
from specthread.views.assist.explained import STATES
from specthread.views.assist.index import Index

EntryKind = Literal["section", "requirement", "criterion", "task", "group", "property"]
"""A group is a task with subtasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing of an outline with its lines, and the place that stands for it; what is in it lies within its lines."""

    kind: EntryKind
    name: str
    detail: str
    span: Span
    last: int
    parts: tuple["Entry", ...] = ()

    @property
    def line(self) -> int:
        """The line it begins on."""
        return self.span.line


def outline(index: Index, name: DocumentName) -> tuple[Entry, ...]:
    """What stands at the top of the outline of a document."""
    lines = index.lines(name)
    things = [*_requirements(index, name), *_tasks(index, name), *_properties(index, name)]
    taken = {each.line for each in things}
    inside = [(each.line, each.last) for each in things if each.kind == "requirement"]
    sections = [
        Entry(kind="section", name=each.title or "…", detail="", span=lines[each.line - 1].whole.below(each.line), last=each.last)
        for each in sections_of(lines)
        # Headings within a requirement (“Acceptance Criteria”) would only stand between it and its criteria.
        if each.line not in taken and not any(first < each.line <= last for first, last in inside)
    ]
    return _nested(sorted((*sections, *things), key=lambda each: (each.line, -each.last)))


def flat(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Entry | None]]:
    """Every entry of an outline with the one around it."""
    stack: list[tuple[Entry, Entry | None]] = [(each, None) for each in reversed(tuple(entries))]
    while stack:
        entry, around = stack.pop()
        yield entry, around
        stack += [(part, entry) for part in reversed(entry.parts)]


def _requirements(index: Index, name: DocumentName) -> Iterator[Entry]:
    read = index.spec.requirements.get(name)
    for requirement in read.requirements if read is not None else ():
        title = requirement.title if requirement.title == requirement.id else f"{requirement.id} {requirement.title}"
        count = len(requirement.criteria)
        detail = f"{count} criteri{'on' if count == 1 else 'a'}" if count else ""
        yield Entry(kind="requirement", name=title, detail=detail, span=requirement.id_span, last=requirement.last)
        for each in requirement.criteria:
            words = each.name or f"{each.id} {each.text.replace('**', '')}"
            yield Entry(
                kind="criterion", name=words, detail="", span=each.number_span, last=max(each.line, min(each.last, requirement.last))
            )


def _tasks(index: Index, name: DocumentName) -> Iterator[Entry]:
    if name != index.spec.tasks_name:
        return
    ends = task_ends(index)
    for position, task in enumerate(index.spec.tasks):
        done, leaves = index.progress[position]
        detail = STATES[task.state] if task.leaf else f"{done}/{leaves}"
        yield Entry(
            kind="task" if task.leaf else "group", name=f"{task.id} {task.title}", detail=detail, span=task.id_span, last=ends[position]
        )


def task_ends(index: Index) -> Sequence[int]:
    """For each task the last line of it and of the subtasks that stand right below it in the same section."""
    tasks = index.spec.tasks
    ends = [task.last for task in tasks]
    for position in range(len(tasks) - 1, -1, -1):
        above = index.parents[position]
        if above is not None and tasks[above].section == tasks[position].section:
            ends[above] = max(ends[above], ends[position])
    lines = index.lines(index.spec.tasks_name) if index.spec.tasks_name is not None else ()
    headings = [number for number, line in enumerate(lines, 1) if line.heading is not None]
    return [next((head - 1 for head in headings if task.line < head <= end), end) for task, end in zip(tasks, ends, strict=True)]


def _properties(index: Index, name: DocumentName) -> Iterator[Entry]:
    if kind_of(name) != DESIGN:
        return
    for each in properties_of(index.spec.sources[name]):
        detail = ", ".join(reference.written for reference in each.validates)
        yield Entry(kind="property", name=f"Property {each.id}: {each.title}", detail=detail, span=each.id_span, last=each.last)


class _Open(NamedTuple):
    entry: Entry
    parts: list[Entry]


def _nested(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries, sorted by where they begin, each in the innermost one around it; one that sticks out is cut."""
    top: list[Entry] = []
    around: list[_Open] = []

    def close() -> None:
        entry, parts = around.pop()
        (around[-1].parts if around else top).append(replace(entry, parts=tuple(parts)))

    for entry in entries:
        while around and around[-1].entry.last < entry.line:
            close()
        last = min(entry.last, around[-1].entry.last) if around else entry.last
        around.append(_Open(replace(entry, last=last), []))
    while around:
        close()
    return tuple(top)


def without_blank_end(lines: Lines, first: int, last: int) -> int:
    """The last line with text of a stretch of lines, or its first line."""
    while last > first and not lines[last - 1].text.strip():
        last -= 1
    return last
