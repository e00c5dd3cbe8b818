"""Remarks typed into a document as a line `<!--? text -->`: taken out of it and anchored to the text above."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specthread.spec.anchor import Anchor, anchor_in
from specthread.spec.document import squeezed
from specthread.spec.source import Line, scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a person wrote about the line it is anchored to."""

    text: str
    anchor: Anchor


def take_remarks(content: bytes) -> tuple[bytes, tuple[Remark, ...]]:
    """The document without its remark lines, and the remarks in order.

    A remark may span lines as long as it starts and ends one. It is anchored to the nearest line with text above it, as numbered in the
    document returned, or to the document as a whole at its very top. Remarks in fences are examples and stay; an empty one is only removed.
    """
    source = scan(content)
    lines = source.lines
    remarks = list(_remarks(lines))
    if not remarks:
        return content, ()
    pieces: list[bytes] = []
    done = 0
    for first, last in remarks:
        pieces.append(content[done : source.offsets[first]])
        done = source.offsets[last + 1]
    rest = b"".join((*pieces, content[done:]))
    kept = scan(rest).lines
    return rest, tuple(_anchored(lines, remarks, kept))


_OPENING = "<!--?"
_CLOSING = "-->"


def _remarks(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """First and last line of every remark."""
    for first, line in enumerate(lines):
        if not (line.mark == "comment-start" and line.text.lstrip().startswith(_OPENING)):
            continue
        last = next(index for index in range(first, len(lines)) if _CLOSING in lines[index].text)
        text = lines[last].text
        if text.rstrip().endswith(_CLOSING) and text.count(_CLOSING) == 1:
            yield first, last


def _anchored(lines: Sequence[Line], remarks: Sequence[tuple[int, int]], kept: Sequence[Line]) -> Iterator[Remark]:
    removed = 0
    for first, last in remarks:
        written = " ".join(line.text.strip() for line in lines[first : last + 1])
        text = squeezed(written[len(_OPENING) : -len(_CLOSING)])
        if text:
            yield Remark(text=text, anchor=anchor_in(kept, first - removed))
        removed += last - first + 1
