"""Commits without a checkout: one fast-import into scratch refs, then one compare-and-swap of every ref that moves.

Nothing here opens an index or a working tree. What is acknowledged is on disk; what is not has moved no ref.
"""

import itertools
import time
import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from specgit.errors import BranchInUse, CheckedOutElsewhere, GitError, NotAhead, RefLocked, RefMoved, SymbolicBranch, UnsafePath
from specgit.history import EVENT_TRAILER, join_message
from specgit.import_stream import REGULAR, PlannedCommit, import_stream, person_line
from specgit.in_use import branches_in_use, symbolic_branches
from specgit.lock import WriteLock, write_lock
from specgit.recovery import RecoveryReport, recover, remove_crash_reports, remove_scratch, remove_stale_locks
from specgit.replay import ReplayIndex
from specgit.repository import Repository
from specgit.types import Oid, Person, RefName, danger_of, is_own_ref, validate_path

_ATTEMPTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRequest:
    """One commit to make on one ref.

    The tree is that of the parent, or `tree`; then `files` (None deletes), `copies` (path to mode and blob) and `worktree_files` (path
    to mode and bytes, names as they are on disk) are laid over it. `start` is the parent where the ref does not exist yet; without it the
    commit has none. `expect` is the tip the caller built on (`repository.zero`: no ref), None takes whatever the tip is. An `event` found
    on the ref since `since` is answered with its commit and makes no second one.
    """

    ref: RefName
    message: str
    author: Person
    when: datetime
    trailers: Sequence[tuple[str, str]] = ()
    event: str | None = None
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    tree: Oid | None = None
    copies: Mapping[str, tuple[str, Oid]] = field(default_factory=dict)
    worktree_files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    merge_parents: Sequence[Oid] = ()
    start: Oid | None = None
    expect: Oid | None = None
    since: Oid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRequest:
    """An annotated tag to make unless it is there already; `target` is a commit or the index of a commit of the same change."""

    ref: RefName
    target: int | Oid
    message: str
    tagger: Person
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitResult:
    """A durable commit; `replayed` when it was there already."""

    ref: RefName
    oid: Oid
    parent: Oid | None
    tree: Oid
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tip:
    oid: Oid
    peeled: Oid
    worktree: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a change comes to at the present tips: a result for each request that is replayed, a planned commit for each other."""

    tips: Mapping[RefName, _Tip]
    replayed: Mapping[int, CommitResult]
    commits: Mapping[int, PlannedCommit]


class Writer:
    """The one way by which Specthread's refs move; threads and processes may share a repository, one change at a time."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._runner = repository.runner
        self._index = ReplayIndex(repository.runner)
        self._last_tips: dict[RefName, Oid] = {}
        self._left_at = 0

    def commit(
        self, changes: Sequence[CommitRequest], tags: Sequence[TagRequest] = (), *, allow_checked_out: AbstractSet[RefName] = frozenset()
    ) -> tuple[CommitResult, ...]:
        """Makes all commits and tags, or none; several commits on one ref follow each other in the order given.

        Raises RefMoved when a tip is not the expected one, CheckedOutElsewhere, UnsafePath, RefLocked, DiskFull.
        """
        _check_names(changes, tags)
        with write_lock(self._repository) as lock:
            if lock.changed_at() != self._left_at:
                self._last_tips.clear()
            for attempt in range(1, _ATTEMPTS + 1):
                plan = self._plan(changes, self._look(changes, tags), allow_checked_out)
                if plan.replayed and self._last_tips:
                    # No swap will confirm what is only remembered: somebody may have taken these commits off the branch.
                    self._last_tips.clear()
                    plan = self._plan(changes, self._look(changes, tags), allow_checked_out)
                try:
                    results = self._carry_out(plan, changes, tags, lock)
                except RefMoved:
                    # Somebody moved a ref since our look: look again. An expectation that no longer holds then ends this.
                    self._last_tips.clear()
                    if attempt == _ATTEMPTS:
                        raise
                    time.sleep(0.005 * attempt)
                else:
                    self._left_at = lock.changed_at()
                    return results
        raise AssertionError("the last attempt returns or raises")

    def recover(self) -> RecoveryReport:
        """Removes what a killed writer left behind; to be called before the first commit after a start."""
        with write_lock(self._repository):
            return recover(self._repository)

    def set_ref(self, ref: RefName, new: Oid, expect: Oid | None, *, allow_checked_out: AbstractSet[RefName] = frozenset()) -> None:
        """Moves one of Specthread's refs from `expect` (None: it does not exist) to `new`, or raises RefMoved."""
        _require_own(ref)
        with write_lock(self._repository) as lock:
            worktree = self._repository.checked_out().get(ref)
            if worktree and ref not in allow_checked_out:
                raise CheckedOutElsewhere(ref, worktree)
            self._transact(lock, [ref], _update(ref, new, expect or self._repository.zero))

    def fast_forward(self, branch: RefName, new: Oid, *, expect: Oid, reason: str) -> None:
        """Moves a branch of the user's from `expect` ahead to a commit that holds it; only where that user asked for just this.

        `reason` goes into its reflog. Raises BranchInUse, SymbolicBranch, NotAhead, RefMoved. A lock file that a kill leaves on it stays, as it may be
        the user's.
        """
        with write_lock(self._repository) as lock:
            if used := branches_in_use(self._repository).get(branch):
                raise BranchInUse(branch, used.path, used.how)
            if meant := symbolic_branches(self._repository).get(branch):
                raise SymbolicBranch(branch, meant)
            if not branch.startswith("refs/heads/") or not self._repository.is_ancestor(expect, new):
                raise NotAhead(branch)
            args = ["update-ref", "--no-deref", "--create-reflog", "-m", reason, "--stdin", "-z"]
            self._runner.run(args, stdin=_update(branch, new, expect), pass_fds=[lock.descriptor])

    def archive(self, moves: Mapping[RefName, RefName]) -> dict[RefName, Oid]:
        """Gives branches of ours another name below `refs/specthread/archive/`, all at once, and returns where each stood.

        A branch that is not there, because it has that name already or never was, is left out. Where the name is taken by another commit, it gets a number.
        Raises CheckedOutElsewhere, RefMoved.
        """
        for old, new in moves.items():
            _require_own(old)
            if not new.startswith("refs/specthread/archive/"):
                raise UnsafePath(f"{new} is no place to archive a branch. Use a name below refs/specthread/archive/.")
        with write_lock(self._repository) as lock:
            tips = self._tips([*moves], self._repository.checked_out())
            for ref, tip in tips.items():
                if tip.worktree is not None:
                    raise CheckedOutElsewhere(ref, tip.worktree)
            if tips:
                taken = self._repository.refs(*{new.rpartition("/")[0] for new in moves.values()})
                names = {ref: _free_name(moves[ref], tip.oid, taken) for ref, tip in tips.items()}
                steps = b"".join(
                    _update(names[ref], tip.oid, taken.get(names[ref], self._repository.zero)) + _delete(ref, tip.oid)
                    for ref, tip in tips.items()
                )
                self._transact(lock, [*tips, *names.values()], steps)
                for ref in tips:
                    self._last_tips.pop(ref, None)
        return {ref: tip.oid for ref, tip in tips.items()}

    def delete_ref(self, ref: RefName, expect: Oid) -> None:
        """Deletes a ref below `refs/specthread/`, or raises RefMoved when it is not at `expect`."""
        if not ref.startswith("refs/specthread/"):
            raise UnsafePath(f"{ref} is a branch or tag, and those are never deleted. Archive it instead.")
        with write_lock(self._repository) as lock:
            self._transact(lock, [ref], _delete(ref, expect))

    def _look(self, changes: Sequence[CommitRequest], tags: Sequence[TagRequest]) -> dict[RefName, _Tip]:
        """Finds where the refs are: where we left them, which the swap will confirm, or by asking git."""
        refs = [*(change.ref for change in changes), *(tag.ref for tag in tags)]
        heads = self._repository.checked_out()
        if all(ref in self._last_tips for ref in refs):
            tips = {ref: _Tip(oid=self._last_tips[ref], peeled=self._last_tips[ref], worktree=heads.get(ref)) for ref in refs}
            if all(change.expect in {None, tips[change.ref].oid} for change in changes):
                return tips
        return self._tips(refs, heads)

    def _plan(self, changes: Sequence[CommitRequest], tips: Mapping[RefName, _Tip], allowed: AbstractSet[RefName]) -> _Plan:
        replayed: dict[int, CommitResult] = {}
        commits: dict[int, PlannedCommit] = {}
        last_on_ref: dict[RefName, PlannedCommit] = {}
        change_id = uuid.uuid4().hex
        for number, change in enumerate(changes):
            tip = tips.get(change.ref)
            if tip and change.event and (found := self._index.find(change.ref, tip.oid, change.event, change.since)):
                replayed[number] = self._result_of(change.ref, found)
                continue
            # A branch may be checked out before it exists: whoever waits there for their first commit would find ours.
            worktree = tip.worktree if tip else self._repository.checked_out().get(change.ref)
            if worktree and change.ref not in allowed:
                raise CheckedOutElsewhere(change.ref, worktree)
            if change.expect not in {None, tip.oid if tip else self._repository.zero}:
                raise RefMoved(change.ref, expected=change.expect or "")
            earlier = last_on_ref.get(change.ref)
            parent = f":{earlier.mark}" if earlier else tip.oid if tip else change.start
            scratch = earlier.scratch_ref if earlier else f"refs/specthread/pending/{change_id}-{number}"
            planned = _planned(change, number + 1, scratch, parent, first=earlier is None)
            commits[number] = last_on_ref[change.ref] = planned
        return _Plan(tips=tips, replayed=replayed, commits=commits)

    def _carry_out(
        self, plan: _Plan, changes: Sequence[CommitRequest], tags: Sequence[TagRequest], lock: WriteLock
    ) -> tuple[CommitResult, ...]:
        made = self._import(plan, changes, lock)
        results = {**plan.replayed, **made}
        scratch = {commit.scratch_ref: made[number].oid for number, commit in plan.commits.items()}
        try:
            tips = {changes[number].ref: made[number].oid for number in made}
            moves = [_update(ref, oid, plan.tips[ref].oid if ref in plan.tips else self._repository.zero) for ref, oid in tips.items()]
            new_tags = self._make_tags(plan, tags, results)
            moves += [_update(ref, oid, self._repository.zero) for ref, oid in new_tags.items()]
            moves += [_delete(RefName(ref), oid) for ref, oid in scratch.items()]
            if moves:
                self._transact(lock, [*tips, *new_tags], b"".join(moves))
        except GitError:
            deletions = b"".join(_delete(RefName(ref), oid) for ref, oid in scratch.items())
            self._runner.run(["update-ref", "--stdin", "-z"], stdin=deletions, check=False, pass_fds=[lock.descriptor])
            raise
        for number, result in made.items():
            self._index.note(result.ref, result.parent, result.oid, changes[number].event)
            self._last_tips[result.ref] = result.oid
        return tuple(results[number] for number in range(len(changes)))

    def _import(self, plan: _Plan, changes: Sequence[CommitRequest], lock: WriteLock) -> dict[int, CommitResult]:
        if not plan.commits:
            return {}
        stream = import_stream(list(plan.commits.values()))
        try:
            done = self._runner.run(["fast-import", "--quiet", "--done"], stdin=stream, pass_fds=[lock.descriptor])
        except GitError:
            remove_crash_reports(self._repository.git_dir)
            with suppress(
                GitError
            ):  # a full disk may have stopped it between two scratch refs; what cannot go now goes after the next start
                remove_scratch(self._repository)
            raise
        lines = done.text.split("\n")
        oids = {f":{commit.mark}": Oid(line) for commit, line in zip(plan.commits.values(), lines[0::2], strict=True)}
        results = {}
        for (number, commit), line in zip(plan.commits.items(), lines[1::2], strict=True):
            parent = oids.get(commit.parent or "", Oid(commit.parent) if commit.parent else None)
            tree = Oid(line.split()[2]) if not line.startswith("missing") else self._empty_tree()
            results[number] = CommitResult(ref=changes[number].ref, oid=oids[f":{commit.mark}"], parent=parent, tree=tree, replayed=False)
        return results

    def _make_tags(self, plan: _Plan, tags: Sequence[TagRequest], results: Mapping[int, CommitResult]) -> dict[RefName, Oid]:
        """Writes the tag objects that are not there yet and returns where their refs go."""
        made = {}
        for tag in tags:
            target = results[tag.target].oid if isinstance(tag.target, int) else tag.target
            if tag.ref in plan.tips:
                if plan.tips[tag.ref].peeled != target:
                    raise GitError(f"The tag {tag.ref} marks another commit, and a version is never moved. Use the next version number.")
                continue
            name = tag.ref.removeprefix("refs/tags/")
            text = f"object {target}\ntype commit\ntag {name}\ntagger {person_line(tag.tagger, tag.when)}\n\n{tag.message.strip()}\n"
            made[tag.ref] = Oid(self._runner.run(["mktag"], stdin=text.encode()).text)
        return made

    def _transact(self, lock: WriteLock, refs: Sequence[RefName], moves: bytes) -> None:
        args = ["update-ref", "--no-deref", "-m", "specthread", "--stdin", "-z"]
        try:
            with lock.noted(refs):
                self._runner.run(args, stdin=moves, pass_fds=[lock.descriptor])
        except RefLocked:
            # Whoever left an old lock on one of our refs will not come back for it.
            if not remove_stale_locks(self._repository.git_dir):
                raise
            with lock.noted(refs):
                self._runner.run(args, stdin=moves, pass_fds=[lock.descriptor])

    def _tips(self, refs: Sequence[RefName], heads: Mapping[RefName, Path]) -> dict[RefName, _Tip]:
        fields = "--format=%(refname)%00%(objectname)%00%(*objectname)"
        lines = self._runner.run(["for-each-ref", fields, *dict.fromkeys(refs)]).text.split("\n")
        tips = {}
        for line in filter(None, lines):
            ref, oid, peeled = line.split("\0")
            tips[RefName(ref)] = _Tip(oid=Oid(oid), peeled=Oid(peeled or oid), worktree=heads.get(RefName(ref)))
        return tips

    def _result_of(self, ref: RefName, oid: Oid) -> CommitResult:
        tree = self._repository.tree_of(oid)
        return CommitResult(ref=ref, oid=oid, parent=self._repository.resolve(f"{oid}^1"), tree=tree, replayed=True)

    def _empty_tree(self) -> Oid:
        return Oid(self._runner.run(["mktree"]).text)


