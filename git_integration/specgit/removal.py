"""How a worktree goes: out of the way by two renames, then deleted at leisure.

`git worktree remove` takes seconds where there are many files and wants to be forced, and `prune` would also forget worktrees of the user's that lie on a
disk which is not there at the moment. So exactly one folder of git's is taken away, which is all that git itself would do about this worktree.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from specgit.errors import GitError
from specgit.folder import delete_tree
from specgit.lock import write_lock
from specgit.repository import Repository, text_of

LOCK_REASON = "specthread"
"""What the lock of our own worktrees says."""
_TRASH = ".trash-"
_GIT_TRASH = "trash-"


def put_away(repository: Repository, path: Path, git_dir: Path) -> None:
    """Removes the worktree at `path` whose git folder is `git_dir`; cut off at any point, it is done by doing it again.

    Raises GitError where somebody else has locked it.
    """
    with write_lock(repository):  # git gives up when it meets a worktree that is half made
        _require_ours(path, git_dir)
        if path.exists():
            path.rename(path.parent / f"{_TRASH}{uuid.uuid4().hex}")
        git_dir.rename(repository.git_dir / "specthread" / f"{_GIT_TRASH}{uuid.uuid4().hex}")
        with suppress(OSError):  # not empty: the worktrees of others
            git_dir.parent.rmdir()
    empty_trash(repository, path.parent)


def empty_trash(repository: Repository, *folders: Path) -> None:
    """Deletes what lies in the trash of these folders and of the repository, also what an earlier removal was too short-lived to delete."""
    for trash in trash_in(repository, *folders):
        delete_tree(trash)


def trash_in(repository: Repository, *folders: Path) -> Iterator[Path]:
    """Yields what is waiting to be deleted in these folders and in the repository."""
    for folder in folders:
        yield from folder.glob(f"{_TRASH}*")
    yield from (repository.git_dir / "specthread").glob(f"{_GIT_TRASH}*")


def _require_ours(path: Path, git_dir: Path) -> None:
    lock = git_dir / "locked"
    reason = text_of(lock).strip()
    if os.path.lexists(lock) and reason != LOCK_REASON:
        said = f" ({reason})" if reason else ""
        raise GitError(f"Somebody else locked the worktree {path}{said}, so it was not removed. Unlock it: git worktree unlock {path}")
