"""Between bytes and an editor's positions: lines count from 0, columns in the units that were agreed on."""

from __future__ import annotations

import re
from bisect import bisect_right
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import accumulate

from lsprotocol import types as lsp

from specthread.spec.document import Range, Span
from specthread.spec.source import BYTE_ORDER_MARK

Encoding = lsp.PositionEncodingKind | str
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


class Text:
    """A document's bytes with its line starts."""

    def __init__(self, content: bytes, encoding: Encoding) -> None:
        self._content = content
        self._encoding = encoding
        self._lines = content.splitlines(keepends=True) or [b""]
        self._starts = [0, *accumulate(map(len, self._lines))]

    def range(self, stretch: Range) -> lsp.Range:
        """Returns a stretch of bytes as the editor names it."""
        return lsp.Range(start=self.position(stretch.start), end=self.position(stretch.end))

    def span(self, span: Span) -> lsp.Range:
        """Returns characters of a line as the editor names them."""
        return span_on(self._shown(span.line), span, self._encoding)

    def at(self, line: int, character: int) -> lsp.Position:
        """Returns the position in front of a character of a line."""
        return self.span(Span(line, character, character)).start

    def _shown(self, number: int) -> str:
        """Returns a line as people see it, without byte order mark and end; undecodable bytes are one character each."""
        line = self._lines[min(number, len(self._lines)) - 1].rstrip(b"\r\n")
        return (line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line).decode("utf-8", "surrogateescape")

    def place(self, position: lsp.Position) -> tuple[int, int] | None:
        """Returns the line (from 1) and the characters in front of a position; None below the last line, and beyond a line's end that end."""
        count = len(self._lines)
        if position.line > count or (position.line == count and self._lines[-1][-1:] not in {b"\n", b"\r"}):
            return None
        text = self._shown(position.line + 1) if position.line < count else ""
        return position.line + 1, characters(text, position.character, self._encoding)

    def position(self, offset: int) -> lsp.Position:
        """Returns where a byte stands."""
        line = min(bisect_right(self._starts, offset) - 1, len(self._lines) - 1)
        before = self._lines[line][: offset - self._starts[line]]
        if line == 0:
            before = before.removeprefix(BYTE_ORDER_MARK)  # editors do not show it
        return lsp.Position(line=line, character=units(before, self._encoding))

    def line(self, number: int) -> lsp.Range:
        """Returns the whole of a line that counts from 1, without its end; the last line where there are fewer."""
        index = min(max(number, 1), len(self._lines)) - 1
        body = self._lines[index].rstrip(b"\r\n")
        return self.range(Range(self._starts[index], self._starts[index] + len(body)))


def span_on(text: str, span: Span, encoding: Encoding) -> lsp.Range:
    """Returns characters of a line with this text as the editor names them."""
    start, end = (units(text[:at].encode("utf-8", "surrogateescape"), encoding) for at in (span.start, span.end))
    return lsp.Range(start=lsp.Position(line=span.line - 1, character=start), end=lsp.Position(line=span.line - 1, character=end))


def units(text: bytes, encoding: Encoding) -> int:
    """Counts the units of a piece of a line."""
    if encoding == lsp.PositionEncodingKind.Utf8 or text.isascii():
        return len(text)
    shown = text.decode("utf-8", "replace")
    if encoding == lsp.PositionEncodingKind.Utf32:
        return len(shown)
    return len(shown) + sum(character > "\uffff" for character in shown)


def characters(text: str, count: int, encoding: Encoding) -> int:
    """Counts the characters that so many units of a line hold, all of them where there are not so many units."""
    if text.isascii() or encoding == lsp.PositionEncodingKind.Utf32:
        return min(count, len(text))
    for at, character in enumerate(text):
        if count <= 0:
            return at
        in_bytes = encoding == lsp.PositionEncodingKind.Utf8
        count -= len(character.encode("utf-8", "surrogateescape")) if in_bytes else 1 + (character > "\uffff")
    return len(text)


@lru_cache(maxsize=16)
def text_of(content: bytes, encoding: Encoding) -> Text:
    """Returns a document's text, read once per content."""
    return Text(content, encoding)


def lines_of(text: str) -> list[str]:
    """Returns the lines of a text with their ends, as the protocol counts them: `str.splitlines` knows many more ends."""
    return [line for line in _LINE.findall(text) if line]


def edits_between(before: bytes, after: bytes, encoding: Encoding) -> list[lsp.TextEdit]:
    """Returns whole-line edits that make one text the other; what is the same in both is not touched, and cursors stay."""
    old, new = lines_of(before.decode("utf-8", "replace")), lines_of(after.decode("utf-8", "replace"))
    edits = []
    for kind, start, end, first, last in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind != "equal":
            place = lsp.Range(start=_edge(old, start, encoding), end=_edge(old, end, encoding))
            edits.append(lsp.TextEdit(range=place, new_text="".join(new[first:last])))
    return edits


def _edge(lines: list[str], index: int, encoding: Encoding) -> lsp.Position:
    """Returns the beginning of a line; behind a last line without an end there is none, so its end is taken."""
    if index == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        return lsp.Position(line=index - 1, character=units(lines[-1].encode(), encoding))
    return lsp.Position(line=index, character=0)
