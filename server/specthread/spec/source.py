"""A document as lines that every reader shares, and how the next version of it is read at the price of what changed.

Theory of operation. A `Line` is compared by identity and knows nothing of its place. `scan` takes the version before: the lines outside
the stretch that differs are the same objects. Readers work on runs of lines (a task with its detail, a requirement with its criteria) through
`Source.read`, which remembers what a reader made of the same run in the version before. So reading a document anew *is* the incremental
way, and both give the same by construction; nothing is told what was edited.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Final, NamedTuple, TypeVar

from specthread.spec.document import Change, Range, Span
from specthread.spec.marks import Mark, fence_run, is_plain, marks_of
from specthread.spec.recall import Recall

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_Made = TypeVar("_Made")


class Heading(NamedTuple):
    """A `#` heading: its level and its text."""

    level: int
    title: str


@dataclass(slots=True, eq=False)
class Line:
    """One line without byte order mark and ending; undecodable bytes are kept as surrogate escapes. Compared by identity.

    Nobody writes to one; it is not frozen because making it would take four times as long, and a document is mostly lines.
    """

    text: str
    ending: str
    mark: Mark
    heading: Heading | None
    starts_run: bool
    """Whether it is a heading or a check box flush left: nothing above can change how it and what follows are read."""

    @property
    def hidden(self) -> bool:
        """Whether nothing on this line may be read as structure: code with its fences, comments, front matter."""
        return self.mark != "text"

    @property
    def is_generated(self) -> bool:
        """Whether the line was written by the daemon: it consists of one `<!-- specthread:… -->` and nothing else."""
        return self.mark != "fence" and "<!--" in self.text and _GENERATED.fullmatch(self.text.strip()) is not None

    @property
    def whole(self) -> Span:
        """All of the line, as line 1."""
        return Span(1, 0, len(self.text))


Lines = tuple[Line, ...]


class Splice(NamedTuple):
    """How the lines came from those of the version before: from index `first` on, `removed` of its lines were exchanged for `added` ones."""

    before: Lines
    first: int
    removed: int
    added: int


@dataclass(frozen=True, eq=False)
class Source:
    """One version of a document. The lines tile it: together they are its content, byte for byte.

    `opener` is the first line that opens a code fence nobody closes.
    """

    content: bytes
    lines: Lines
    opener: Line | None = None
    splice: Splice | None = None
    recall: Recall = field(default_factory=Recall, repr=False)

    def read(self, reader: Callable[[Lines], _Made], lines: Lines) -> _Made:
        """What the reader, a pure function, makes of these lines; it is only called for a run that the version before did not have."""
        return self.recall((reader, lines), lambda: reader(lines))

    @cached_property
    def offsets(self) -> Sequence[int]:
        """The byte each line starts at, and behind the last line the length of the document."""
        start = len(BYTE_ORDER_MARK) if self.content.startswith(BYTE_ORDER_MARK) else 0
        return list(accumulate((_size(line.text) + len(line.ending) for line in self.lines), initial=start))

    def offset(self, line: int, character: int) -> int:
        """The byte of a place; the line behind the last one is the end of the document."""
        if line > len(self.lines):
            return len(self.content)
        return self.offsets[line - 1] + _size(self.lines[line - 1].text[:character])

    def range(self, span: Span) -> Range:
        """The bytes of a place."""
        return Range(self.offset(span.line, span.start), self.offset(span.line, span.end))

    def changed(self, changes: Iterable[Change]) -> bytes:
        """The content with all changes made; they refer to it as it is, in any order. Overlapping ones raise ValueError."""
        return apply_edits(self.content, (self.edit(change) for change in changes))

    def edit(self, change: Change) -> "Edit":
        """The change as bytes; a line break in its text becomes the one the document uses."""
        text = change.text.replace("\n", self.ending) if self.ending != "\n" else change.text
        return Edit(Range(self.offset(*change.start), self.offset(*change.end)), text.encode("utf-8", "surrogateescape"))

    @property
    def unclosed_fence(self) -> int | None:
        """The index of the first line that opens a code fence nobody closes."""
        return None if self.opener is None else self.lines.index(self.opener)

    @cached_property
    def ending(self) -> str:
        r"""The line ending the document uses, that of its first line; `\n` where it has none."""
        return self.lines[0].ending or "\n" if self.lines else "\n"


@dataclass(frozen=True, slots=True)
class Edit:
    """The replacement of one stretch of bytes."""

    range: Range
    replacement: bytes


def apply_edits(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The document with all edits made; ranges refer to it as given, in any order. Overlapping ranges raise ValueError."""
    pieces: list[bytes] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: edit.range):
        if edit.range.start < done:
            raise ValueError(f"The edits overlap at byte {edit.range.start}.")
        pieces += (content[done : edit.range.start], edit.replacement)
        done = edit.range.end
    return b"".join((*pieces, content[done:]))


