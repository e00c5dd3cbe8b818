"""Anchors of remarks: the words a remark is about, so that it finds them again in a later version of the document."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from specthread.spec.boxes import unticked
from specthread.spec.document import squeezed
from specthread.spec.source import Line, scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The quoted words, the headings they stood under (outermost first, joined by “ / ”), and their 1-based line then.

    An empty quote stands for the document as a whole.
    """

    quote: str
    section: str
    line: int


def anchor_at(content: bytes, line: int) -> Anchor:
    """The anchor of a line; a blank line stands for the nearest line with text above it."""
    return anchor_in(scan(content).lines, line)


def anchor_in(lines: Sequence[Line], line: int) -> Anchor:
    """The anchor of a line of a document already scanned."""
    for index in range(min(line, len(lines)) - 1, -1, -1):
        if lines[index].text.strip():
            return Anchor(quote=lines[index].text.strip(), section=_sections(lines)[index], line=index + 1)
    return Anchor(quote="", section="", line=1)


def locate(content: bytes, anchor: Anchor) -> int | None:
    """The line the anchored text starts on now, None when it is gone; see `locate_all`."""
    return locate_all(content, (anchor,))[0]


def locate_all(content: bytes, anchors: Iterable[Anchor]) -> tuple[int | None, ...]:
    """The line each anchored text starts on now, None when it is gone; the document is read once.

    The words count however they are wrapped, and whatever the state of a check box. Among several places one in the same section wins,
    then a line that is nothing but the quote, then the one nearest to where it was.
    """
    document = _Scanned.of(content)
    return tuple(_line_of(document, anchor) for anchor in anchors)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scanned:
    """A document's lines as they read, the section of each, and its words in a row: which line begins at which place of `joined`."""

    stripped: Sequence[str]
    sections: Sequence[str]
    joined: str
    starts: Sequence[int]
    indexes: Sequence[int]

    @classmethod
    def of(cls, content: bytes) -> "_Scanned":
        lines = scan(content).lines
        texts = [(index, text) for index, line in enumerate(lines) if (text := squeezed(unticked(line)))]
        return cls(
            stripped=[line.text.strip() for line in lines],
            sections=_sections(lines),
            joined=" ".join(text for _, text in texts),
            starts=list(accumulate((len(text) + 1 for _, text in texts), initial=0)),
            indexes=[index for index, _ in texts],
        )


def _line_of(document: _Scanned, anchor: Anchor) -> int | None:
    quote = anchor.quote.strip()
    if not quote:
        return 1 if document.stripped else None
    exact = {index for index, text in enumerate(document.stripped) if text == quote}
    candidates = exact.union(_wrapped(document, anchor.quote))
    if not candidates:
        return None

    def distance(index: int) -> tuple[bool, bool, int, int]:
        return document.sections[index] != anchor.section, index not in exact, abs(index + 1 - anchor.line), index

    return 1 + min(candidates, key=distance)


def _wrapped(document: _Scanned, quote: str) -> list[int]:
    """Where the words of the quote stand one after the other, however the lines are broken."""
    wanted = squeezed(" ".join(unticked(line) for line in scan(quote.encode("utf-8", "surrogateescape")).lines))
    found: list[int] = []
    position = document.joined.find(wanted) if wanted else -1  # a lone byte order mark is text, but no words
    while position >= 0:
        found.append(document.indexes[bisect_right(document.starts, position) - 1])
        position = document.joined.find(wanted, position + len(wanted))
    return found


def _sections(lines: Sequence[Line]) -> list[str]:
    """Per line the path of headings it stands under, itself included."""
    path: list[tuple[int, str]] = []
    paths: list[str] = []
    joined = ""
    for line in lines:
        heading = line.heading
        if heading is not None:
            path = [*(entry for entry in path if entry[0] < heading.level), (heading.level, heading.title)]
            joined = " / ".join(title for _, title in path)
        paths.append(joined)
    return paths
