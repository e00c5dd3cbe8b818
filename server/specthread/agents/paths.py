"""Which file an agent means by a path, and whether it may touch it.

An agent sees its worktree at the path of the user's checkout (`shown_root`); the files are in `root`. A path is judged twice: as it is
written, and as it is once links are followed. This is the second line of defence for paths that come through tools; the first is that
nothing of the agent's runs while a tool does.
"""

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


def _touches_git(parts: tuple[str, ...]) -> bool:
    # Trailing dots and spaces are dropped by some file systems, so `.git. ` can be `.git`.
    return any(part.rstrip(". ") in _GIT_NAMES for part in _folded(parts))


def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Returns parts of a path as a file system that ignores case compares them."""
    return tuple(part.casefold() for part in parts)
