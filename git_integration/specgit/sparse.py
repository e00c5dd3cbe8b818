"""Which files of the repository a worktree holds: all of them, or those at the top and in some folders.

`git sparse-checkout` would write into the config that all worktrees share. So the file that it would write is written by us, into the worktree's own git
folder, where it says ever after what this worktree was made to hold; and what it does not hold is marked in the worktree's index, by which plain git knows
that nothing was deleted.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from specgit.errors import UnsafePath
from specgit.git import GitRunner
from specgit.repository import text_of
from specgit.types import validate_path

_FILE = "info/sparse-checkout"
_TOP = ("/*", "!/*/")
_PATTERN = frozenset("*?[\\")


@dataclass(frozen=True)
class Cone:
    """The folders that are held whole; of the folders above them, and of the top, the files alone."""

    folders: tuple[str, ...]

    def holds(self, path: str) -> bool:
        """Tells whether a file of the repository is among those that the worktree holds."""
        folder = path.rpartition("/")[0]
        return folder in self._above or any(folder == each or folder.startswith(f"{each}/") for each in self.folders)

    @cached_property
    def _above(self) -> frozenset[str]:
        parts = [folder.split("/") for folder in self.folders]
        return frozenset(["", *("/".join(names[:depth]) for names in parts for depth in range(1, len(names)))])

    def write(self, git_dir: Path) -> None:
        """Notes in a worktree's git folder what it holds, as git would."""
        above = [line for folder in sorted(self._above - {""}) for line in (f"/{folder}/", f"!/{folder}/*/")]
        (git_dir / _FILE).parent.mkdir(exist_ok=True)
        (git_dir / _FILE).write_text("".join(f"{line}\n" for line in [*_TOP, *above, *(f"/{folder}/" for folder in self.folders)]))


def cone_of(folders: Iterable[str]) -> Cone:
    """Returns the cone of these folders; raises UnsafePath for what is no folder of a repository."""
    named = sorted({folder.removesuffix("/") for folder in folders})
    for folder in named:
        if _PATTERN.intersection(validate_path(folder)):
            raise UnsafePath(f"{folder!r} is a pattern, and a worktree is narrowed to folders. Name them, such as src or docs/api.")
    return Cone(folders=tuple(each for each in named if not any(each.startswith(f"{other}/") for other in named)))


def read_cone(git_dir: Path) -> Cone | None:
    """Returns what a worktree was made to hold; None where that is everything."""
    lines = text_of(git_dir / _FILE).split("\n")
    if tuple(lines[:2]) != _TOP:
        return None
    whole = [line for line in lines[2:] if not line.startswith("!") and f"!{line}*/" not in lines]
    return Cone(folders=tuple(line.strip("/") for line in whole))


def mark_absent(runner: GitRunner, index: Path, work_tree: Path, paths: Sequence[str]) -> None:
    """Marks files in an index as not checked out; what is there all the same is not marked."""
    absent = [path for path in paths if not os.path.lexists(work_tree / path)]
    request = b"".join(os.fsencode(path) + b"\0" for path in absent)
    env = {"GIT_INDEX_FILE": str(index)}
    runner.run(["update-index", "--skip-worktree", "-z", "--stdin"], stdin=request, work_tree=work_tree, env=env)
