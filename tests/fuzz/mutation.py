"""Spec documents that change at random: a chain begins with a piece of a document and goes on by one mutation at a time.

A chain is told by its seed and its number alone, given the same documents to begin with.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from specthread.spec.dialects import Dialect
from specthread.spec.document import DocumentName
from support import corpus
from support.marked import read_case
from support.spec_text import DIALECTS, LINES

Texts = Mapping[DocumentName, bytes]

LENGTH = 25
"""Mutations in a chain."""
MOST_LINES = 24
"""Lines of a document that a chain begins with: what a reader takes together is seldom longer, and short ones change more per second."""
MOST_BYTES = 6_000
"""Bytes above which a document is cut, so that a chain of duplications ends."""
MARKED = Path(__file__).parents[1] / "spec" / "data"


@dataclass(frozen=True, slots=True)
class Chain:
    """The versions of the documents of one folder, one after the other."""

    dialect: Dialect
    versions: Sequence[Texts]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a chain may begin with: the documents of one folder, by lines."""

    dialect: Dialect
    lines: Mapping[DocumentName, Sequence[bytes]]


def beginnings() -> list[Beginning]:
    """Returns real documents where they are at hand, and the documents of the linter's own examples."""
    real = [corpus.documents_in(folder) for folder in corpus.folders()] if corpus.FILES else []
    marked = [(case.dialect, case.documents) for case in map(read_case, sorted(MARKED.glob("*.txt")))]
    return [Beginning(dialect, {name: text.splitlines(keepends=True) for name, text in texts.items()}) for dialect, texts in real + marked]


def chain(seed: int, number: int, known: Sequence[Beginning]) -> Chain:
    """Returns one chain."""
    dice = random.Random(f"{seed} {number}")
    dialect, texts = _begin(dice, known)
    versions = [texts]
    for _ in range(LENGTH):
        name = dice.choice([*texts])
        changed = _mutated(dice, versions, name)
        texts = {**texts, name: changed[:MOST_BYTES]}
        versions.append(texts)
    return Chain(dialect, versions)


def _begin(dice: random.Random, known: Sequence[Beginning]) -> tuple[Dialect, Texts]:
    if dice.random() < 0.2:
        names = dice.sample(["requirements", "bugfix", "design", "tasks"], 2)
        dialect = dice.choice(DIALECTS)
        return dialect, {DocumentName(name): b"".join(_made_lines(dice, dice.randrange(MOST_LINES))) for name in names}
    beginning = dice.choice(known)
    names = dice.sample([*beginning.lines], min(2, len(beginning.lines)))
    dialect = beginning.dialect if dice.random() < 0.8 else dice.choice(DIALECTS)
    return dialect, {DocumentName(name): _piece(dice, beginning.lines[DocumentName(name)]) for name in names}


def _piece(dice: random.Random, lines: Sequence[bytes]) -> bytes:
    start = dice.choice((0, dice.randrange(len(lines) or 1)))
    mark = b"\xef\xbb\xbf" if dice.random() < 0.02 else b""
    return mark + b"".join(lines[start : start + dice.randrange(4, MOST_LINES)])


def _made_lines(dice: random.Random, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield dice.choice(LINES) + dice.choices((b"\n", b"\r\n", b"\r"), (12, 2, 1))[0]


def _mutated(dice: random.Random, versions: Sequence[Texts], name: DocumentName) -> bytes:
    content = versions[-1][name]
    if dice.random() < 0.04:  # what was there before comes back, as with undo
        return dice.choice(versions)[name]
    if dice.random() < 0.5:
        return dice.choice(_ON_BYTES)(dice, content)
    lines = content.splitlines(keepends=True)
    dice.choice(_ON_LINES)(dice, lines)
    return b"".join(lines)


# --- mutations of bytes -------------------------------------------------------------------------------------------------------

_TELLING = (*(bytes([char]) for char in b"`~#-*+[]()_:.,<>!/\\|'\"xXR01 \t\r\n"), b"\r\n", b"```", b"<!--", b"-->", b"---", b"\xff",
            b"\xef\xbb\xbf", "\uff1a".encode(), "\u3001".encode(), "\u2028".encode(), "\x85".encode(), b"\x0b", b"\x0c", b"\x1c", b"\0")  # fmt: skip


def _place(dice: random.Random, content: bytes) -> int:
    return dice.randrange(len(content) + 1)


def _flip(dice: random.Random, content: bytes) -> bytes:
    at = _place(dice, content)
    return content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]


