"""What worktrees take on the disk. Every file is looked at, so this is for a person who asks, and for nothing that is done often."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from specgit.removal import trash_in
from specgit.repository import Repository
from specgit.worktrees import Worktrees

_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """Bytes on disk of each worktree that was made here, the largest first, and of what waits to be deleted."""

    worktrees: tuple[tuple[Path, int], ...]
    trash: int

    @property
    def total(self) -> int:
        """Bytes of all worktrees together."""
        return sum(size for _, size in self.worktrees)


def disk_use(repository: Repository, folders: Sequence[Path] = ()) -> DiskUse:
    """Measures the worktrees of a repository and the trash beside them; `folders` are more places where trash may lie."""
    paths = [worktree.path for worktree in Worktrees(repository).list()]
    sizes = sorted(((path, size_of(path)) for path in paths), key=lambda item: (-item[1], item[0]))
    trash = trash_in(repository, *dict.fromkeys([*folders, *(path.parent for path in paths)]))
    return DiskUse(worktrees=tuple(sizes), trash=sum(map(size_of, trash)))


def size_of(path: Path) -> int:
    """Returns the bytes that a folder takes on disk, itself included; follows no link, and passes over what it may not read or has just gone."""
    total, folders = 0, [path]
    while folders:  # and no recursion: an agent may nest as deep as it likes
        folder = folders.pop()
        with suppress(OSError):
            total += folder.lstat().st_blocks * _BLOCK
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry))
                    else:
                        total += _blocks(entry) * _BLOCK
    return total


def _blocks(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks
    except FileNotFoundError:
        return 0


def in_megabytes(size: int) -> str:
    """Returns a size as people read it."""
    return f"{size / 1e6:.1f} MB" if size < 10_000_000 else f"{size / 1e6:,.0f} MB"  # noqa: PLR2004  below ten, the tenths tell something
