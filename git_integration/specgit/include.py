"""Ignored files of the checkout that a new worktree gets a copy of, such as `.env`: those that patterns name, and that git ignores.

What is copied is noted in the worktree's own git folder before it is, path and bytes, and is never part of a commit from then on: neither at its path,
whatever becomes of the ignore rules, nor under another name.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from specgit.folder import Folder, open_below
from specgit.ignore import ignored_paths
from specgit.import_stream import REGULAR
from specgit.repository import Repository
from specgit.types import danger_of

LARGEST = 1 << 20
"""Bytes of one file, above which it is left out: what is meant are settings, not data."""
MOST = 200
"""Files that are copied, the first by name."""
RECOGNISED = 16
"""Bytes from which a file is known again by what it holds: an empty one, or `{}`, is no copy of another."""
_NOTE = "specthread-included"
_PENDING = "specthread-included.pending"


@dataclass(frozen=True, slots=True)
class Included:
    """What was, or was about to be, copied into a worktree: the paths, and the digests of what lay there."""

    paths: frozenset[str] = frozenset()
    digests: frozenset[bytes] = frozenset()

    def holds(self, content: bytes) -> bool:
        """Whether this is what one of the files held, byte for byte."""
        return bool(self.digests) and len(content) >= RECOGNISED and _digest(content) in self.digests

    def strange_files(self, folder: Path, tracked: Container[str]) -> tuple[str, ...]:
        """Returns the paths below the worktree `folder`, of ignored files too, that are neither tracked nor copied in and as they were then."""
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return tuple(path for path in _paths_below(folder) if path not in tracked and path != ".git" and not self._is_copy(root, path))
        finally:
            os.close(root)

    def _is_copy(self, root: int, path: str) -> bool:
        content = _small_file(root, path) if path in self.paths else None
        return content is not None and _digest(content) in self.digests


def included_files(repository: Repository, patterns: Sequence[str]) -> tuple[str, ...]:
    """Returns the paths of the checkout's files that git neither tracks nor shows and that a line of `patterns`, as in `.gitignore`, names."""
    if repository.checkout is None or not any(patterns):
        return ()
    with tempfile.NamedTemporaryFile(prefix="specthread-include-") as file:
        file.write("".join(f"{line}\n" for line in patterns).encode(errors="surrogateescape"))
        file.flush()
        args = ["ls-files", "-z", "--others", "--ignored", f"--exclude-from={file.name}"]
        found = repository.runner.at(repository.checkout_git_dir).run(args, work_tree=repository.checkout).stdout
    paths = [os.fsdecode(path) for path in found.split(b"\0")[:-1]]
    safe = [path for path in paths if not any(map(danger_of, path.split("/")))]
    ignored = ignored_paths(repository.runner, repository.checkout, safe)
    return tuple(path for path in sorted(safe) if path in ignored)


def read_included(repository: Repository, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Reads these files of the checkout, follows no link and passes over what cannot be read or is too large."""
    if repository.checkout is None or not paths:
        return
    root = os.open(repository.checkout, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for path in paths:
            content = _small_file(root, path)
            if content is not None:
                yield path, content
    finally:
        os.close(root)


def copy_included(repository: Repository, paths: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Copies these files of the checkout into `folder`, follows no link and replaces nothing; returns what was copied."""
    copied: list[str] = []
    with Folder(folder) as target:
        for path, content in read_included(repository, paths):
            if not os.path.lexists(folder / path) and len(copied) < MOST:
                target.write(path, REGULAR, content)
                copied.append(path)
    return tuple(copied)


def include_once(repository: Repository, git_dir: Path, path: Path, patterns: Sequence[str]) -> tuple[str, ...]:
    """Copies what patterns name into the new worktree at `path`, whose git folder is `git_dir`, and returns what it has copies of; one that has them gets no more."""
    if (git_dir / _NOTE).exists():
        return tuple(sorted(noted(git_dir).paths))
    paths = included_files(repository, patterns)
    if not paths:
        return ()
    # Noted before anything is copied, so that no commit in between takes a copy for work.
    digests = dict.fromkeys(paths, b"") | {name: _digest(content) for name, content in read_included(repository, paths)}
    _note(git_dir, digests)
    copied = set(copy_included(repository, paths, path))
    there = {name: digest for name, digest in digests.items() if name in copied or os.path.lexists(path / name)}
    _note(git_dir, there)
    (git_dir / _PENDING).rename(git_dir / _NOTE)
    return tuple(there)


def noted(git_dir: Path) -> Included:
    """Returns what was, or was about to be, copied into the worktree of this git folder."""
    for name in (_NOTE, _PENDING):
        if (git_dir / name).exists():
            parts = (git_dir / name).read_bytes().split(b"\0")[:-1]
            return Included(frozenset(map(os.fsdecode, parts[::2])), frozenset(filter(None, parts[1::2])))
    return Included()


def _paths_below(folder: Path) -> Iterator[str]:
    """Yields what is no folder, links not followed; raises OSError where a folder cannot be read."""

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=refuse):
        for path in (Path(place, name) for name in (*names, *folders)):
            if path.is_symlink() or not path.is_dir():
                yield str(path.relative_to(folder))


def _note(git_dir: Path, digests: dict[str, bytes]) -> None:
    (git_dir / _PENDING).write_bytes(b"".join(os.fsencode(name) + b"\0" + digest + b"\0" for name, digest in digests.items()))


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _small_file(root: int, path: str) -> bytes | None:
    *folders, name = path.split("/")
    try:
        parent = open_below(root, folders)
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        finally:
            os.close(parent)
    except OSError:  # gone, a link, or not to be read
        return None
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(file.fileno())
        return file.read() if stat.S_ISREG(facts.st_mode) and facts.st_size <= LARGEST else None
