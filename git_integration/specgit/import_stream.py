"""Text for `git fast-import`: pure functions from a planned commit to the bytes that describe it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from specgit.git import DAEMON_EMAIL, DAEMON_NAME
from specgit.types import Oid, Person

DAEMON = Person(name=DAEMON_NAME, email=DAEMON_EMAIL)
REGULAR = "100644"

_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCommit:
    """A commit whose place in history is decided; a parent is an id, or `:<mark>` of an earlier commit in the same stream.

    `first_on_ref` tells git to start the scratch ref instead of continuing it.
    """

    mark: int
    scratch_ref: str
    first_on_ref: bool
    parent: str | None
    merge_parents: Sequence[Oid]
    message: str
    author: Person
    when: datetime
    tree: Oid | None
    deleted: Sequence[str]
    copies: Mapping[str, tuple[str, Oid]]
    files: Mapping[str, tuple[str, bytes]]


def import_stream(commits: Sequence[PlannedCommit]) -> bytes:
    """Returns the whole input of one fast-import, which answers with two lines per commit: its id and an `ls` line of its tree."""
    return b"".join([b"feature done\n", *(part for commit in commits for part in _commit(commit)), b"done\n"])


def person_line(person: Person, when: datetime) -> str:
    """Formats a person and a time, which has a zone, as git's commit and tag headers do."""
    minutes = int((when.utcoffset() or timedelta()).total_seconds()) // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    return f"{_header_text(person.name)} <{_header_text(person.email)}> {int(when.timestamp())} {zone}"


def _commit(commit: PlannedCommit) -> list[bytes]:
    head = [
        f"commit {commit.scratch_ref}",
        f"mark :{commit.mark}",
        f"author {person_line(commit.author, commit.when)}",
        f"committer {person_line(DAEMON, commit.when)}",
    ]
    links = [f"from {commit.parent}"] if commit.parent and commit.first_on_ref else []
    links += [f"merge {parent}" for parent in commit.merge_parents]
    # An empty path is the root: this replaces the whole tree.
    links += [f"M 040000 {commit.tree} "] if commit.tree else []
    parts = [_lines(head), _data(commit.message.encode(errors="replace")), _lines(links)]
    # Removals first, so that a file may take the place of a folder and the reverse.
    parts += [b"D " + _quoted(path) + b"\n" for path in commit.deleted]
    parts += [f"M {mode} {oid} ".encode() + _quoted(path) + b"\n" for path, (mode, oid) in commit.copies.items()]
    for path, (mode, content) in commit.files.items():
        parts += [f"M {mode} inline ".encode() + _quoted(path) + b"\n", _data(content)]
    parts.append(f'\nget-mark :{commit.mark}\nls :{commit.mark} ""\n'.encode())
    return parts


def _lines(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    """Quotes a path as C does; every byte that is not plain ASCII is written in octal."""
    plain = (chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in os.fsencode(path))
    return f'"{"".join(plain)}"'.encode()


def _header_text(text: str) -> str:
    """Drops the characters that would end the field, as git itself does."""
    return "".join(character for character in text if character not in "<>\n\0").strip() or "unknown"
