"""Merging one after the other: each candidate is merged in memory onto the tip of its moment, checked as files, and only then the branch moves.

The branch moves by compare-and-swap from the tip whose merge passed the check, so what stands on it was checked exactly as it stands there. A candidate that
conflicts or fails leaves the queue with its reason, and the others go on. Nothing is run here but git: what a check does is the caller's.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from specgit.commits import CommitRequest, CommitResult, Writer
from specgit.errors import CheckedOutElsewhere, DiskFull, GitError, GitTimeout, RefLocked, RefMoved
from specgit.folder import delete_tree
from specgit.merge import FileMerge, MergePreview, Merger
from specgit.repository import Repository
from specgit.trees import export_tree
from specgit.types import Oid, Person, RefName

State = Literal["queued", "testing", "landed", "conflicted", "failed", "cancelled"]
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check found out about the files of a merge."""

    passed: bool
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """A commit to be merged into a branch of ours that is checked out nowhere; the merge commit has both as parents."""

    source: Oid
    into: RefName
    message: str
    author: Person
    when: datetime
    trailers: Sequence[tuple[str, str]] = ()
    event: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeOutcome:
    """Where a candidate stands: the merge that `landed`, the paths that `conflicted`, or the `reason` why it failed."""

    request: MergeRequest
    state: State
    commit: CommitResult | None = None
    conflicts: tuple[str, ...] = ()
    reason: str = ""


@dataclass(slots=True, eq=False)
class _Entry:
    """A place in the queue."""

    request: MergeRequest
    cancelled: bool = False


class MergeQueue:
    """A queue of merges into branches of one repository; threads may add and cancel while another one works on it.

    `check` is given a folder with the merged files, which is `scratch` and is emptied before and after; `merge` may bring together files whose lines
    conflict.
    """

    def __init__(
        self, repository: Repository, writer: Writer, *, scratch: Path, check: Callable[[Path], CheckResult], merge: FileMerge | None = None
    ) -> None:
        self._repository = repository
        self._writer = writer
        self._merger = Merger(repository)
        self._scratch = scratch
        self._check = check
        self._merge = merge
        self._waiting: deque[_Entry] = deque()
        self._testing: _Entry | None = None
        self._guard = threading.Lock()
        self._turn = threading.Lock()

    def enqueue(self, request: MergeRequest) -> None:
        """Adds a candidate at the end."""
        with self._guard:
            self._waiting.append(_Entry(request))

    def cancel(self, source: Oid) -> None:
        """Takes the candidates of a commit out; one that is being checked does not land, unless its branch is being moved already."""
        with self._guard:
            for entry in (*self._waiting, *([self._testing] if self._testing else [])):
                entry.cancelled = entry.cancelled or entry.request.source == source

    def states(self) -> tuple[MergeOutcome, ...]:
        """Tells what is being checked and what waits, in order."""
        with self._guard:
            testing = [MergeOutcome(request=self._testing.request, state="testing")] if self._testing else []
            return (*testing, *(MergeOutcome(request=entry.request, state="queued") for entry in self._waiting))

    def next(self) -> MergeOutcome | None:
        """Merges the first candidate, one at a time, and tells what came of it; None where nothing waits.

        Where somebody else is in the way (RefLocked, RefMoved, CheckedOutElsewhere, GitTimeout, DiskFull) it raises that, and the candidate stays first. What is
        wrong with the candidate itself is its reason.
        """
        with self._turn:
            with self._guard:
                if not self._waiting:
                    return None
                entry = self._testing = self._waiting.popleft()
            try:
                return self._outcome(entry)
            except _IN_THE_WAY:
                with self._guard:
                    self._waiting.appendleft(entry)
                raise
            except GitError as error:
                return MergeOutcome(request=entry.request, state="failed", reason=error.message)
            finally:
                with self._guard:
                    self._testing = None

    def _outcome(self, entry: _Entry) -> MergeOutcome:
        request = entry.request
        for attempt in range(1, _ATTEMPTS + 1):
            if entry.cancelled:
                break
            tip = self._repository.resolve(request.into)
            if tip is None:
                return MergeOutcome(request=request, state="failed", reason=f"There is no branch {request.into}. Make it first.")
            preview = self._preview(tip, request.source)
            if preview.conflicts:
                return MergeOutcome(request=request, state="conflicted", conflicts=preview.conflicts)
            found = self._checked(preview.tree)
            if not found.passed:
                return MergeOutcome(request=request, state="failed", reason=found.output)
            if entry.cancelled:
                break
            try:
                return MergeOutcome(request=request, state="landed", commit=self._landed(request, tip, preview.tree))
            except RefMoved:  # the tip that was checked is not the tip any more
                if attempt == _ATTEMPTS:
                    raise
        return MergeOutcome(request=request, state="cancelled")

    def _preview(self, tip: Oid, source: Oid) -> MergePreview:
        preview = self._merger.preview(tip, source)
        return self._merger.settle(preview, tip, source, self._merge) if self._merge and preview.conflicts else preview

    def _checked(self, tree: Oid) -> CheckResult:
        delete_tree(self._scratch)
        try:
            export_tree(self._repository, tree, self._scratch)
            return self._check(self._scratch)
        finally:
            delete_tree(self._scratch)

    def _landed(self, request: MergeRequest, tip: Oid, tree: Oid) -> CommitResult:
        commit = CommitRequest(
            ref=request.into,
            message=request.message,
            author=request.author,
            when=request.when,
            trailers=request.trailers,
            event=request.event,
            tree=tree,
            merge_parents=(request.source,),
            expect=tip,
        )
        return self._writer.commit([commit])[0]


_IN_THE_WAY = (RefLocked, RefMoved, CheckedOutElsewhere, GitTimeout, DiskFull)
