"""Ignore rules: which paths of a working tree its `.gitignore` files, the shared exclude file and the user's own name."""

import os
from collections.abc import Sequence
from pathlib import Path

from specgit.errors import error_from_git
from specgit.git import GitRunner


def ignored_paths(runner: GitRunner, work_tree: Path, paths: Sequence[str]) -> frozenset[str]:
    """Returns those of `paths` that the rules name, tracked or not; no path may lie behind a link."""
    if not paths:
        return frozenset()
    args = ["check-ignore", "-z", "--stdin", "--no-index"]
    # With `./` in front, a name that begins with a colon is not taken for pathspec magic. The answer repeats it.
    request = b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)
    done = runner.run(args, stdin=request, work_tree=work_tree, check=False)
    if done.exit_code not in {0, 1}:  # 1: none of them
        raise error_from_git(["git", *args], done.exit_code, done.stderr)
    return frozenset(os.fsdecode(path[2:]) for path in done.stdout.split(b"\0") if path)
