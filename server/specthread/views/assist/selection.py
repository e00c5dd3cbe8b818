"""What a selection grows to, step by step: the word, the entry, the line, the block, the sections around, the document."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from specthread.spec.design import sections_of
from specthread.views.assist.index import Cursor, criterion_at, task_at
from specthread.views.assist.outline import task_ends

_WORD = re.compile(r"[^\W_]+")


class Area(NamedTuple):
    """The text between two places, each a line and a character; the end is not part of it."""

    start: tuple[int, int]
    end: tuple[int, int]


def selections(cursor: Cursor) -> tuple[Area, ...]:
    """The areas around a place, each larger than the one before; empty outside of the document."""
    if cursor.here is None:
        return ()
    place = (cursor.line, min(cursor.character, len(cursor.here.text)))
    found: list[Area] = []
    for area in sorted((each for each in _areas(cursor) if each.start <= place <= each.end), key=_size):
        if not found or (area != found[-1] and area.start <= found[-1].start and found[-1].end <= area.end):
            found.append(area)
    return tuple(found)


def _size(area: Area) -> tuple[int, int]:
    lines = area.end[0] - area.start[0]
    return (lines, area.end[1] - area.start[1] if lines == 0 else 0)


def _areas(cursor: Cursor) -> Iterator[Area]:
    lines = cursor.index.lines(cursor.name)
    text = lines[cursor.line - 1].text
    spans = [found.span() for found in _WORD.finditer(text)]
    spans += [each.span[1:] for each in cursor.index.occurrences_in(cursor.name) if each.span.line == cursor.line]
    spans += [(len(text) - len(text.lstrip()), len(text.rstrip())), (0, len(text))]
    yield from (Area((cursor.line, start), (cursor.line, end)) for start, end in spans if start <= end)
    for first, last in _blocks(cursor):
        yield Area((first, 0), (last, len(lines[last - 1].text)))


def _blocks(cursor: Cursor) -> Iterator[tuple[int, int]]:
    lines = cursor.index.lines(cursor.name)
    first = last = cursor.line
    while first > 1 and lines[first - 2].text.strip() and lines[first - 1].text.strip():
        first -= 1
    while last < len(lines) and lines[last].text.strip() and lines[last - 1].text.strip():
        last += 1
    yield first, last
    if criterion := criterion_at(cursor):
        yield criterion.line, criterion.last
    if task := task_at(cursor):
        yield task.line, task.last
    if cursor.name == cursor.index.spec.tasks_name:
        yield from ((each.line, end) for each, end in zip(cursor.index.spec.tasks, task_ends(cursor.index), strict=True))
    yield from ((each.line, each.last) for each in sections_of(lines))
    yield 1, len(lines)
