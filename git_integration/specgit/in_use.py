"""Which branches somebody works on: those that are checked out, under whatever name, and those that a rebase or bisection will come back to."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from specgit.repository import Repository
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
    names = symbolic_branches(repository)
    found: dict[RefName, InUse] = {}
    for folder, path in _git_folders(repository):
        for ref, how in _named_in(folder):
            for _ in range(len(names) + 1):
                found.setdefault(ref, InUse(path=path, how=how))
                ref = names.get(ref, ref)  # noqa: PLW2901  the chain is followed to its end
    return found


def symbolic_branches(repository: Repository) -> dict[RefName, RefName]:
    """Maps each branch that only stands for another one to that one."""
    lines = repository.runner.run(["for-each-ref", "--format=%(refname)%00%(symref)", "refs/heads"]).text.split("\n")
    pairs = (line.split("\0") for line in lines if line)
    return {RefName(ref): RefName(target) for ref, target in pairs if target}


def _git_folders(repository: Repository) -> Iterator[tuple[Path, Path]]:
    """Each git folder that has a HEAD of its own, with the checkout it belongs to."""
    if not repository.bare:
        usual = repository.git_dir.parent
        is_here = repository.checkout is not None and repository.checkout_git_dir.resolve() == repository.git_dir.resolve()
        yield repository.git_dir, (repository.checkout or usual) if is_here else usual
    linked = repository.git_dir / "worktrees"
    for folder in sorted(linked.iterdir()) if linked.is_dir() else []:
        place = _text(folder / "gitdir")
        if place:
            yield folder, Path(place).parent


def _named_in(folder: Path) -> Iterator[tuple[RefName, str]]:
    head = folder / "HEAD"
    if head.is_symlink():  # as very old ones are
        yield RefName(os.fspath(head.readlink())), "checked out"
    elif (text := _text(head)).startswith("ref: "):
        yield RefName(text.removeprefix("ref: ")), "checked out"
    for name, how in _COMING_BACK.items():
        for line in _text(folder / name).split("\n"):
            if line.startswith("refs/heads/"):
                yield RefName(line), how
            elif line and name == "BISECT_START":
                yield RefName(f"refs/heads/{line}"), how


def _text(path: Path) -> str:
    try:
        return os.fsdecode(path.read_bytes()).strip("\n")
    except OSError:  # half made, half removed, or not there
        return ""