def _flip_digit(dice: random.Random, content: bytes) -> bytes:
    digits = [at for at, char in enumerate(content) if 48 <= char <= 57]
    if not digits:
        return _flip(dice, content)
    at = dice.choice(digits)
    return content[:at] + dice.choice((b"", b"1", b"2", b"9", b"11", b"1.1")) + content[at + 1 :]


def _insert(dice: random.Random, content: bytes) -> bytes:
    at = _place(dice, content)
    return content[:at] + dice.choice(_TELLING) + content[at:]


def _drop(dice: random.Random, content: bytes) -> bytes:
    at = _place(dice, content)
    return content[:at] + content[at + dice.choice((1, 1, 2, dice.randrange(60))) :]


def _repeat(dice: random.Random, content: bytes) -> bytes:
    at = _place(dice, content)
    piece = content[at : at + dice.randrange(1, 40)]
    to = dice.choice((at, _place(dice, content)))
    return content[:to] + piece + content[to:]


def _snip(dice: random.Random, content: bytes) -> bytes:
    at = _place(dice, content)
    return content[:at] + dice.choice(LINES) + content[at:]


def _other_ends(dice: random.Random, content: bytes) -> bytes:
    old, new = dice.choice(((b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\n", b"\r"), (b"\r", b"\n")))
    return content.replace(old, new, dice.choice((-1, 1, 2)))


_ON_BYTES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flip, _flip, _flip_digit, _flip_digit, _insert, _insert, _insert, _drop, _drop, _repeat, _snip, _other_ends,
)  # fmt: skip

# --- mutations of lines -------------------------------------------------------------------------------------------------------


def _swap(dice: random.Random, lines: list[bytes]) -> None:
    if lines:
        one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]


def _copy(dice: random.Random, lines: list[bytes]) -> None:
    start = dice.randrange(len(lines) + 1)
    to = dice.choice((start, dice.randrange(len(lines) + 1)))
    lines[to:to] = lines[start : start + dice.choice((1, 1, 2, 5))]


def _drop_lines(dice: random.Random, lines: list[bytes]) -> None:
    start = dice.randrange(len(lines) + 1)
    del lines[start : start + dice.choice((1, 1, 2, 5))]


def _move(dice: random.Random, lines: list[bytes]) -> None:
    start = dice.randrange(len(lines) + 1)
    end = start + dice.choice((1, 2, 4))
    piece = lines[start:end]
    del lines[start:end]
    to = dice.randrange(len(lines) + 1)
    lines[to:to] = piece


def _put(dice: random.Random, lines: list[bytes]) -> None:
    to = dice.randrange(len(lines) + 1)
    lines[to:to] = _made_lines(dice, dice.choice((1, 1, 1, 2, 3)))


def _indent(dice: random.Random, lines: list[bytes]) -> None:
    if lines:
        at = dice.randrange(len(lines))
        lines[at] = dice.choice((b"  " + lines[at], b"\t" + lines[at], lines[at].lstrip(b" \t"), b"> " + lines[at], lines[at][2:]))


def _end_early(dice: random.Random, lines: list[bytes]) -> None:
    if lines:
        at = dice.choice((len(lines) - 1, dice.randrange(len(lines))))
        lines[at] = lines[at].rstrip(b"\r\n")


_ON_LINES: tuple[Callable[[random.Random, list[bytes]], None], ...] = (
    _swap, _copy, _copy, _drop_lines, _drop_lines, _move, _put, _put, _put, _indent, _end_early,
)  # fmt: skip
