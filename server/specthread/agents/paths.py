"""Which file an agent means by a path, and whether it may touch it.

An agent sees its worktree at the path of the user's checkout (`shown_root`); the files are in `root`. A path is judged twice: as it is
written, and as it is once links are followed. What was judged is opened folder by folder, each below the one before and none through a link, so that a
folder that is swapped for a link in between leads nowhere. This is the second line of defence for paths that come through tools; the first is that nothing
of the agent's runs while a tool does.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_GIT_NAMES = frozenset({".git", "git~1"})


class PathRefused(Exception):  # noqa: N818  says what was refused
    """Reports a path an agent may not use, in words for the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Is a folder an agent works in; below the folders of `protected`, relative to `root`, nothing may be written."""

    root: Path
    shown_root: str
    protected: tuple[str, ...] = ()

    def to_read(self, path: str) -> Path:
        """Returns the real path of what the agent wants to read; raises `PathRefused`."""
        if "\0" in path:
            raise PathRefused("A path cannot contain a null character.")
        root = self.root.resolve()
        try:
            real = (root / self._relative(path)).resolve()
        except (OSError, RuntimeError) as error:
            raise PathRefused(f"`{path}` leads in circles, or cannot be followed.") from error
        except ValueError as error:  # half a surrogate pair has no bytes that a file could be called
            raise PathRefused("A path must be valid Unicode.") from error
        if not real.is_relative_to(root):
            raise PathRefused(f"`{path}` lies outside the project. Use paths below {self.shown_root}.")
        if _touches_git(real.relative_to(root).parts):
            raise PathRefused("Git's own files are not yours to use. Specthread commits your work for you.")
        return real

    def to_write(self, path: str) -> Path:
        """Returns the real path of what the agent wants to write; raises `PathRefused`."""
        real = self.to_read(path)
        parts = _folded(real.relative_to(self.root.resolve()).parts)
        if not parts:
            raise PathRefused(f"`{path}` is the project's root, not a file.")
        if parts[-1] == ".gitmodules":
            raise PathRefused("Submodules cannot be changed here.")
        for folder in self.protected:
            shielded = _folded(PurePosixPath(folder).parts)
            if parts[: len(shielded)] == shielded:
                raise PathRefused(f"`{folder}` holds the spec and its records, which are read-only. Use `ask` if the spec needs a change.")
        return real

    @contextmanager
    def folder(self, real: Path, *, make: bool = False) -> Iterator[int]:
        """Opens a judged folder, below the root and without following links, making what is missing of it if told to."""
        descriptor = os.open(self.root.resolve(), _FOLDER)
        try:
            for name in real.relative_to(self.root.resolve()).parts:
                above, descriptor = descriptor, -1
                try:
                    descriptor = _opened(name, above, make=make)
                finally:
                    os.close(above)
            yield descriptor
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def open_to_read(self, real: Path) -> int:
        """Opens a judged file or folder; never follows a link that was put there meanwhile, never waits for a pipe."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        if real == self.root.resolve():
            return os.open(real, flags)
        with self.folder(real.parent) as folder:
            return os.open(real.name, flags, dir_fd=folder)

    def shown(self, real: Path) -> str:
        """Returns a path as the agent may call it: relative to the project's root."""
        return real.relative_to(self.root.resolve()).as_posix()

    def _relative(self, path: str) -> PurePosixPath:
        written = PurePosixPath(path)
        if written.is_absolute():
            if not written.is_relative_to(self.shown_root):
                raise PathRefused(f"`{path}` lies outside the project. Use paths below {self.shown_root}.")
            written = written.relative_to(self.shown_root)
        if ".." in written.parts:
            raise PathRefused(f"`{path}` goes up with `..`. Write the path from the project's root.")
        if _touches_git(written.parts):
            raise PathRefused("Git's own files are not yours to use. Specthread commits your work for you.")
        return written


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _opened(name: str, above: int, *, make: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=above)
    except FileNotFoundError:
        if not make:
            raise
    os.mkdir(name, dir_fd=above)
    return os.open(name, _FOLDER, dir_fd=above)


def _touches_git(parts: tuple[str, ...]) -> bool:
    # Trailing dots and spaces are dropped by some file systems, so `.git. ` can be `.git`.
    return any(part.rstrip(". ") in _GIT_NAMES for part in _folded(parts))


def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Returns parts of a path as a file system that ignores case compares them."""
    return tuple(part.casefold() for part in parts)
