"""Merging, one session at a time: the tree is made in memory, checked, and only then the feature branch moves.

A conflict, or a check that is red on the merged tree, stops only that session: the feature branch is merged into its worktree (with markers where both changed
the same lines) and its agent goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from specgit.commits import CommitRequest
from specgit.merge import MergePreview
from specgit.types import Oid as GitOid
from specgit.types import spec_refs
from specthread.domain import reports
from specthread.domain.completion import final_documents, is_finished
from specthread.domain.family import work_of
from specthread.domain.ids import Oid, SpecTaskId
from specthread.domain.model import SpecTask
from specthread.domain.react import MergeSessions, PublishFinal, mergeable, wanted
from specthread.domain.run import MAX_CONFLICTS, Verification, WorkSession
from specthread.engine.check_run import run_check
from specthread.engine.document_merge import merge_spec_file
from specthread.engine.permitting import PermissionAwaited
from specthread.engine.ports import DAEMON_PERSON, Ports, in_thread, to_its_end
from specthread.engine.repositories import OpenRepository
from specthread.engine.session_work import bring_in, trailers
from specthread.engine.setup import clean_up
from specthread.engine.verification import check_command
from specthread.views.pull_request import said_in_commit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A verified session about to be merged onto the feature tip `feature`."""

    spectask: SpecTask
    session: WorkSession
    verification: Verification
    feature: GitOid

    @property
    def work(self) -> GitOid:
        """The session's commit."""
        return GitOid(self.verification.commit)


async def acknowledge_moves(ports: Ports, opened: OpenRepository, identifier: SpecTaskId) -> None:
    """Reports the moves of the feature branch that git holds and the state does not know: the daemon died between a commit and its report."""
    spectask = ports.spectask(identifier)
    if spectask.feature is None:
        return
    find = partial(opened.repository.find_event, spec_refs(spectask.id).feature, since=GitOid(spectask.feature))
    for session in spectask.sessions.values():
        if session.verified_seq and session.merged is None:
            merged = await in_thread(find, ports.event_id(session.verified_seq))
            if merged is not None:
                await ports.submit(reports.FinishMerge(spectask=spectask.id, session=session.id, feature=Oid(merged)))
    if spectask.sync_seq and (synced := await in_thread(find, ports.event_id(spectask.sync_seq))):
        await ports.submit(reports.FinishSync(spectask=spectask.id, feature=Oid(synced)))
    if spectask.feature_seq and (final := await in_thread(find, ports.event_id(spectask.feature_seq))):
        await ports.submit(reports.FinishFinal(spectask=spectask.id, feature=Oid(final)))


def may_have_moved(spectask: SpecTask) -> bool:
    """Tells whether a commit on the feature branch may have been made and not been reported."""
    return (
        spectask.syncing
        or is_finished(spectask)
        or any(known.verified_seq and known.merged is None for known in spectask.sessions.values())
    )


async def merge_sessions(ports: Ports, effect: MergeSessions) -> None:
    """Merges what is ready, lowest task first, until nothing is."""
    opened = await ports.repository(effect.spectask)
    await acknowledge_moves(ports, opened, effect.spectask)
    while candidate := _next(ports.spectask(effect.spectask)):
        # Who awaits a permission is no candidate until it is given.
        with suppress(PermissionAwaited):
            await _merge(ports, opened, candidate)


def _next(spectask: SpecTask) -> _Candidate | None:
    for session in mergeable(spectask):
        if session.verification is not None and spectask.feature is not None:
            return _Candidate(spectask=spectask, session=session, verification=session.verification, feature=GitOid(spectask.feature))
    return None


def _holds(ports: Ports, candidate: _Candidate) -> bool:
    """Tells whether the candidate may still be merged: a pause, a cancellation, a changed word or a moved branch may have come while it was checked."""
    now = ports.spectask(candidate.spectask.id)
    ready = {(session.id, session.verified_seq) for session in mergeable(now)} if MergeSessions(spectask=now.id) in wanted(now) else set()
    return (candidate.session.id, candidate.session.verified_seq) in ready and now.feature == candidate.spectask.feature


async def _merge(ports: Ports, opened: OpenRepository, candidate: _Candidate) -> None:
    spectask, session = candidate.spectask, candidate.session
    preview = await in_thread(previewed, opened, spectask, candidate.feature, candidate.work)
    if preview.conflicts:
        text = (
            f"Your work conflicts with what was merged meanwhile, in {', '.join(preview.conflicts)}. The feature branch is merged into your files; "
            "resolve every conflict marker, keep both sides' meaning, then finish."
        )
        await _reject(ports, opened, candidate, "conflict", text)
        return
    for command in _merged_checks(ports, opened, candidate, preview.tree):
        run = await run_check(ports, opened, spectask, session, tree=preview.tree, command=command, use=f"merge-ws-{session.number}")
        if not _holds(ports, candidate):
            return
        if run.passed is None:
            text = f"The check of the merged tree could not run: `{command}` (exit {run.exit_code}).\n{run.output}"
            await _reject(ports, opened, candidate, "cannot-run", text)
            return
        if not run.passed:
            text = (
                f"On its own your work is green, but merged with the feature branch `{command}` fails (exit {run.exit_code}). The feature branch is merged "
                f"into your files; correct it, then finish.\n\n{run.output}"
            )
            await _reject(ports, opened, candidate, "merged-check", text)
            return
    if _holds(ports, candidate):
        await to_its_end(_finish_merge(ports, opened, candidate, preview.tree))


