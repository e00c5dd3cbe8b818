"""Spec documents as lines that know their bytes: the values every reader in this package shares.

Offsets are bytes into the document as given, so an edit never depends on how the text was decoded. Nothing here raises for any input.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NewType

Severity = Literal["error", "warning", "info"]
DocumentName = NewType("DocumentName", str)

REQUIREMENTS: Final = DocumentName("requirements")
DESIGN: Final = DocumentName("design")
TASKS: Final = DocumentName("tasks")
BUGFIX: Final = DocumentName("bugfix")

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """A half-open stretch of bytes of one document."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding about a document; `line` is 1-based, `document` is empty where only one was read."""

    code: str
    severity: Severity
    message: str
    line: int
    range: Range
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line without byte order mark and line ending; undecodable bytes are kept as surrogate escapes.

    `end` is the offset behind the line ending, where the next line starts. `in_fence` and `in_comment` mark lines without structure: code
    with its fences, HTML comments and front matter. `opens_comment` marks a line that starts with an HTML comment.
    """

    number: int
    text: str
    range: Range
    end: int
    in_fence: bool
    in_comment: bool
    opens_comment: bool

    @property
    def hidden(self) -> bool:
        """Whether nothing on this line may be read as structure."""
        return self.in_fence or self.in_comment

    def span(self, start: int, end: int) -> Range:
        """Byte range of the characters `start` to `end` of this line."""
        if self.text.isascii():
            return Range(self.range.start + start, self.range.start + end)
        before = len(self.text[:start].encode("utf-8", "surrogateescape"))
        inside = len(self.text[start:end].encode("utf-8", "surrogateescape"))
        return Range(self.range.start + before, self.range.start + before + inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A `#` heading outside fences and comments."""

    level: int
    title: str
    line: Line


def scan_lines(content: bytes) -> tuple[Line, ...]:
    r"""Lines in order; they tile the document, `\n`, `\r\n` and a lone `\r` all end a line, and a fence never closed hides nothing."""
    start = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0
    pieces = content[start:].splitlines(keepends=True)
    bodies = [piece.rstrip(b"\r\n") for piece in pieces]
    texts = [body.decode("utf-8", "surrogateescape") for body in bodies]
    lines: list[Line] = []
    for index, (mark, body) in enumerate(zip(_marks(texts), bodies, strict=True)):
        end = start + len(pieces[index])
        lines.append(
            Line(
                number=index + 1,
                text=texts[index],
                range=Range(start, start + len(body)),
                end=end,
                in_fence=mark == "fence",
                in_comment=mark in {"comment", "comment-start"},
                opens_comment=mark == "comment-start",
            )
        )
        start = end
    return tuple(lines)


def headings(lines: Iterable[Line]) -> tuple[Heading, ...]:
    """The visible headings in order."""
    found = (heading_of(line) for line in lines if line.text.lstrip(" ").startswith("#"))
    return tuple(heading for heading in found if heading is not None)


def heading_of(line: Line) -> Heading | None:
    """The heading written on this line, if it is one."""
    text = line.text.strip()
    if line.hidden or not text.startswith("#"):
        return None
    title = text.lstrip("#")
    level = len(text) - len(title)
    if level > _DEEPEST_HEADING or (title and title[0] not in " \t"):
        return None
    closed = title.rstrip("#")
    return Heading(level=level, title=(closed if closed.endswith((" ", "\t")) else title).strip(), line=line)


def is_generated(line: Line) -> bool:
    """Whether the line was written by the daemon: it consists of one `<!-- specthread:… -->` and nothing else."""
    return not line.in_fence and _GENERATED.fullmatch(line.text.strip()) is not None


def unclosed_fence(lines: Iterable[Line]) -> Line | None:
    """The first line that opens a code fence nobody closes."""
    return next((line for line in lines if not line.hidden and _fence_run(line.text)), None)


def squeezed(text: str) -> str:
    """The text with every run of white space read as one space."""
    return " ".join(text.split())


_DEEPEST_HEADING = 6
_GENERATED = re.compile(r"<!--[ \t]*specthread:(?:(?!--).)*-->")
_FRONT_MATTER_KEY = re.compile(r"[A-Za-z][\w-]*[ \t]*:")
_FENCE = re.compile(r"[ \t]*(?:[-*+][ \t]+)?(`{3,}(?=[^`]*$)|~{3,})")

_Mark = Literal["text", "fence", "comment", "comment-start"]


def _marks(texts: Sequence[str]) -> list[_Mark]:
    front = _front_matter_length(texts)
    marks: list[_Mark] = ["comment"] * front
    closers = _longest_closers(texts)
    last_comment_end = max((index for index, text in enumerate(texts) if "-->" in text), default=-1)
    fence = ""
    commented = False
    for index in range(front, len(texts)):
        text = texts[index]
        if fence:
            marks.append("fence")
            fence = "" if _closes(text, fence) else fence
        elif commented:
            marks.append("comment")
            commented = "-->" not in text
        elif (opener := _fence_run(text)) and closers[opener[0]][index + 1] >= len(opener):
            marks.append("fence")
            fence = opener
        else:
            commented = _leaves_comment_open(text) and last_comment_end > index
            whole = text.lstrip().startswith("<!--") and (commented or "-->" in text)
            marks.append("comment-start" if whole else "text")
    return marks


def _front_matter_length(texts: Sequence[str]) -> int:
    # A rule at the top of a document looks the same; only a `key:` directly below it makes it front matter.
    if len(texts) < 2 or texts[0].rstrip() != "---" or not _FRONT_MATTER_KEY.match(texts[1]):  # noqa: PLR2004  a rule and its first key
        return 0
    return next((index + 1 for index in range(1, len(texts)) if texts[index].rstrip() in {"---", "..."}), 0)


def _fence_run(text: str) -> str:
    if "```" not in text and "~~~" not in text:
        return ""
    found = _FENCE.match(text)
    return found.group(1) if found else ""


def _closes(text: str, fence: str) -> bool:
    bare = text.strip()
    return len(bare) >= len(fence) and bare == fence[0] * len(bare)


def _longest_closers(texts: Sequence[str]) -> dict[str, list[int]]:
    """Per fence character the longest closing run at or below each line: whether a fence is ever closed, without looking ahead."""
    longest = {"`": [0] * (len(texts) + 1), "~": [0] * (len(texts) + 1)}
    for index in range(len(texts) - 1, -1, -1):
        bare = texts[index].strip()
        for char, below in longest.items():
            below[index] = below[index + 1]
            if bare.startswith(char * 3) and bare == char * len(bare):
                below[index] = max(below[index], len(bare))
    return longest


def _leaves_comment_open(text: str) -> bool:
    opened = text.rfind("<!--")
    if opened < 0 or "-->" in text[opened:]:
        return False
    return text.count("`", 0, opened) % 2 == 0  # an odd number of ticks before it: the sign is quoted in inline code
