"""A session's files as a commit on its branch: what is left out of it, and what ties it to its task and requirements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256

from specgit.errors import GitError, UnsavedWork
from specgit.known import KnownFiles
from specgit.types import Oid as GitOid
from specgit.types import Person, spec_refs
from specgit.worktrees import SessionCommit
from specthread.domain.family import work_of
from specthread.domain.model import SpecTask
from specthread.domain.run import WorkSession
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.views.pull_request import said_in_commit


def protected_folders(spectask: SpecTask) -> tuple[str, ...]:
    """Returns what an agent's work never changes: the documents and our own folders; what else lies in an adopted folder belongs to the project."""
    documents = {document.path for document in spectask.documents.values()}
    return tuple(sorted({*documents, f".specs/{spectask.id}", ".specthread"}))


def look_at(opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> Callable[[], Awaitable[object]]:
    """Returns a look at how the session's files differ from its start: the same value while they do so in the same way, None where it cannot be told."""
    path, known = opened.worktree(spectask.id, f"ws-{session.number}"), KnownFiles()
    start, dropped = GitOid(session.start), protected_folders(spectask)

    def look() -> object:
        try:
            found = opened.worktrees.scan(path, against=start, drop_prefixes=dropped, known=known)
        except (GitError, OSError):
            return None
        return frozenset((name, mode, sha256(content).digest()) for name, (mode, content) in found.files.items()), found.deleted

    return partial(in_thread, look)


def trailers(spectask: SpecTask, session: WorkSession) -> tuple[tuple[str, str], ...]:
    """Returns the trailers that tie a commit to its task, requirements and session."""
    return (
        ("Spec-Task", f"{spectask.id}/{session.task}" if session.task else spectask.id),
        *(("Spec-Requirement", requirement) for requirement in work_of(spectask, session).requires),
        ("Spec-Session", f"{session.id}/{session.attempt}"),
    )


def commit_work(
    ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, *, said: str, seq: int | None
) -> SessionCommit:
    """Commits what is in the worktree to the session's branch; the same event `seq` twice makes one commit."""
    task = work_of(spectask, session)
    return opened.worktrees.commit(
        opened.worktree(spectask.id, f"ws-{session.number}"),
        branch=spec_refs(spectask.id).session(session.number),
        message=said_in_commit(ports.redacted(f"{task.number} {task.title}\n\n{said}")),
        author=Person(name=f"Specthread ws-{session.number}", email=f"ws-{session.number}@specthread.localhost"),
        when=ports.now(),
        trailers=trailers(spectask, session),
        event=None if seq is None else ports.event_id(seq),
        since=GitOid(session.start),
        merge_parents=(GitOid(session.conflict_with),) if session.conflict_with else (),
        drop_prefixes=protected_folders(spectask),
    )


def bring_in(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, feature: GitOid) -> tuple[str, ...]:
    """Merges a tip of the feature branch into the session's files and returns the paths with conflict markers; done again after a crash, it comes to the same.

    What the merge would write over is committed first, whether the agent or a person put it there.
    """
    path, refs = opened.worktree(spectask.id, f"ws-{session.number}"), spec_refs(spectask.id)
    write = partial(opened.merger.write_with_markers, path, theirs=feature, drop_prefixes=protected_folders(spectask))
    tip = opened.repository.resolve(refs.session(session.number)) or GitOid(session.start)
    try:
        return write(ours=tip)
    except UnsavedWork:
        kept = commit_work(ports, opened, spectask, session, said="Kept before the feature branch is brought in.", seq=None)
        return write(ours=kept.oid)
