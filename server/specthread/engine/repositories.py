"""The repositories this daemon owns: opened once, locked against every other daemon, with the folders that belong to them.

All worktrees of a repository share one lock, one writer and one set of folders; each has its own HEAD and checkout, so each is opened for itself.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

from specgit.commits import Writer
from specgit.errors import GitError
from specgit.lock import RepositoryLock
from specgit.maintenance import is_worthwhile, pack_loose
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.worktrees import Worktrees
from specthread.engine.trust import remember_first


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRepository:
    """A repository with everything the engine does to it; `folder` is its own part of the state directory's folders."""

    repository: Repository
    writer: Writer
    worktrees: Worktrees
    merger: Merger
    state: Path
    name: str

    def worktree(self, spectask: str, run: str) -> Path:
        """Returns the stable path of a run's worktree."""
        return self.state / "worktrees" / self.name / spectask / run

    def scratch(self, spectask: str, use: str) -> Path:
        """Returns a folder that may be thrown away."""
        return self.state / "scratch" / self.name / spectask / use

    @property
    def known_settings(self) -> Path:
        """Returns where is written what of this repository the person knows."""
        return known_settings_file(self.state, self.repository)

    def desk(self, spectask: str) -> Path:
        """Returns the desk of a SpecTask."""
        return self.state / "desk" / self.name / spectask


class Repositories:
    """Opens each repository once; every open one is locked for this daemon until `close`."""

    def __init__(self, state: Path, owner: str) -> None:
        self._state = state
        self._owner = owner
        self._open: dict[Path, OpenRepository] = {}
        self._owned: dict[Path, tuple[RepositoryLock, Writer]] = {}
        self._guard = threading.Lock()
        self._not_packed: set[Path] = set()

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
            self._open[path] = self._same(repository) or self._opened(repository)
            return self._open[path]

    def _same(self, repository: Repository) -> OpenRepository | None:
        """Returns the one that is open already for this checkout."""
        place = (repository.git_dir, repository.checkout)
        return next((opened for opened in self._open.values() if (opened.repository.git_dir, opened.repository.checkout) == place), None)

    def _opened(self, repository: Repository) -> OpenRepository:
        writer = self._writer(repository)
        remember_first(known_settings_file(self._state, repository), repository)
        return OpenRepository(
            repository=repository,
            writer=writer,
            worktrees=Worktrees(repository),
            merger=Merger(repository),
            state=self._state,
            name=folder_name(repository),
        )

    def _writer(self, repository: Repository) -> Writer:
        """Returns the one writer of a repository; takes the repository where it is not ours yet."""
        if repository.git_dir not in self._owned:
            lock = RepositoryLock(repository, self._owner)
            lock.acquire()
            writer = Writer(repository)
            try:
                writer.recover()
            except BaseException:
                lock.release()
                raise
            self._owned[repository.git_dir] = (lock, writer)
        return self._owned[repository.git_dir][1]

    def pack(self) -> dict[Path, str]:
        """Packs what many commits left behind, where it is much; returns why it failed, by repository, and leaves those alone from then on."""
        with self._guard:
            owned = {opened.repository.git_dir: opened.repository for opened in self._open.values()}
        failed: dict[Path, str] = {}
        for git_dir in owned.keys() - self._not_packed:
            try:
                if is_worthwhile(owned[git_dir]):
                    pack_loose(owned[git_dir])
            except (GitError, OSError) as error:
                failed[git_dir] = str(error)
        self._not_packed |= failed.keys()
        return failed

    def empty_trash(self) -> dict[Path, str]:
        """Deletes what removals of worktrees that were cut off left behind; returns what could not be deleted and why, by repository."""
        with self._guard:
            opened = tuple({each.name: each for each in self._open.values()}.values())
        failed: dict[Path, str] = {}
        for each in opened:
            try:
                each.worktrees.empty_trash(*(self._state / "worktrees" / each.name).glob("*"))
            except OSError as error:
                failed[each.repository.git_dir] = str(error)
        return failed

    def close(self) -> None:
        """Gives every repository back."""
        for lock, _ in self._owned.values():
            lock.release()
        self._owned.clear()
        self._open.clear()


def known_settings_file(state: Path, repository: Repository) -> Path:
    """Returns where is written what of a repository's own git settings and hooks the person knows."""
    return state / "trust" / f"{folder_name(repository)}.json"


def folder_name(repository: Repository) -> str:
    """Returns a folder name that is readable, differs for every repository, and is the same whichever of its worktrees was opened first."""
    root = repository.git_dir.parent if repository.git_dir.name == ".git" else repository.git_dir
    return f"{root.name.removesuffix('.git') or 'repository'}-{hashlib.sha256(str(repository.git_dir).encode()).hexdigest()[:8]}"
