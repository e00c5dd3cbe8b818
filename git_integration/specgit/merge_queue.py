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
from specgit.errors import RefMoved
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
        self._waiting: deque[MergeRequest] = deque()
        self._cancelled: set[Oid] = set()
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._testing: MergeRequest | None = None

    def enqueue(self, request: MergeRequest) -> None:
        """Adds a candidate at the end."""
        with self._guard:
            self._cancelled.discard(request.source)
            self._waiting.append(request)

    def cancel(self, source: Oid) -> None:
        """Takes a candidate out; one that is being checked does not land."""
        with self._guard:
            self._cancelled.add(source)

    def states(self) -> tuple[MergeOutcome, ...]:
        """Tells what is being checked and what waits, in order."""
        with self._guard:
            testing = [MergeOutcome(request=self._testing, state="testing")] if self._testing else []
            return (*testing, *(MergeOutcome(request=request, state="queued") for request in self._waiting))

    def next(self) -> MergeOutcome | None:
        """Merges the first candidate, one at a time, and tells what came of it; None where nothing waits. Raises GitError, then the candidate stays first."""
        with self._turn:
            with self._guard:
                if not self._waiting:
                    return None
                request = self._testing = self._waiting[0]
            try:
                outcome = self._outcome(request)
            finally:
                with self._guard:
                    self._testing = None
            with self._guard:
                self._waiting.popleft()
                self._cancelled.discard(request.source)
            return outcome

    def _outcome(self, request: MergeRequest) -> MergeOutcome:
        for attempt in range(1, _ATTEMPTS + 1):
            if self._is_cancelled(request):
                return MergeOutcome(request=request, state="cancelled")
            tip = self._repository.resolve(request.into)
            if tip is None:
                return MergeOutcome(request=request, state="failed", reason=f"There is no branch {request.into}. Make it first.")
            preview = self._preview(tip, request.source)
            if preview.conflicts:
                return MergeOutcome(request=request, state="conflicted", conflicts=preview.conflicts)
            found = self._checked(preview.tree)
            if not found.passed:
                return MergeOutcome(request=request, state="failed", reason=found.output)
            try:
                commit = self._landed(request, tip, preview.tree)
            except RefMoved:  # the tip that was checked is not the tip any more
                if attempt == _ATTEMPTS:
                    raise
                continue
            return MergeOutcome(request=request, state="landed" if commit else "cancelled", commit=commit)
        raise AssertionError("the last attempt returns or raises")

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

    def _landed(self, request: MergeRequest, tip: Oid, tree: Oid) -> CommitResult | None:
        """Moves the branch, unless the candidate was cancelled meanwhile."""
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
        with self._guard:
            if request.source in self._cancelled:
                return None
            return self._writer.commit([commit])[0]

    def _is_cancelled(self, request: MergeRequest) -> bool:
        with self._guard:
            return request.source in self._cancelled
