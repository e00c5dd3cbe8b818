"""Which branches somebody works on: those that are checked out, under whatever name, and those that a rebase or bisection will come back to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from specgit.repository import Repository, text_of
from specgit.types import RefName

_COMING_BACK = {
    "rebase-merge/head-name": "rebased",
    "rebase-apply/head-name": "rebased",
    "rebase-merge/update-refs": "rebased",
    "BISECT_START": "bisected",
}
"""Files of a git folder that name branches, and what is done to those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """Where a branch is in use, and what is done to it there: `checked out`, `rebased` or `bisected`."""

    path: Path
    how: str


def branches_in_use(repository: Repository) -> dict[RefName, InUse]:
    """Maps each branch that is in use in some worktree to where and how; a branch that is there under another name is found under its own."""
    used = {ref: InUse(path=path, how="checked out") for ref, path in repository.checked_out().items()}
    for folder, path in repository.git_folders():
        for ref, how in _coming_back(folder):
            used.setdefault(ref, InUse(path=path, how=how))
    names = symbolic_branches(repository)
    for ref, each in list(used.items()):
        meant = ref
        for _ in names:  # a chain is no longer than there are names
            meant = names.get(meant, meant)
            used.setdefault(meant, each)
    return used


def symbolic_branches(repository: Repository) -> dict[RefName, RefName]:
    """Maps each branch that only stands for another one to that one."""
    lines = repository.runner.run(["for-each-ref", "--format=%(refname)%00%(symref)", "refs/heads"]).text.split("\n")
    pairs = (line.split("\0") for line in lines if line)
    return {RefName(ref): RefName(target) for ref, target in pairs if target}


def _coming_back(folder: Path) -> Iterator[tuple[RefName, str]]:
    for name, how in _COMING_BACK.items():
        for line in text_of(folder / name).split("\n"):
            if line.startswith("refs/heads/"):
                yield RefName(line), how
            elif line and name == "BISECT_START":
                yield RefName(f"refs/heads/{line}"), how
