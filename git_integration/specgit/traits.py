"""What kind of repository this is: whatever decides how it may be used, found without changing it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from specgit.git import GitRunner
from specgit.repository import Repository

_PARTIAL = r"^(extensions\.partialclone|remote\..*\.promisor)$"
_REF_STORAGE = r"^extensions\.refstorage$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """The kind of a repository; `promisor` names the settings by which a partial clone fetches what it lacks, `worktrees` all of its checkouts."""

    git_version: str
    object_format: str
    ref_storage: Literal["files", "reftable"]
    bare: bool
    shallow: bool
    promisor: tuple[str, ...]
    linked: bool
    worktrees: tuple[Path, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about working in it, one sentence each."""
        told = {
            "It is bare: there is no checkout to start from, so name the branch that work starts at.": self.bare,
            "It is shallow: commits older than its boundary are not here. `git fetch --unshallow` brings them.": self.shallow,
            "It is a partial clone: files that are not here are never fetched on the way; what needs one is refused with its name.": bool(
                self.promisor
            ),
            "The folder is a linked worktree: branches and settings are shared with the other ones.": self.linked,
        }
        return tuple(sentence for sentence, holds in told.items() if holds)


def traits_of(repository: Repository) -> Traits:
    """Finds out what kind of repository this is; starts git five times and reads no object."""
    runner = repository.runner
    return Traits(
        git_version=runner.run(["version"]).text.removeprefix("git version "),
        object_format=repository.object_format,
        ref_storage="reftable" if _settings(runner, _REF_STORAGE)[-1:] == ("reftable",) else "files",
        bare=repository.bare,
        shallow=(repository.git_dir / "shallow").exists(),
        promisor=_settings(runner, _PARTIAL, names=True),
        linked=repository.checkout is not None and repository.checkout_git_dir.resolve() != repository.git_dir.resolve(),
        worktrees=repository.checkouts(),
    )


def _settings(runner: GitRunner, pattern: str, *, names: bool = False) -> tuple[str, ...]:
    """The values of the repository's own settings whose name fits, or their names; a promisor that is switched off is none."""
    done = runner.run(["config", "--local", "-z", "--get-regexp", pattern], check=False)
    pairs = [item.partition("\n") for item in done.text.split("\0") if item]
    return tuple(name if names else value for name, _, value in pairs if not re.fullmatch(r"false|no|off|0", value))
