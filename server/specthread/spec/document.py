"""What every reader in this package shares: places in a document, problems found there, and the changes that mend them.

Places are a line (from 1) and characters on it, so that what is known of one part of a document stays true while another part grows.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, NewType

Severity = Literal["error", "warning", "info"]
DocumentName = NewType("DocumentName", str)

REQUIREMENTS: Final = DocumentName("requirements")
DESIGN: Final = DocumentName("design")
TASKS: Final = DocumentName("tasks")
BUGFIX: Final = DocumentName("bugfix")


class Range(NamedTuple):
    """A half-open stretch of bytes of one document."""

    start: int
    end: int


class Span(NamedTuple):
    """Characters `start` to `end` (half-open) of a line; an undecodable byte counts as one character."""

    line: int
    start: int
    end: int

    def below(self, line: int) -> "Span":
        """The same place, where line 1 is this line of a document."""
        return Span(self.line + line - 1, self.start, self.end)

    def clipped(self, length: int) -> "Span":
        """The same place on a line of this length."""
        return self if self.end <= length else Span(self.line, min(self.start, length), length)


_TO_THE_END: Final = 2**31


def whole_line(line: int) -> Span:
    """All of a line, however long it is when somebody looks; `clipped` says where it ends."""
    return Span(line, 0, _TO_THE_END)


@dataclass(frozen=True, slots=True)
class Change:
    """The replacement of the text between two places, each a line (from 1) and a character; the end is not part of it."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str

    def below(self, line: int) -> "Change":
        """The same change, where line 1 is this line of a document."""
        return Change((self.start[0] + line - 1, self.start[1]), (self.end[0] + line - 1, self.end[1]), self.text)


@dataclass(frozen=True, slots=True)
class Fix:
    """A mechanical way to mend a problem, in the words of a menu."""

    title: str
    changes: tuple[Change, ...]


class Problem(NamedTuple):
    """One finding about a document, which is empty where only one was read."""

    code: str
    severity: Severity
    message: str
    span: Span
    document: str = ""
    fix: Fix | None = None

    @property
    def line(self) -> int:
        """The line it stands on, from 1."""
        return self.span.line

    def below(self, line: int, document: str) -> "Problem":
        """The same finding in a document where its line 1 is this line."""
        fix = self.fix and Fix(self.fix.title, tuple(change.below(line) for change in self.fix.changes))
        return Problem(self.code, self.severity, self.message, self.span.below(line), document, fix)


def squeezed(text: str) -> str:
    """The text with every run of white space read as one space."""
    return " ".join(text.split())
