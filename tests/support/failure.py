"""The ways in which specgit fails, each with a situation that leads there; what is promised of all of them is tested in `tests/git/test_failures.py`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from specgit import errors, remote_errors
from specgit.commits import CommitRequest, Writer
from specgit.repository import Repository
from specgit.types import Oid
from support.git_fixture import git
from support.git_scene import ADA, WHEN
from support.worktree_story import REFS


@dataclass(kw_only=True)
class World:
    """A repository in which a commit of ours was made, and a folder around it."""

    checkout: Path
    folder: Path

    @property
    def repository(self) -> Repository:
        """The repository, opened anew."""
        return Repository.open(self.checkout)

    @property
    def base(self) -> Oid:
        """The tip of `main`."""
        return Oid(git(self.checkout, "rev-parse", "main"))

    def commit(self, repository: Repository | None = None, **changes: object) -> object:
        """Writes a file of 9,000 bytes on the specs branch."""
        given = {"ref": REFS.specs, "message": "m", "author": ADA, "when": WHEN, "files": {"a": os.urandom(9000)}, **changes}
        return Writer(repository or self.repository).commit([CommitRequest(**given)])  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A situation that yields the call which must fail and then makes it good again, with what its error says: what happened, and what to do."""

    situation: Callable[[World], Iterator[Callable[[], object]]]
    cause: str
    step: str


CASES: dict[type[errors.GitError], Case] = {}
NEVER_ITSELF: set[type[errors.GitError]] = {remote_errors.ForgeError}
"""Raised as one of its kinds only: it is what all faults of a forge are caught by."""


def reaches(kind: type[errors.GitError], *, cause: str, step: str) -> Callable[[Callable[[World], Iterator[Callable[[], object]]]], None]:
    """Enters a situation for a kind of error."""

    def enter(situation: Callable[[World], Iterator[Callable[[], object]]]) -> None:
        CASES[kind] = Case(situation=situation, cause=cause, step=step)

    return enter


def every_kind(kind: type[errors.GitError] = errors.GitError) -> set[type[errors.GitError]]:
    """Returns all classes of errors that specgit has below `kind`."""
    return {each for below in kind.__subclasses__() for each in {below, *every_kind(below)} if each.__module__.startswith("specgit.")}