def previewed(opened: OpenRepository, spectask: SpecTask, ours: GitOid, theirs: GitOid) -> MergePreview:
    """Merges two commits in memory; specs of the project are merged by what they mean where their lines conflict."""
    own = {document.path for document in spectask.documents.values()}
    found = opened.merger.preview(ours, theirs)
    return opened.merger.settle(found, ours, theirs, partial(merge_spec_file, own)) if found.conflicts else found


async def _finish_merge(ports: Ports, opened: OpenRepository, candidate: _Candidate, tree: GitOid) -> None:
    merged = await in_thread(_commit_merge, ports, opened, candidate, tree)
    await ports.submit(reports.FinishMerge(spectask=candidate.spectask.id, session=candidate.session.id, feature=merged))
    await clean_up(ports, opened, candidate.spectask.id, candidate.session.id)


def _merged_checks(ports: Ports, opened: OpenRepository, candidate: _Candidate, tree: GitOid) -> tuple[str, ...]:
    """Returns the checks the merged tree must pass: the session's own (unless this very tree passed it) and the project's, else those of the tasks merged."""
    spectask = candidate.spectask
    own = check_command(ports, opened, spectask, candidate.session)
    project = ports.repository_settings(opened).project_check
    merged = sorted((other for other in spectask.sessions.values() if other.merged), key=lambda other: other.number)
    wanted = dict.fromkeys((own, project) if project else (own, *(check_command(ports, opened, spectask, other) for other in merged)))
    passed = tree == GitOid(candidate.verification.tree) and candidate.verification.check == own
    return tuple(command for command in wanted if not (passed and command == own))


async def _reject(ports: Ports, opened: OpenRepository, candidate: _Candidate, cause: reports.MergeProblem, text: str) -> None:
    spectask, session = candidate.spectask, candidate.session
    if not _holds(ports, candidate):
        return
    # Where the session will not run again, its files stay as its agent left them.
    if cause != "cannot-run" and session.conflicts < MAX_CONFLICTS:
        await in_thread(bring_in, ports, opened, spectask, session, candidate.feature)
    await ports.submit(
        reports.RejectMerge(spectask=spectask.id, session=session.id, cause=cause, text=text, conflict_with=Oid(candidate.feature))
    )


def _commit_merge(ports: Ports, opened: OpenRepository, candidate: _Candidate, tree: GitOid) -> Oid:
    spectask, session, verification = candidate.spectask, candidate.session, candidate.verification
    task = work_of(spectask, session)
    what = f"task {task.number}" if session.task else task.number
    weak = " (weak: the check was green before the work)" if verification.outcome == "weak" else ""
    return commit_on_feature(
        ports,
        opened,
        spectask,
        message=f"Merge {what}: {task.title}\n\n{session.summary}\n\nVerified by `{verification.check}`{weak}.",
        trailers=trailers(spectask, session),
        event=ports.event_id(session.verified_seq),
        tree=tree,
        merge_parents=(candidate.work,),
    )


def commit_on_feature(
    ports: Ports,
    opened: OpenRepository,
    spectask: SpecTask,
    *,
    message: str,
    trailers: tuple[tuple[str, str], ...],
    event: str,
    files: Mapping[str, bytes] | None = None,
    tree: GitOid | None = None,
    merge_parents: tuple[GitOid, ...] = (),
) -> Oid:
    """Makes one commit on the feature tip that the state knows; nobody else's move of the branch is overwritten."""
    tip = GitOid(spectask.feature or spectask.base)
    request = CommitRequest(
        ref=spec_refs(spectask.id).feature,
        message=said_in_commit(ports.redacted(message)),
        author=DAEMON_PERSON,
        when=ports.now(),
        trailers=trailers,
        event=event,
        files=files or {},
        tree=tree,
        merge_parents=merge_parents,
        expect=tip,
        since=tip,
    )
    (result,) = opened.writer.commit([request])
    return Oid(result.oid)


async def publish_final(ports: Ports, effect: PublishFinal) -> None:
    """Copies the documents, with their ticks, to the feature branch for the last time."""
    opened = await ports.repository(effect.spectask)
    await acknowledge_moves(ports, opened, effect.spectask)
    spectask = ports.spectask(effect.spectask)
    if is_finished(spectask):
        await to_its_end(_finish_final(ports, opened, spectask))


async def _finish_final(ports: Ports, opened: OpenRepository, spectask: SpecTask) -> None:
    oid = await in_thread(_commit_final, ports, opened, spectask)
    await ports.submit(reports.FinishFinal(spectask=spectask.id, feature=oid))


def _commit_final(ports: Ports, opened: OpenRepository, spectask: SpecTask) -> Oid:
    return commit_on_feature(
        ports,
        opened,
        spectask,
        message=f"Publish final: the spec of {spectask.id} as it was carried out",
        trailers=(("Spec-Task", spectask.id),),
        event=ports.event_id(spectask.feature_seq),
        files=final_documents(spectask),
    )
