"""Facts written under a task as `_Label: value_` or, for property tests, `**Validates: Requirements 1.2**`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from specthread.spec.document import Line, Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A label in lower case, its value, and the characters of the line where the value stands.

    A value wrapped over several lines is one fact per line, all but the first `continued`.
    """

    label: str
    value: str
    line: Line
    start: int
    end: int
    continued: bool = False

    @property
    def range(self) -> Range:
        """The bytes of the value."""
        return self.line.span(self.start, self.end)


KNOWN: Final = frozenset({"requirements", "requirement", "validates", "depends", "when", "files", "role", "check"})


def read_facts(lines: Sequence[Line]) -> Iterator[Fact]:
    """The facts on these lines, several on one line where they follow each other; the closing underscore may be missing."""
    carried = ""
    for index, line in enumerate(lines):
        found = list(_facts_of(line))
        yield from found
        if found:
            closed = line.text.rstrip().endswith(("_", "**"))
            carried = "" if closed or not _wraps(lines, index) else found[-1].label
        elif carried:
            yield _continuation(carried, line)
            carried = "" if line.text.rstrip().endswith("_") else carried


_LONGEST_WRAP = 12
_VALIDATES = re.compile(r"[ \t]*(?:[-*+][ \t]+)?\*\*Validates:(?:\*\*)?[ \t]*(?P<value>[^*]*)(?:\*\*)?[ \t]*", re.IGNORECASE)
_LABEL = re.compile(r"[ \t]*(?:[-*+][ \t]+)?\\?_(?P<label>[A-Za-z][A-Za-z ]{0,30}):[ \t]*")
_NEXT = re.compile(r"\\?_[ \t]+\\?_(?P<label>[A-Za-z][A-Za-z ]{0,30}):[ \t]*")
_ITEM = re.compile(r"[ \t]*(?:[-*+][ \t]|[0-9]+[.)][ \t]|#|$)")


def _facts_of(line: Line) -> Iterator[Fact]:
    if line.hidden or ":" not in line.text:
        return
    if bold := _VALIDATES.fullmatch(line.text):
        value = bold["value"].rstrip()
        yield Fact(label="validates", value=value, line=line, start=bold.start("value"), end=bold.start("value") + len(value))
        return
    found = _LABEL.match(line.text)
    while found is not None:
        following = _NEXT.search(line.text, found.end())
        value = line.text[found.end() : following.start()] if following else _closed(line.text[found.end() :])
        yield Fact(label=found["label"].casefold(), value=value, line=line, start=found.end(), end=found.end() + len(value))
        found = following


def _closed(text: str) -> str:
    # A value may end in an underscore of its own (`tests/a_`), so exactly one is taken off.
    return text.rstrip().removesuffix("_").removesuffix("\\").rstrip()


def _wraps(lines: Sequence[Line], index: int) -> bool:
    """Whether the value left open on this line is closed by one of the plain lines right below."""
    for line in lines[index + 1 : index + 1 + _LONGEST_WRAP]:
        if line.hidden or _ITEM.match(line.text) or _LABEL.match(line.text):
            return False
        if line.text.rstrip().endswith("_"):
            return True
    return False


def _continuation(label: str, line: Line) -> Fact:
    start = len(line.text) - len(line.text.lstrip())
    value = _closed(line.text[start:])
    return Fact(label=label, value=value, line=line, start=start, end=start + len(value), continued=True)
