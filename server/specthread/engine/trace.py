"""The trace indexes of a daemon: one per checkout that somebody asks about, one per SpecTask; each made when it is asked for and kept true from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from specgit.repository import Repository
from specthread.domain.model import SpecTask
from specthread.engine.trace_files import CommittedFiles, TraceKeeper, WorkingFiles, commits_of, root_of
from specthread.views.trace import RootedTrace, TraceIndex, TraceRules
from specthread.views.trace_spectask import with_spectask

FRESH_SECONDS = 2.0
"""For so long a checkout is not looked at again: editors ask at every keystroke."""
MOST_KEPT = 8
"""Indexes of SpecTasks that are kept; the one asked for longest ago is forgotten first."""
MOST_FOLDERS = 1_000
"""Folders for which is remembered to which checkout they belong."""


class Traces:
    """Every index that is kept. Files are read in threads, and what did not change is not read again."""

    def __init__(self, rules_at: Callable[[Path], TraceRules], clock: Callable[[], float]) -> None:
        """`rules_at` reads what a person chose for a checkout; `clock` counts seconds and never goes back."""
        self._rules_at = rules_at
        self._clock = clock
        self._roots: dict[Path, WorkingFiles] = {}
        self._checkouts: dict[Path, TraceKeeper] = {}
        self._looked: dict[Path, float] = {}
        self._spectasks: dict[tuple[Path, str], TraceKeeper] = {}

    async def at(self, path: Path) -> RootedTrace | None:
        """Returns the index of the checkout, or of the folder with specs, around a file; None where there is none, or no spec in it."""
        files = self._roots.get(path.parent) or await asyncio.to_thread(root_of, path.parent)
        if files is None:
            return None
        if len(self._roots) >= MOST_FOLDERS:
            self._roots.clear()
        self._roots[path.parent] = files
        keeper = self._checkouts.setdefault(files.root, TraceKeeper())
        now = self._clock()
        if now - self._looked.get(files.root, now - FRESH_SECONDS) >= FRESH_SECONDS:
            await asyncio.to_thread(lambda: keeper.follow(files, self._rules_at(files.root)))
            self._looked[files.root] = now
        return RootedTrace(str(files.root), keeper.index) if keeper.index.specs else None

    async def of(self, repository: Repository, spectask: SpecTask) -> TraceIndex:
        """Returns the index of a SpecTask: its live documents, and the code as its feature branch holds it. Raises GitError."""
        key = (repository.git_dir, str(spectask.id))
        keeper = self._spectasks.pop(key, None) or self._like(repository.git_dir)
        self._spectasks[key] = keeper
        while len(self._spectasks) > MOST_KEPT:
            del self._spectasks[next(iter(self._spectasks))]
        rules_at = repository.checkout or repository.git_dir
        return await asyncio.to_thread(lambda: _of_spectask(keeper, repository, spectask, self._rules_at(rules_at)))

    def _like(self, git_dir: Path) -> TraceKeeper:
        """Returns a keeper that knows the files of another SpecTask of the repository, which are mostly the same."""
        known = next((keeper for (place, _), keeper in reversed(self._spectasks.items()) if place == git_dir), None)
        return known.copied() if known is not None else TraceKeeper()


def _of_spectask(keeper: TraceKeeper, repository: Repository, spectask: SpecTask, rules: TraceRules) -> TraceIndex:
    tip = spectask.feature or spectask.base
    index = keeper.follow(CommittedFiles(repository=repository, commit=tip), rules)
    return with_spectask(index, spectask).with_commits(commits_of(repository, f"{spectask.base}..{tip}"))
