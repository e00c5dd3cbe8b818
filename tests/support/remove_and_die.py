"""A process of its own that removes a worktree with work in it and is killed at one step; for tests of sudden death."""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from specgit.commits import Writer
from specgit.repository import Repository
from specgit.snapshot import Keep
from specgit.worktrees import Worktrees
from support.worktree_story import BOT, REFS, WHEN

KEEP = Keep(ref=REFS.archive("ws-1", "1"), message="Keep what was left", author=BOT, when=WHEN)
STEPS = ("before the snapshot", "after the snapshot", "after the files are gone", "after git forgot it", "while it is deleted")


def main(checkout: str, path: str, step: str) -> None:
    """Removes the worktree at `path` and dies at `step`."""
    renames = iter(("after the snapshot", "after the files are gone"))

    def die_at(here: str) -> None:
        if here == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying(function: Any, here: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            die_at(here())
            return function(*args, **kwargs)

        return call

    def half_deleted(target: Path) -> None:
        die_at("after git forgot it")
        shutil.rmtree(target / "src")
        die_at("while it is deleted")

    Writer.commit = dying(Writer.commit, lambda: "before the snapshot")  # type: ignore[method-assign]
    Path.rename = dying(Path.rename, lambda: next(renames))  # type: ignore[method-assign]
    sys.modules["specgit.removal"].__dict__["delete_tree"] = half_deleted
    Worktrees(Repository.open(Path(checkout))).remove(Path(path), keep=KEEP)


if __name__ == "__main__":
    main(*sys.argv[1:])
