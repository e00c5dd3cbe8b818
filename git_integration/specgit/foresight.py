"""Which of several worktrees would conflict if they were merged as they are now, with what nobody has committed yet.

A look makes a throw-away commit of a worktree in a git folder of our own: it sees the objects of the repository and writes none into it, moves no ref and
takes no lock. Only a worktree in which something was done is looked at again, and of it only what may have changed is read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

from specgit.folder import delete_tree
from specgit.git import GitRunner
from specgit.import_stream import DAEMON, PlannedCommit, import_stream
from specgit.known import KnownFiles
from specgit.merge import conflicts_between
from specgit.repository import Repository
from specgit.types import Oid
from specgit.view import private_view
from specgit.worktrees import Worktrees

MOST_LOOKS = 64
"""Commits after which the folder is made anew: each is a pack, and git looks into all of them."""
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_THROW_AWAY = ("-c", "core.fsync=none", "-c", "fastimport.unpackLimit=0")

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A worktree, the commit it stands on, what was merged into its files and is not committed yet, and what of it never counts."""

    path: Path
    tip: Oid
    merge_parents: Sequence[Oid] = ()
    drop_prefixes: Sequence[str] = ()


class Foresight:
    """Looks at the worktrees of one repository; `folder` is its own, and is deleted by `close`."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        self._repository = repository
        self._worktrees = Worktrees(repository)
        self._folder = folder
        self._view: GitRunner | None = None
        self._looks = 0
        self._known: dict[str, KnownFiles] = {}
        self._commits: dict[str, Oid] = {}
        self._found: dict[Pair, tuple[str, ...]] = {}

    def look(self, works: Mapping[str, Work], changed: Collection[str]) -> dict[Pair, tuple[str, ...]]:
        """Returns the paths that conflict, for each two of `works`; only the `changed` ones, and those not seen before, are looked at."""
        self._forget_others(works)
        if self._view is None or self._looks >= MOST_LOOKS:
            self._begin()
        for name, work in works.items():
            if (name in changed or name not in self._commits) and self._moved(name, work):
                # At once: where a later one cannot be looked at, what is known of this one is known no more.
                self._found = {pair: paths for pair, paths in self._found.items() if name not in pair}
        pairs = [pair for pair in combinations(works, 2) if pair not in self._found]
        for pair, paths in zip(pairs, conflicts_between(self._runner, [self._commits_of(pair) for pair in pairs]), strict=True):
            self._found[pair] = paths
        return {pair: self._found[pair] for pair in combinations(works, 2)}

    def close(self) -> None:
        """Deletes what was made for the looks."""
        delete_tree(self._folder)
        self._view = None

    @property
    def _runner(self) -> GitRunner:
        if self._view is None:
            raise AssertionError("a look begins with a folder")
        return self._view

    def _forget_others(self, works: Mapping[str, Work]) -> None:
        for table in (self._known, self._commits):
            for name in table.keys() - works.keys():
                del table[name]
        self._found = {pair: paths for pair, paths in self._found.items() if set(pair) <= works.keys()}

    def _begin(self) -> None:
        delete_tree(self._folder)
        self._folder.mkdir(parents=True)
        self._view = private_view(self._repository.runner, self._folder, object_format=self._repository.object_format)
        self._looks = 0
        self._commits.clear()

    def _commits_of(self, pair: Pair) -> tuple[Oid, Oid]:
        return self._commits[pair[0]], self._commits[pair[1]]

    def _moved(self, name: str, work: Work) -> bool:
        """Commits a worktree as it is now; tells whether that is another commit than before."""
        base = work.merge_parents[-1] if work.merge_parents else work.tip
        known = self._known.setdefault(name, KnownFiles())
        scan = self._worktrees.scan(work.path, against=base, drop_prefixes=work.drop_prefixes, known=known)
        before = self._commits.get(name)
        planned = PlannedCommit(
            mark=1,
            scratch_ref="refs/heads/look",
            first_on_ref=True,
            parent=work.tip,
            merge_parents=work.merge_parents,
            message="",
            author=DAEMON,
            when=_ANY_TIME,
            tree=self._repository.tree_of(base),
            deleted=scan.deleted,
            copies={},
            files=scan.files,
        )
        args = [*_THROW_AWAY, "fast-import", "--quiet", "--done", "--force"]
        self._commits[name] = Oid(self._runner.run(args, stdin=import_stream([planned])).text.split("\n")[0])
        self._looks += 1
        return self._commits[name] != before
