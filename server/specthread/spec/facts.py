"""Facts written under a task as `_Label: value_` or, for property tests, `**Validates: Requirements 1.2**`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from specthread.spec.document import Span
from specthread.spec.source import Line
from specthread.spec.words import COLON, DEPENDS_LABELS, REQUIREMENT_LABELS, VALIDATES_LABELS, any_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A label in lower case, its value, and where the value stands; translated labels are told in English.

    A value wrapped over several lines is one fact per line, all but the first `continued`.
    """

    label: str
    value: str
    text: str
    span: Span
    continued: bool = False


KNOWN: Final = frozenset({"requirements", "validates", "depends", "when", "files", "role", "check", "uses"})


def read_facts(lines: Sequence[Line], first: int = 1) -> Iterator[Fact]:
    """The facts on these lines, of which the first has this number; several on one line, and the closing underscore may be missing."""
    carried = ""
    for index, line in enumerate(lines):
        found = list(_facts_of(line, first + index))
        yield from found
        if found:
            closed = line.text.rstrip().endswith("**") or _CLOSE.search(line.text) is not None
            carried = "" if closed or not _wraps(lines, index) else found[-1].label
        elif carried:
            yield _continuation(carried, line, first + index)
            carried = "" if line.text.rstrip().endswith("_") else carried


_LONGEST_WRAP = 12
_CLOSE = re.compile(r"\\?_(?=(?P<rest>\W*))(?P=rest)$")
_WORD_IN_FRONT = re.compile(r"(?:Requirements?|Criteria)[ \t]+(?=[^,]*[0-9])", re.IGNORECASE)
_ENGLISH: Final = {
    **{word.casefold(): "requirements" for word in REQUIREMENT_LABELS},
    **{word.casefold(): "validates" for word in VALIDATES_LABELS},
    **{word.casefold(): "depends" for word in DEPENDS_LABELS},
}
_NAME = r"(?P<label>[^\W\d_][^\W_]*(?:[ \t-][^\W_]+){0,4})"
_BULLET = r"[ \t]*(?:[-*+][ \t]+)?"
_BOLD = re.compile(
    rf"{_BULLET}\*\*(?P<label>{any_of((*VALIDATES_LABELS, *REQUIREMENT_LABELS))})(?:\*\*)?{COLON}(?:\*\*)?[ \t]*(?P<value>[^*]*)(?:\*\*)?[ \t]*",
    re.IGNORECASE,
)
_BARE = re.compile(rf"[ \t]*[-*+][ \t]+(?P<label>{any_of(REQUIREMENT_LABELS)})[ \t]*{COLON}[ \t]*(?P<value>.*)", re.IGNORECASE)
_INLINE = re.compile(r"_\((?P<label>Req(?:uirement)?s?)\.?:?[ \t]+(?P<value>[^()_]*)\)_", re.IGNORECASE)
_LABEL = re.compile(rf"{_BULLET}\\?_{_NAME}{COLON}[ \t]*")
_NEXT = re.compile(rf"\\?_[ \t]+\\?_{_NAME}{COLON}[ \t]*")
_ITEM = re.compile(r"[ \t]*(?:[-*+][ \t]|[0-9]+[.)][ \t]|#|$)")


def _facts_of(line: Line, number: int) -> Iterator[Fact]:
    text = line.text
    if line.hidden or (":" not in text and "\uff1a" not in text):
        return
    if "_" not in text and "**" not in text:
        if (bare := _BARE.fullmatch(text)) and any(char.isdigit() for char in bare["value"]):
            yield _fact(line, number, bare["label"], bare.start("value"), bare.end("value"))
        return
    if "**" in text and (bold := _BOLD.fullmatch(text)):
        yield _fact(line, number, bold["label"], bold.start("value"), bold.end("value"))
        return
    found = _LABEL.match(text)
    while found is not None:
        following = _NEXT.search(text, found.end())
        end = following.start() if following else found.end() + len(_closed(text[found.end() :]))
        yield _fact(line, number, found["label"], found.end(), end)
        found = following


def inline_facts(line: Line) -> Iterator[Fact]:
    """The references in a task's own line, `_(Req 1, 3)_`."""
    if "_(" in line.text:
        for found in _INLINE.finditer(line.text):
            yield _fact(line, 1, "requirements", found.start("value"), found.end("value"))


def _fact(line: Line, number: int, label: str, start: int, end: int) -> Fact:
    value = line.text[start:end].rstrip()
    label = squeezed_label(label)
    return Fact(label=_ENGLISH.get(label, label), value=value, text=line.text, span=Span(number, start, start + len(value)))


def listed_on(fact: Fact) -> Span:
    """The place of the entries of a list of ids: in `Validates: Requirements 1.2` the word in front is part of the label."""
    word = _WORD_IN_FRONT.match(fact.value) if fact.label == "validates" else None
    return fact.span if word is None else fact.span._replace(start=fact.span.start + word.end())


def squeezed_label(label: str) -> str:
    """The label in lower case with single blanks."""
    return " ".join(label.casefold().split())


def _closed(text: str) -> str:
    # A value may end in an underscore of its own (`tests/a_`), so exactly one is taken off.
    # What stands behind it, such as a sign that somebody put there, is none of it.
    found = _CLOSE.search(text)
    return (text[: found.start()] if found else text).rstrip()


def _wraps(lines: Sequence[Line], index: int) -> bool:
    """Whether the value left open on this line is closed by one of the plain lines right below."""
    for line in lines[index + 1 : index + 1 + _LONGEST_WRAP]:
        if line.hidden or _ITEM.match(line.text) or _LABEL.match(line.text):
            return False
        if line.text.rstrip().endswith("_"):
            return True
    return False


def _continuation(label: str, line: Line, number: int) -> Fact:
    start = len(line.text) - len(line.text.lstrip())
    value = _closed(line.text[start:])
    return Fact(label=label, value=value, text=line.text, span=Span(number, start, start + len(value)), continued=True)
