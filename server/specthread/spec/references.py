"""Lists of ids as people write them: `1.1, 2.3-2.5`, `Requirements 3`, `R1 and R4`, `FR-2 (AC 2.1, 2.2)`, `User context for 1.1`."""

import re
from dataclasses import dataclass
from typing import Literal

from specthread.spec.document import Span
from specthread.spec.words import ALL, NOTHING

ReferenceKind = Literal["requires", "depends"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One entry of a reference list: as written, and the ids it stands for (none where it cannot be read).

    `is_all` is an entry that stands for everything there is.
    """

    kind: ReferenceKind
    written: str
    ids: tuple[str, ...]
    span: Span
    is_all: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether its ids are all that it can mean: each number in it is one of them, and what lies between the ends of a range is known."""
        numbers = _NUMBERS.findall(self.written)
        if len(numbers) > 1 and len(self.ids) == len(numbers):
            return _OR.search(self.written) is not None or _is_next(*self.ids[-2:])
        return bool(self.ids) and (len(self.ids) > len(numbers) or all(any(number in name for name in self.ids) for number in numbers))


def read_references(kind: ReferenceKind, text: str, span: Span) -> tuple[Reference, ...]:
    """The references on this stretch of a line with this text; `none` and its like stand for an empty list."""
    found: list[Reference] = []
    for first, last in _entries(text, span.start, span.end):
        written = text[first:last]
        folded = written.casefold()
        if folded in NOTHING:
            continue
        is_all = folded in ALL
        ids = () if is_all else ids_of(kind, written)
        found.append(Reference(kind=kind, written=written, ids=ids, span=Span(span.line, first, last), is_all=is_all))
    return tuple(found)


def ids_of(kind: ReferenceKind, written: str) -> tuple[str, ...]:
    """The ids one entry stands for; a range is spelled out where its ends share their prefix and lie within reason."""
    found = None if _COMPOUND.match(written) else _ENTRY[kind].fullmatch(written)
    if found is not None:
        first, last = found.group(1), found.group(2)
        return (first,) if last is None else _expanded(first, last)
    if kind == "depends":
        return tuple(dict.fromkeys(ticket.group(0) for ticket in _TICKET.finditer(written)))
    foreign = _FOREIGN.match(written)
    if foreign is not None:
        if foreign["rest"].startswith((".*", ".\\*")):
            return ()
        return tuple(dict.fromkeys((*_foreign(foreign), *_MORE.findall(_BRACKETS.sub("", foreign["rest"])))))
    return tuple(dict.fromkeys(_DOTTED.findall(written)))


_SEPARATOR = re.compile(r"[,;\u3001\uff0c\uff1b&/]|\band\b|[()\uff08\uff09]")
_LIST_OF_ANOTHER = re.compile(r"[;\uff1b][ \t]*(?:Design|设计|設計)[ \t]*[:\uff1a].*", re.IGNORECASE)
_AROUND = " \t[]`*\\_"
_ID = r"([0-9]{1,6}(?:\.[0-9]{1,6}){0,7}[A-Za-z]?)"
_TO = r"[ \t]*(?:[-\u2010-\u2015\u301c~\uff5e]|\.\.|\b[tT][oO]\b)[ \t]*"


def _entry(names: str) -> re.Pattern[str]:
    name = rf"(?:(?i:{names})[ \t]*#?[ \t]*)?"
    return re.compile(rf"{name}{_ID}(?:{_TO}{name}{_ID})?\.?(?:[ \t]*[(\uff08].*[)\uff09])?")


_ENTRY: dict[ReferenceKind, re.Pattern[str]] = {
    "requires": _entry("Requirements?|Criteri(?:on|a)|Reqs?\\.?|R|AC|要件|需求"),
    "depends": _entry("Tasks?|T(?![0-9]{3})|任务|任務|タスク"),
}
# `R1-AC4` is one criterion in a scheme of its own, and no range.
_TICKET = re.compile(r"\bT[0-9]{3,6}(?:\.[0-9]{1,4})*[A-Za-z]?\b")
_FOREIGN = re.compile(
    r"(?P<id>[A-Za-z]{1,8}[0-9]{0,4}(?:[- ]?[A-Za-z]{1,4})?-?[0-9]{1,6}(?:\.[0-9]{1,6})*[a-z]?)"
    r"(?:[ \t]*(?:[-\u2010-\u2015\u301c~\uff5e]|\.\.|\b[tT][oO]\b)[ \t]*(?:[A-Za-z-]*[A-Za-z-])?(?P<last>[0-9]{1,6})(?![0-9]|\.[0-9]))?(?P<rest>.*)"
)
_DOTTED = re.compile(r"(?<![\w.-])[0-9]{1,6}(?:\.[0-9]{1,6}){1,7}(?![\w.-]*[0-9])")
_COMPOUND = re.compile(r"(?P<letters>[A-Za-z]+)[0-9.]+-(?!(?P=letters)[0-9])[A-Za-z]+[0-9]")
_WILDCARD = re.compile(r"\.\\?\*(?!\*)")
_BRACKETS = re.compile(r"[(\uff08][^()\uff08\uff09]*[)\uff09]")
_MORE = re.compile(r"\b[A-Z]{1,8}-[0-9]{1,6}(?:\.[0-9]{1,6})*\b")
_TWO_PARTS = re.compile(r"([0-9]+)(?:\.([0-9]+))? ([0-9]+)\.([0-9]+)")
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")
_OR = re.compile(r"\d[ \t]*(?:\bor\b|\+)")
_LAST_NUMBER = re.compile(r"(.*?)([0-9]+)[^0-9]*")
_LONGEST_RANGE = 200


def _entries(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The stretches between separators; a comma inside brackets separates nothing."""
    cut = _LIST_OF_ANOTHER.search(text, start, end)
    end = cut.start() if cut else end
    bounds = [start]
    depth = 0
    for found in _SEPARATOR.finditer(text, start, end):
        if found[0] in "(\uff08":
            depth += 1
        elif found[0] in ")\uff09":
            depth = max(0, depth - 1)
        elif depth == 0 and not (found[0] == "/" and not text[found.end() : found.end() + 1].isdigit()):
            bounds += (found.start(), found.end())
    bounds.append(end)
    spans: list[tuple[int, int]] = []
    for first, last in zip(bounds[::2], bounds[1::2], strict=True):
        part = text[first:last]
        left = first + len(part) - len(part.lstrip(_AROUND))
        right = last - (len(part) - len(part.rstrip(_AROUND)))
        right = first + wildcard.end() if (wildcard := _WILDCARD.search(part)) else right
        if left < right:
            spans.append((left, right))
    return spans


def _expanded(first: str, last: str) -> tuple[str, ...]:
    prefix, dot, low = first.rpartition(".")
    upper_prefix, _, high = last.rpartition(".")
    if not (low.isdecimal() and high.isdecimal()):
        return (first, last)
    if upper_prefix and prefix != upper_prefix:
        return _across(first, last)
    if not 0 < int(high) - int(low) <= _LONGEST_RANGE:
        return (first, last)
    return tuple(f"{prefix}{dot}{number}" for number in range(int(low), int(high) + 1))


def _across(first: str, last: str) -> tuple[str, ...]:
    """A range from a criterion of one requirement to one of another: what lies whole between them is named whole."""
    ends = _TWO_PARTS.fullmatch(f"{first} {last}")
    if ends is None:
        return (first, last)
    start, low, end, high = (int(each or 1) for each in ends.groups())
    if not (0 < end - start <= _LONGEST_RANGE and 0 < high <= _LONGEST_RANGE):
        return (first, last)
    whole = map(str, range(start if low == 1 else start + 1, end))
    return tuple(dict.fromkeys((first, *whole, *(f"{end}.{number}" for number in range(1, high + 1)))))


def _is_next(one: str, other: str) -> bool:
    """Whether the second id follows the first one, so that a range between them has no middle."""
    first, last = _LAST_NUMBER.fullmatch(one), _LAST_NUMBER.fullmatch(other)
    return first is not None and last is not None and first[1] == last[1] and int(last[2]) == int(first[2]) + 1


def _foreign(found: re.Match[str]) -> tuple[str, ...]:
    """An id of another scheme, as written, and the rest of a range such as `R4-AC1〜AC6`."""
    name, last = found["id"], found["last"]
    stem = name.rstrip("0123456789")
    low = name[len(stem) :]
    if last is None or not low or not 0 < int(last) - int(low) <= _LONGEST_RANGE:
        return (name,)
    return tuple(f"{stem}{number:0{len(low)}}" for number in range(int(low), int(last) + 1))