def _planned(change: CommitRequest, mark: int, scratch: str, parent: str | None, *, first: bool) -> PlannedCommit:
    event = [(EVENT_TRAILER, change.event)] if change.event else []
    written = {path: (REGULAR, content) for path, content in change.files.items() if content is not None}
    return PlannedCommit(
        mark=mark,
        scratch_ref=scratch,
        first_on_ref=first,
        parent=parent,
        merge_parents=change.merge_parents,
        message=join_message(change.message, [*change.trailers, *event]),
        author=change.author,
        when=change.when,
        tree=change.tree,
        deleted=[path for path, content in change.files.items() if content is None],
        copies=change.copies,
        files={**written, **change.worktree_files},
    )


def _check_names(changes: Sequence[CommitRequest], tags: Sequence[TagRequest]) -> None:
    for ref, when in [*((change.ref, change.when) for change in changes), *((tag.ref, tag.when) for tag in tags)]:
        _require_own(ref)
        if when.tzinfo is None:
            raise ValueError(f"{when} has no time zone")
    for change in changes:
        for path in (path for path, content in change.files.items() if content is not None):
            validate_path(path)
        for path in (*change.files, *change.copies, *change.worktree_files):
            if reason := next(filter(None, map(danger_of, path.split("/"))), ""):
                raise UnsafePath(f"The path {path!r} cannot be written into the repository: {reason}. Choose another name.")


def _free_name(name: RefName, oid: Oid, taken: Mapping[RefName, Oid]) -> RefName:
    """Returns the name, or the first numbered one of it, that no other commit has."""
    numbered = (RefName(f"{name}-{number}") if number > 1 else name for number in itertools.count(1))
    return next(free for free in numbered if taken.get(free, oid) == oid)


def _require_own(ref: RefName) -> None:
    if not is_own_ref(ref):
        raise UnsafePath(f"{ref} does not belong to Specthread, so it is not moved. Use a name below spectask/.")


def _update(ref: RefName, new: Oid, old: Oid) -> bytes:
    return f"update {ref}\0{new}\0{old}\0".encode()


def _delete(ref: RefName, old: Oid) -> bytes:
    return f"delete {ref}\0{old}\0".encode()