def scan(content: bytes, before: Source | None = None) -> Source:
    r"""The document's lines; never raises. `\n`, `\r\n` and a lone `\r` all end a line. `before` makes it cheap, and changes nothing else."""
    if before is None:
        return _source(content, {}, Recall())
    if content == before.content:
        return before
    recall = Recall(before.recall)
    if (spliced := _spliced(content, before)) is not None:
        lines, splice = spliced
        return Source(content, lines, before.opener, splice, recall)
    return _source(content, {(line.text, line.ending, line.mark): line for line in before.lines}, recall)


_DEEPEST_HEADING = 6
_BULLETS: Final = frozenset("-*+")
_FLUSH_BOX = re.compile(r"[-*+][ \t]+\[.\]")
_GENERATED = re.compile(r"<!--[ \t]*specthread:(?:(?!--).)*-->")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def _source(content: bytes, known: dict[tuple[str, str, Mark], Line], recall: Recall) -> Source:
    lines = _scanned(content, known)
    fenced = b"```" in content or b"~~~" in content
    opener = next((line for line in lines if not line.hidden and fence_run(line.text)), None) if fenced else None
    return Source(content, lines, opener, None, recall)


def _scanned(content: bytes, known: dict[tuple[str, str, Mark], Line]) -> Lines:
    pieces = _pieces(content.removeprefix(BYTE_ORDER_MARK))
    if not known and not any(sign in content for sign in _SIGNS):
        return tuple(_line(text, end, "text") for text, end in pieces)
    marks = marks_of([text for text, _ in pieces])
    return tuple(known.get((text, end, mark)) or _line(text, end, mark) for (text, end), mark in zip(pieces, marks, strict=True))


_SIGNS: Final = (b"```", b"~~~", b"--")
"""One of these stands in every document that has a fence, a comment or front matter."""


def _pieces(content: bytes) -> list[tuple[str, str]]:
    if b"\r" not in content:
        texts = content.decode("utf-8", "surrogateescape").split("\n")
        last = texts.pop()
        return [*((text, "\n") for text in texts), *([(last, "")] if last else [])]
    pieces = []
    for piece in content.splitlines(keepends=True):
        body = piece.rstrip(b"\r\n")
        pieces.append((body.decode("utf-8", "surrogateescape"), piece[len(body) :].decode("ascii")))
    return pieces


def _line(text: str, ending: str, mark: Mark) -> Line:
    heading = _heading(text) if mark == "text" and "#" in text else None
    is_box = mark == "text" and text[:1] in _BULLETS and _FLUSH_BOX.match(text) is not None
    return Line(text, ending, mark, heading, heading is not None or is_box)


def _heading(text: str) -> Heading | None:
    text = text.strip()
    title = text.lstrip("#")
    level = len(text) - len(title)
    if not 0 < level <= _DEEPEST_HEADING or (title and title[0] not in " \t"):
        return None
    closed = title.rstrip("#")
    return Heading(level, (closed if closed.endswith((" ", "\t")) else title).strip())


def _spliced(content: bytes, before: Source) -> tuple[Lines, Splice] | None:
    """The lines of the version before with those that differ exchanged; None where a fence, a comment or the head may be concerned."""
    old = before.content
    if not before.lines or _has_lone_return(old) or _has_lone_return(content):
        return None
    start = old.rfind(b"\n", 0, _shared_prefix(old, content)) + 1
    first = old.count(b"\n", 0, start)
    same = min(_shared_suffix(old, content), min(len(old), len(content)) - start)
    at = old.find(b"\n", len(old) - same)
    rest = old[at + 1 :] if at >= 0 else b""
    kept = rest.count(b"\n") + (1 if rest and not rest.endswith(b"\n") else 0)
    last = len(before.lines) - kept
    mark = _mark_around(before.lines, first, last)
    # A byte order mark is no part of the first line, and a rule there may begin front matter.
    if mark is None or before.lines[0].text.startswith("---") or (first == 0 and _has_head(old, content)):
        return None
    added = _pieces(content[start : len(content) - len(rest)])
    if not all(is_plain(line.text) for line in before.lines[first:last]) or not all(is_plain(text) for text, _ in added):
        return None
    lines = (*before.lines[:first], *(_line(text, ending, mark) for text, ending in added), *before.lines[last:])
    return lines, Splice(before.lines, first, last - first, len(added))


def _has_head(*contents: bytes) -> bool:
    return any(content.startswith((BYTE_ORDER_MARK, b"---")) or not content for content in contents)


def _has_lone_return(content: bytes) -> bool:
    return b"\r" in content and content.count(b"\r") != content.count(b"\r\n")


def _mark_around(lines: Lines, first: int, last: int) -> Mark | None:
    """The mark that all lines of a stretch and, where there are none, its neighbours have."""
    marks = {line.mark for line in lines[first:last] or lines[max(0, first - 1) : first + 1]}
    if first == last and not marks <= {"text"}:
        return None
    return marks.pop() if len(marks) == 1 and not marks & {"front", "comment-start"} else None


def _shared_prefix(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _shared_suffix(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low
