"""What a worktree holds beyond its branch, kept under a ref before it can be lost.

A snapshot is made from our own list of files, as every commit of a worktree is: git never looks at them. It lies on top of the commit that the worktree
stands on, and where its ref is there already, on top of that: what was once kept stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from specgit.commits import CommitRequest, Writer
from specgit.errors import UnsafePath
from specgit.repository import Repository
from specgit.scan import Dropped, WorktreeScan
from specgit.types import Oid, Person, RefName

_ARCHIVE = "refs/specthread/archive/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Where a snapshot goes, below `refs/specthread/archive/`, and what its commit says."""

    ref: RefName
    message: str
    author: Person
    when: datetime
    trailers: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A snapshot on disk; `dropped` is what no history can hold, which its message names too. Ignored files are in neither."""

    ref: RefName
    oid: Oid
    dropped: tuple[Dropped, ...]


def keep_snapshot(repository: Repository, writer: Writer, keep: Keep, *, head: Oid, scan: WorktreeScan) -> Kept:
    """Makes the ref hold commit `head` with the changes of `scan` over it; what it holds already makes no second commit."""
    if not keep.ref.startswith(_ARCHIVE):
        raise UnsafePath(f"{keep.ref} does not lie below {_ARCHIVE}, so nothing is kept there. Choose a name there.")
    before = repository.resolve(keep.ref)
    if before is None and not scan.files and not scan.deleted:
        writer.set_ref(keep.ref, head, None)
        return Kept(ref=keep.ref, oid=head, dropped=scan.dropped)
    left_out = [f"Left out: {item.path} ({item.reason})" for item in scan.dropped]
    request = CommitRequest(
        ref=keep.ref,
        message="\n\n".join([keep.message, *(["\n".join(left_out)] if left_out else [])]),
        author=keep.author,
        when=keep.when,
        trailers=keep.trailers,
        tree=repository.tree_of(head),
        files=dict.fromkeys(scan.deleted),
        worktree_files=scan.files,
        start=head,
        merge_parents=(head,) if before is not None and not repository.is_ancestor(head, before) else (),
        expect=before or repository.zero,
    )
    if before is not None and _holds(repository, before, head, scan):
        return Kept(ref=keep.ref, oid=before, dropped=scan.dropped)
    return Kept(ref=keep.ref, oid=writer.commit([request])[0].oid, dropped=scan.dropped)


def _holds(repository: Repository, kept: Oid, head: Oid, scan: WorktreeScan) -> bool:
    """Tells whether a commit that is kept already holds `head` and differs from it just as the worktree does."""
    if not repository.is_ancestor(head, kept):
        return False
    if set(repository.changed_paths(head, kept)) != {*scan.files, *scan.deleted}:
        return False
    return all(repository.read(kept, path) == content for path, (_, content) in scan.files.items())
