"""What can be folded away: sections, tasks with their detail, code, comments."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from specthread.spec.design import sections_of
from specthread.spec.document import DocumentName
from specthread.spec.marks import fence_run
from specthread.spec.source import Lines
from specthread.views.assist.index import Index
from specthread.views.assist.outline import task_ends, without_blank_end


class Fold(NamedTuple):
    """The lines from `first` to `last`, of which the first stays."""

    first: int
    last: int
    kind: Literal["section", "task", "code", "comment"]


def folds(index: Index, name: DocumentName) -> tuple[Fold, ...]:
    """What can be folded in a document, in order; nothing of a single line."""
    lines = index.lines(name)
    found = [Fold(each.line, without_blank_end(lines, each.line, each.last), "section") for each in sections_of(lines)]
    found += _hidden(lines)
    if name == index.spec.tasks_name:
        found += [Fold(task.line, end, "task") for task, end in zip(index.spec.tasks, task_ends(index), strict=True)]
    return tuple(sorted({each for each in found if each.last > each.first}))


def _hidden(lines: Lines) -> Iterator[Fold]:
    number = 0
    while number < len(lines):
        number += 1
        mark = lines[number - 1].mark
        if mark == "text":
            continue
        first = number
        fence = fence_run(lines[first - 1].text) if mark == "fence" else ""
        while number < len(lines) and _goes_on(lines, number, fence, first):
            number += 1
        yield Fold(first, number, "code" if mark == "fence" else "comment")


def _goes_on(lines: Lines, number: int, fence: str, first: int) -> bool:
    """Whether the line below this one belongs to what began on the first one."""
    here, below = lines[number - 1], lines[number]
    if here.mark == "fence":
        bare = here.text.strip()
        is_end = number > first and len(bare) >= len(fence) and bare == fence[:1] * len(bare)
        return below.mark == "fence" and not is_end
    if here.mark == "front":
        return below.mark == "front"
    return below.mark == "comment"
