"""A spec document cut into pieces that have a name: a task, a requirement, a criterion, a section. Together they are the document."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from specthread.spec.boxes import read_box
from specthread.spec.dialects import Dialect
from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, DocumentName
from specthread.spec.requirements import requirements_of
from specthread.spec.source import BYTE_ORDER_MARK, Heading, Source, scan
from specthread.spec.spec import kind_of
from specthread.spec.tasks import tasks_of

Key = tuple[str, ...]
"""The kind of a piece, and what tells it from others: its id, or its heading with those it stands under."""
_BELOW_HEADINGS, _BELOW_REQUIREMENTS = 7, 8
TOP: Key = ("top",)
"""Whatever stands above the first piece with a name."""


class Piece(NamedTuple):
    """The lines from where something begins to where the next thing does, without the blank ones at the end, which are counted.

    `mark` is the column of the mark in a task's box; `words` is what the first line says besides number and mark; `rank` is smaller for what others
    stand below: a heading of a higher level, an entry further left.
    """

    key: Key
    lines: tuple[str, ...]
    blanks: int
    mark: int | None
    words: str
    rank: int


class Pieces(NamedTuple):
    """All of a document: its pieces by key, in order, and how its bytes are made of lines."""

    pieces: dict[Key, Piece]
    ending: str
    is_closed: bool
    """Whether the last line ends."""
    has_mark: bool
    """Whether a byte order mark begins it."""

    def written(self) -> bytes:
        """The bytes that it stands for."""
        lines = [line for piece in self.pieces.values() for line in (*piece.lines, *[""] * piece.blanks)]
        text = self.ending.join(lines) + (self.ending if self.is_closed and lines else "")
        return (BYTE_ORDER_MARK if self.has_mark else b"") + text.encode("utf-8", "surrogateescape")


def cut(content: bytes, name: DocumentName, dialect: Dialect) -> Pieces | None:
    """The pieces of a document; None where two carry one name, or where it is written so that its pieces would not make it up again."""
    source = scan(content)
    starts: dict[int, tuple[Key, str]] = {0: (TOP, "")}
    for line, key, words in _starts(source, name, dialect):
        if line in starts and starts[line][0] != TOP:
            return None
        starts[line] = (key, words)
    ends = [*sorted(starts)[1:], len(source.lines)]
    pieces: dict[Key, Piece] = {}
    for (start, (key, words)), end in zip(sorted(starts.items()), ends, strict=True):
        if key in pieces:
            return None
        pieces[key] = _piece(source, key, words, start, end, dialect)
    is_closed = bool(source.lines) and source.lines[-1].ending != ""
    found = Pieces(pieces, source.ending, is_closed, content.startswith(BYTE_ORDER_MARK))
    return found if found.written() == content else None


def _piece(source: Source, key: Key, words: str, start: int, end: int, dialect: Dialect) -> Piece:
    lines = [line.text for line in source.lines[start:end]]
    first = source.lines[start] if start < end else None
    blanks = 0
    while lines and not lines[-1]:
        lines.pop()
        blanks += 1
    box = read_box(first, dialect) if first is not None and key[0] == "task" else None
    return Piece(
        key,
        tuple(lines),
        blanks,
        box.mark if box else None,
        words,
        _rank(key, first.heading if first else None, first.text if first else ""),
    )


def _rank(key: Key, heading: Heading | None, text: str) -> int:
    if key == TOP:
        return 0
    if heading is not None:
        return heading.level
    indent = len(text.expandtabs(4)) - len(text.expandtabs(4).lstrip(" "))
    return (_BELOW_HEADINGS if key[0] == "requirement" else _BELOW_REQUIREMENTS) + indent


def _starts(source: Source, name: DocumentName, dialect: Dialect) -> Iterator[tuple[int, Key, str]]:
    """The index of each line that begins a piece, with its key and words."""
    kind = kind_of(name)
    named: dict[int, tuple[Key, str]] = {}
    if kind == TASKS:
        named = {task.line - 1: (("task", task.id), task.title) for task in tasks_of(source, dialect).tasks}
    elif kind == REQUIREMENTS:
        for requirement in requirements_of(source, dialect).requirements:
            named.setdefault(requirement.line - 1, (("requirement", requirement.id), requirement.title))
            for criterion in requirement.criteria:
                named.setdefault(criterion.line - 1, (("criterion", criterion.id), criterion.text))
    elif kind not in {DESIGN, BUGFIX}:
        return
    yield from ((index, *told) for index, told in named.items())
    yield from ((index, key, "") for index, key in _headings(source) if index not in named)


def _headings(source: Source) -> Iterator[tuple[int, Key]]:
    """The index and key of each heading: the title of the document, or a section, told from others of its name by what it stands under."""
    found = [(index, line.heading) for index, line in enumerate(source.lines) if line.heading is not None]
    counts = Counter(heading.title for _, heading in found)
    titles = sum(heading.level == 1 for _, heading in found)
    above: list[Heading] = []
    for index, heading in found:
        while above and above[-1].level >= heading.level:
            above.pop()
        above.append(heading)
        path = (heading.title,) if counts[heading.title] == 1 else tuple(each.title for each in above)
        yield index, ("title",) if heading.level == titles == 1 else ("section", *path)
