"""Lists of ids as people write them: `1.1, 2.3-2.5`, `Requirements 3`, `R1 and R4`."""

import re
from dataclasses import dataclass
from typing import Literal

from specthread.spec.document import Line, Range

ReferenceKind = Literal["requires", "depends"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One entry of a reference list: as written, and the ids it stands for (none where it cannot be read)."""

    kind: ReferenceKind
    written: str
    ids: tuple[str, ...]
    line: int
    range: Range


def read_references(kind: ReferenceKind, line: Line, start: int, end: int) -> tuple[Reference, ...]:
    """The references between two characters of a line; `none` and its like stand for an empty list."""
    found: list[Reference] = []
    for first, last in _entries(line.text, start, end):
        written = line.text[first:last]
        if written.casefold() not in _NOTHING:
            found.append(
                Reference(kind=kind, written=written, ids=ids_of(kind, written), line=line.number, range=line.span(first, last)),
            )
    return tuple(found)


def ids_of(kind: ReferenceKind, written: str) -> tuple[str, ...]:
    """The ids one entry stands for; a range is spelled out where its ends share their prefix and lie within reason."""
    found = _ENTRY[kind].fullmatch(written)
    if found is None:
        return ()
    first, last = found.group(1), found.group(2)
    return (first,) if last is None else _expanded(first, last)


_NOTHING = frozenset({"none", "n/a", "-", "\u2014"})
_SEPARATOR = re.compile(r"[,;\u3001\uff0c\uff1b&]|\band\b")
_AROUND = " \t[]`*\\"
_ID = r"([0-9]{1,6}(?:\.[0-9]{1,6}){0,7}[A-Za-z]?)"
_TO = r"[ \t]*(?:[-\u2013\u2014\u301c~\uff5e]|\.\.|\bto\b)[ \t]*"


def _entry(names: str) -> re.Pattern[str]:
    name = rf"(?:(?:{names})[ \t]*[-#]?[ \t]*)?"
    return re.compile(rf"{name}{_ID}(?:{_TO}{name}{_ID})?\.?", re.IGNORECASE)


_ENTRY: dict[ReferenceKind, re.Pattern[str]] = {"requires": _entry("Requirements?|Criteri(?:on|a)|Req|R"), "depends": _entry("Tasks?|T")}
_LONGEST_RANGE = 200


def _entries(text: str, start: int, end: int) -> list[tuple[int, int]]:
    bounds = [start - 1, *(found.start() for found in _SEPARATOR.finditer(text, start, end)), end]
    ends = [start, *(found.end() for found in _SEPARATOR.finditer(text, start, end))]
    spans: list[tuple[int, int]] = []
    for first, last in zip(ends, bounds[1:], strict=True):
        part = text[first:last]
        left = first + len(part) - len(part.lstrip(_AROUND))
        right = last - (len(part) - len(part.rstrip(_AROUND)))
        if left < right:
            spans.append((left, right))
    return spans


def _expanded(first: str, last: str) -> tuple[str, ...]:
    prefix, dot, low = first.rpartition(".")
    upper_prefix, _, high = last.rpartition(".")
    if prefix != upper_prefix or not (low.isdecimal() and high.isdecimal() and 0 < int(high) - int(low) <= _LONGEST_RANGE):
        return (first, last)
    return tuple(f"{prefix}{dot}{number}" for number in range(int(low), int(high) + 1))
