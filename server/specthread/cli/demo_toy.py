"""The demo's toy repository: the files of the package, committed by somebody who is plainly not a real person."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from specgit.git import GitRunner, find_git
from specthread.agents.demo.material import toy_files

NAME, EMAIL = "DEMO human", "demo@localhost"
_WHEN = "2026-03-02T09:00:00+00:00"


def make_toy_repository(folder: Path) -> None:
    """Makes the repository in an empty or missing folder; its one commit has the same id everywhere. Raises GitError."""
    for path, text in toy_files().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    git = GitRunner(git_dir=folder / ".git", program=find_git())
    git.run(["init", "--quiet", "--initial-branch=main", "--template="])
    git.run(["config", "user.name", NAME])
    git.run(["config", "user.email", EMAIL])
    git.run(["add", "--all"], work_tree=folder)
    person = {
        f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", NAME), ("EMAIL", EMAIL), ("DATE", _WHEN))
    }
    git.run(["commit", "--quiet", "--message", "Keep hours in a text file"], work_tree=folder, env=person)


def path_with_python(path: str) -> str:
    """Returns PATH with the folder of this very Python in front: the toy's checks say `python3`, and an older one may come first."""
    own = str(Path(sys.base_prefix, "bin"))
    return os.pathsep.join([own, *(entry for entry in path.split(os.pathsep) if entry != own)])
