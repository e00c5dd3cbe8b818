"""Looking into a commit without checking it out, at a cost that is bounded by what the caller is ready to read and not by what the repository holds."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from specgit.errors import GitError
from specgit.repository import Repository
from specgit.types import Oid

_ENTRY = 40
"""Bytes that an entry of a tree takes about: mode, name and id."""
_LEVELS = 24
_WORDS = 3
"""What git says of an object: its id, kind and size."""
_NO_PERL = "USE_LIBPCRE"
_NOTHING_FOUND = 1


class Object(NamedTuple):
    """What a name stands for: its id, `blob`, `tree` or `commit`, and its size in bytes."""

    oid: Oid
    kind: str
    size: int


class Entry(NamedTuple):
    """An entry of one folder; `mode` is git's: 40000 a folder, 120000 a link, 160000 a submodule."""

    name: str
    mode: str
    oid: Oid

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.mode == "40000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder of a tree: its path, empty at the top, and its entries, or about how many it has where it was too large to be looked into."""

    path: str
    entries: tuple[Entry, ...] | None
    about: int


class Match(NamedTuple):
    """A line that was found; `line` counts from 1."""

    path: str
    line: int
    text: str


def look_up(repository: Repository, names: Sequence[str]) -> list[Object | None]:
    """Returns what each name, such as `<commit>:<path>`, stands for, with one git process; None where there is nothing."""
    asked = [os.fsencode(name) for name in names]
    if not asked:
        return []
    output = repository.runner.run(["cat-file", "--batch-check", "-z"], stdin=b"".join(name + b"\0" for name in asked)).stdout
    found: list[Object | None] = []
    at = 0
    for name in asked:
        missing = name + b" missing\n"
        if output.startswith(missing, at):
            found.append(None)
            at += len(missing)
            continue
        end = output.index(b"\n", at)
        header = output[at:end].decode().split(" ")
        # For a submodule git says two words from 2.51 on: its commit is not here.
        found.append(Object(Oid(header[0]), header[1], int(header[2])) if len(header) == _WORDS else None)
        at = end + 1
    return found


def walk(repository: Repository, treeish: str, *, most_bytes: int) -> Iterator[Folder]:
    """Yields the folders of a tree, those near the top first and of each level the small ones first, until so many bytes of trees are read.

    A folder that would be too much is told without its entries, and so is one that lies 24 levels deep.
    """
    level = [("", repository.tree_of(Oid(treeish)))]
    for _ in range(_LEVELS):
        sizes = [found.size if found else 0 for found in look_up(repository, [oid for _, oid in level])]
        chosen = []
        for size, (path, oid) in sorted(zip(sizes, level, strict=True)):
            if size > most_bytes:
                yield Folder(path=path, entries=None, about=size // _ENTRY)
            else:
                most_bytes -= size
                chosen.append((path, oid))
        level = []
        for (path, _), entries in zip(chosen, _folders(repository, [oid for _, oid in chosen]), strict=True):
            yield Folder(path=path, entries=entries, about=len(entries))
            level += [(f"{path}/{entry.name}" if path else entry.name, entry.oid) for entry in entries if entry.is_folder]
        if not level:
            return
    yield from (Folder(path=path, entries=None, about=1) for path, _ in level)


def folder(repository: Repository, tree: Oid) -> tuple[Entry, ...]:
    """Returns the entries of one tree object, in git's order."""
    return _folders(repository, [tree])[0]


def paths(repository: Repository, treeish: str, below: str, *, limit_bytes: int) -> tuple[list[str], bool]:
    """Returns the files below a folder in git's order, as far as the first so many bytes of their names reach, and whether that is all."""
    done = repository.runner.run_head(
        ["ls-tree", "-r", "-z", "--name-only", "--full-tree", treeish, *([f"{below}/"] if below else [])], limit_bytes=limit_bytes
    )
    return [os.fsdecode(path) for path in done.stdout.split(b"\0")[:-1]], not done.cut


def grep(repository: Repository, treeish: str, pattern: str, pathspecs: Sequence[str], *, limit_bytes: int, timeout: float) -> list[Match]:
    """Returns the lines of a tree's text files that match, the first so many bytes of them; raises GitError, GitTimeout."""
    given = ["-n", "-I", "-z", "--no-color", "--full-name", "-e", pattern, treeish, "--", *pathspecs]
    try:
        output = _matching(repository, ["grep", "-P", *given], limit_bytes, timeout)
    except GitError as error:
        if _NO_PERL not in error.stderr:
            raise
        output = _matching(repository, ["grep", "-E", *given], limit_bytes, timeout)
    found = []
    front = len(treeish) + 1
    for line in output.split(b"\n")[:-1]:
        path, _, rest = line.partition(b"\0")
        number, _, text = rest.partition(b"\0")
        if number.isdigit():  # a path may hold a line end
            found.append(Match(os.fsdecode(path)[front:], int(number), text.decode(errors="replace")))
    return found


def _matching(repository: Repository, args: Sequence[str], limit_bytes: int, timeout: float) -> bytes:
    try:
        return repository.runner.run_head(args, limit_bytes=limit_bytes, timeout=timeout).stdout
    except GitError as error:
        if error.exit_code == _NOTHING_FOUND and not error.stderr:
            return b""
        raise


def _folders(repository: Repository, trees: Sequence[Oid]) -> list[tuple[Entry, ...]]:
    """The entries of tree objects, in one git process; those of one that is not here are none."""
    if not trees:
        return []
    output = repository.runner.run(["cat-file", "--batch"], stdin="".join(f"{oid}\n" for oid in trees).encode()).stdout
    found: list[tuple[Entry, ...]] = []
    at = 0
    for oid in trees:
        end = output.index(b"\n", at)
        facts = output[at:end].split(b" ")
        at = end + 1
        if facts[-1] == b"missing":
            found.append(())
            continue
        size = int(facts[-1])
        found.append(tuple(_entries(output[at : at + size], len(oid) // 2)))
        at += size + 1
    return found


def _entries(content: bytes, width: int) -> Iterator[Entry]:
    at = 0
    while at < len(content):
        space = content.index(b" ", at)
        end = content.index(b"\0", space)
        oid = content[end + 1 : end + 1 + width]
        yield Entry(os.fsdecode(content[space + 1 : end]), content[at:space].decode(), Oid(oid.hex()))
        at = end + 1 + width
