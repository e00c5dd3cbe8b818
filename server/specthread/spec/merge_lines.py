"""Two edits of a few lines: joined where they are apart, and where both are of entries of one list."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final, NamedTuple

Lines = tuple[str, ...]

MOST: Final = 40_000
"""How many pairs of lines are compared; above it, comparing them as lines is left to a program made for that."""


class _Edit(NamedTuple):
    first: int
    last: int
    lines: Lines


def woven(base: Lines, ours: Lines, theirs: Lines) -> Lines | None:
    """The lines with the changes of both sides; None where both changed the same ones, or neighbours that are not entries of one list."""
    head = _shared_head(base, ours, theirs)
    tail = _shared_head(*(each[head:][::-1] for each in (base, ours, theirs)))
    middle = tuple(each[head : len(each) - tail] for each in (base, ours, theirs))
    if len(middle[0]) * max(len(middle[1]), len(middle[2])) > MOST:
        return None
    joined = _joined(*middle)
    return None if joined is None else (*base[:head], *joined, *base[len(base) - tail :])


def _shared_head(*sides: Lines) -> int:
    """How many lines all of them begin with."""
    return next((index for index, each in enumerate(zip(*sides, strict=False)) if len(set(each)) > 1), min(map(len, sides)))


def _joined(base: Lines, ours: Lines, theirs: Lines) -> Lines | None:
    mine = _edits(base, ours)
    made = list(mine)
    for edit in _edits(base, theirs):
        near = [each for each in mine if each.first <= edit.last and edit.first <= each.last]
        if edit in near:
            continue
        if not all(_go_together(each, edit, base) for each in near):
            return None
        made.append(edit)
    result: list[str] = []
    done = 0
    for edit in sorted(made, key=lambda each: (each.first, each.last)):  # stable: ours stands first where both add in one place
        result += [*base[done : edit.first], *edit.lines]
        done = edit.last
    return (*result, *base[done:])


def _edits(base: Lines, side: Lines) -> list[_Edit]:
    changes = SequenceMatcher(None, base, side, autojunk=False).get_opcodes()
    return [_Edit(first, last, side[start:end]) for kind, first, last, start, end in changes if kind != "equal"]


def _go_together(one: _Edit, other: _Edit, base: Lines) -> bool:
    """Whether two changes that touch each other are of entries of one list, each a thing of its own."""
    overlap = max(one.first, other.first) < min(one.last, other.last)
    inside = one.first < other.first == other.last < one.last or other.first < one.first == one.last < other.last
    entries = [_ENTRY.match(line) for line in (*one.lines, *other.lines, *base[one.first : one.last], *base[other.first : other.last])]
    indents = {entry and entry["indent"] for entry in entries}
    return not overlap and not inside and len(indents) == 1 and None not in indents and _labels(one.lines).isdisjoint(_labels(other.lines))


def _labels(lines: Iterable[str]) -> set[str]:
    """The facts that these lines write down: a task has one list of each kind."""
    return {found[1] for line in lines if (found := _LABEL.match(line))}


_ENTRY: Final = re.compile(r"(?P<indent>[ \t]*)[-*+][ \t]")
_LABEL: Final = re.compile(r"[ \t]*[-*+][ \t]+\\?_([^_:]+):")
