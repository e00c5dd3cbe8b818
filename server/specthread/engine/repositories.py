"""The repositories this daemon owns: opened once, locked against every other daemon, with the folders that belong to them."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path

from specgit.commits import Writer
from specgit.lock import RepositoryLock
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.types import Oid
from specgit.worktrees import Worktrees

REMEMBERED_COMMITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRepository:
    """A repository with everything the engine does to it; `folder` is its own part of the state directory's folders."""

    repository: Repository
    writer: Writer
    worktrees: Worktrees
    merger: Merger
    state: Path
    name: str
    _paths: dict[Oid, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def known_paths(self, commit: Oid) -> tuple[str, ...]:
        """Returns the remembered paths of a commit's files, or nothing; never waits."""
        return self._paths.get(commit, ())

    def paths(self, commit: Oid) -> tuple[str, ...]:
        """Returns the paths of a commit's files; those of the last few commits are remembered, because every planner is told them first."""
        known = self._paths.get(commit)
        if known is None:
            known = tuple(entry.path for entry in self.repository.entries(commit))
            while len(self._paths) >= REMEMBERED_COMMITS:
                self._paths.pop(next(iter(self._paths)))
            self._paths[commit] = known
        return known

    def worktree(self, spectask: str, run: str) -> Path:
        """Returns the stable path of a run's worktree."""
        return self.state / "worktrees" / self.name / spectask / run

    def scratch(self, spectask: str, use: str) -> Path:
        """Returns a folder that may be thrown away."""
        return self.state / "scratch" / self.name / spectask / use

    def desk(self, spectask: str) -> Path:
        """Returns the desk of a SpecTask."""
        return self.state / "desk" / self.name / spectask


class Repositories:
    """Opens each repository once; every open one is locked for this daemon until `close`."""

    def __init__(self, state: Path, owner: str) -> None:
        self._state = state
        self._owner = owner
        self._open: dict[Path, OpenRepository] = {}
        self._locks: list[RepositoryLock] = []
        self._guard = threading.Lock()

    def known(self, path: Path) -> OpenRepository | None:
        """Returns the repository around `path` if it is open already; never waits."""
        return self._open.get(path)

    def open(self, path: Path) -> OpenRepository:
        """Returns the repository around `path`; raises GitError subclasses, RepositoryBusy where another daemon owns it."""
        with self._guard:
            known = self._open.get(path)
            if known is not None:
                return known
            repository = Repository.open(path)
            same = next((opened for opened in self._open.values() if opened.repository.git_dir == repository.git_dir), None)
            self._open[path] = same or self._owned(repository)
            return self._open[path]

    def _owned(self, repository: Repository) -> OpenRepository:
        lock = RepositoryLock(repository, self._owner)
        lock.acquire()
        self._locks.append(lock)
        writer = Writer(repository)
        writer.recover()
        return OpenRepository(
            repository=repository,
            writer=writer,
            worktrees=Worktrees(repository),
            merger=Merger(repository),
            state=self._state,
            name=folder_name(repository),
        )

    def close(self) -> None:
        """Gives every repository back."""
        for lock in self._locks:
            lock.release()
        self._locks.clear()
        self._open.clear()


def folder_name(repository: Repository) -> str:
    """Returns a folder name that is readable and differs for every repository."""
    root = repository.checkout or repository.git_dir
    return f"{root.name.removesuffix('.git') or 'repository'}-{hashlib.sha256(str(repository.git_dir).encode()).hexdigest()[:8]}"
