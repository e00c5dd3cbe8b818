"""Ignored files of the checkout that a new worktree gets a copy of, such as `.env`: those that patterns name, and that git ignores.

What is copied is noted in the worktree's own git folder before it is, and is never part of a commit from then on, whatever becomes of the ignore rules.
"""

import os
import stat
import tempfile
from collections.abc import Sequence
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
_NOTE = "specthread-included"
_PENDING = "specthread-included.pending"


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


def copy_included(repository: Repository, paths: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Copies these files of the checkout into `folder`, follows no link and replaces nothing; returns what was copied."""
    if repository.checkout is None or not paths:
        return ()
    root = os.open(repository.checkout, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    copied: list[str] = []
    try:
        with Folder(folder) as target:
            for path in paths:
                content = _small_file(root, path)
                if content is None or os.path.lexists(folder / path) or len(copied) == MOST:
                    continue
                target.write(path, REGULAR, content)
                copied.append(path)
    finally:
        os.close(root)
    return tuple(copied)


def include_once(repository: Repository, git_dir: Path, path: Path, patterns: Sequence[str]) -> tuple[str, ...]:
    """Copies what patterns name into the new worktree at `path`, whose git folder is `git_dir`, and returns what it has copies of; one that has them gets no more."""
    if (git_dir / _NOTE).exists():
        return noted(git_dir)
    paths = included_files(repository, patterns)
    if not paths:
        return ()
    (git_dir / _PENDING).write_bytes(b"".join(os.fsencode(each) + b"\0" for each in paths))
    copied = set(copy_included(repository, paths, path))
    there = [each for each in paths if each in copied or os.path.lexists(path / each)]
    (git_dir / _PENDING).write_bytes(b"".join(os.fsencode(each) + b"\0" for each in there))
    (git_dir / _PENDING).rename(git_dir / _NOTE)
    return tuple(there)


def noted(git_dir: Path) -> tuple[str, ...]:
    """Returns the paths that were, or were about to be, copied into the worktree of this git folder."""
    for name in (_NOTE, _PENDING):
        if (git_dir / name).exists():
            return tuple(os.fsdecode(path) for path in (git_dir / name).read_bytes().split(b"\0")[:-1])
    return ()


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
