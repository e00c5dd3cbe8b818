"""Merging, one session at a time: the tree is made in memory, checked, and only then the feature branch moves.

A conflict, or a check that is red on the merged tree, stops only that session: the feature branch is merged into its worktree (with markers where both changed
the same lines) and its agent goes on.
"""

from __future__ import annotations

from specgit.commits import CommitRequest
from specgit.types import Oid as GitOid
from specgit.types import spec_refs
from specthread.domain import commands as c
from specthread.domain.model import Oid, SpecTask, WorkSession
from specthread.domain.react import MergeSessions, MergeTarget, PublishFinal, mergeable
from specthread.engine.ports import DAEMON_PERSON, Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.verification import check_command, run_check, trailers


async def merge_sessions(ports: Ports, effect: MergeSessions) -> None:
    """Merges what is ready, lowest task first, until nothing is."""
    opened = await ports.repository(effect.spectask)
    while ready := mergeable(ports.spectask(effect.spectask)):
        await _merge(ports, opened, ports.spectask(effect.spectask), ready[0])


async def _merge(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> None:
    assert spectask.feature is not None  # noqa: S101  a session starts from it
    assert session.verification is not None  # noqa: S101  only a verified session merges
    feature, work = GitOid(spectask.feature), GitOid(session.verification.commit)
    preview = await in_thread(opened.merger.preview, feature, work)
    if preview.conflicts:
        text = (
            f"Your work conflicts with what was merged meanwhile, in {', '.join(preview.conflicts)}. The feature branch is merged into your files; "
            "resolve every conflict marker, keep both sides' meaning, then finish."
        )
        await _reject(ports, opened, spectask, session, "conflict", text)
        return
    for command in _merged_checks(ports, opened, spectask, session, same=preview.tree == GitOid(session.verification.tree)):
        run = await run_check(ports, opened, spectask, session, tree=preview.tree, command=command, use=f"merge-ws-{session.number}")
        if not run.passed:
            text = (
                f"On its own your work is green, but merged with the feature branch `{command}` fails (exit {run.exit_code}). The feature branch is merged "
                f"into your files; correct it, then finish.\n\n{run.output}"
            )
            await _reject(ports, opened, spectask, session, "merged-check", text)
            return
    merged = await in_thread(_commit_merge, ports, opened, spectask, session, preview.tree)
    await ports.submit(c.FinishMerge(spectask=spectask.id, session=session.id, feature=merged))


def _merged_checks(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, *, same: bool) -> tuple[str, ...]:
    """Returns the checks the merged tree must pass: the session's own (unless this very tree passed it) and the project's, else those of the tasks merged."""
    own = check_command(ports, opened, spectask, session)
    project = ports.repository_settings(opened).project_check
    before = tuple(
        check_command(ports, opened, spectask, other)
        for other in sorted(spectask.sessions.values(), key=lambda known: known.number)
        if other.merged
    )
    wanted = dict.fromkeys((own, project) if project else (own, *before))
    return tuple(command for command in wanted if not (same and command == own))


async def _reject(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, cause: str, text: str) -> None:
    assert spectask.feature is not None  # noqa: S101  the caller had one
    assert session.verification is not None  # noqa: S101  the same
    path = opened.worktree(spectask.id, f"ws-{session.number}")
    await in_thread(opened.merger.write_with_markers, path, GitOid(session.verification.commit), GitOid(spectask.feature))
    await ports.submit(
        c.RejectMerge(
            spectask=spectask.id,
            session=session.id,
            cause="conflict" if cause == "conflict" else "merged-check",
            text=text,
            conflict_with=spectask.feature,
        )
    )


def _commit_merge(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, tree: GitOid) -> Oid:
    assert spectask.feature is not None  # noqa: S101  the caller had one
    assert session.verification is not None  # noqa: S101  the same
    task = spectask.tasks[session.task].plan
    weak = " (weak: the check was green before the work)" if session.verification.outcome == "weak" else ""
    request = CommitRequest(
        ref=spec_refs(spectask.id).feature,
        message=f"Merge task {task.number}: {task.title}\n\n{session.summary}\n\nVerified by `{session.verification.check}`{weak}.",
        author=DAEMON_PERSON,
        when=ports.now(),
        trailers=trailers(spectask, session),
        event=ports.event_id(session.verified_seq),
        tree=tree,
        merge_parents=(GitOid(session.verification.commit),),
        expect=GitOid(spectask.feature),
        since=GitOid(spectask.feature),
    )
    (result,) = opened.writer.commit([request])
    return Oid(result.oid)


async def publish_final(ports: Ports, effect: PublishFinal) -> None:
    """Copies the documents, with their ticks, to the feature branch for the last time."""
    spectask = ports.spectask(effect.spectask)
    opened = await ports.repository(spectask.id)
    oid = await in_thread(_commit_final, ports, opened, spectask)
    await ports.submit(c.FinishFinal(spectask=spectask.id, feature=oid))


def _commit_final(ports: Ports, opened: OpenRepository, spectask: SpecTask) -> Oid:
    assert spectask.feature is not None  # noqa: S101  finished work has a feature branch
    request = CommitRequest(
        ref=spec_refs(spectask.id).feature,
        message=f"Publish final: the spec of {spectask.id} as it was carried out",
        author=DAEMON_PERSON,
        when=ports.now(),
        trailers=(("Spec-Task", spectask.id),),
        event=ports.event_id(max(document.seq for document in spectask.documents.values())),
        files={document.path: document.content for document in spectask.documents.values()},
        expect=GitOid(spectask.feature),
        since=GitOid(spectask.feature),
    )
    (result,) = opened.writer.commit([request])
    return Oid(result.oid)


async def merge_target(ports: Ports, effect: MergeTarget) -> None:
    """Merges the moved target into the feature branch, with the checks of everything merged so far."""
    spectask = ports.spectask(effect.spectask)
    opened = await ports.repository(spectask.id)
    target = await in_thread(opened.repository.resolve, f"refs/heads/{spectask.target}")
    assert spectask.feature is not None  # noqa: S101  decide asked
    feature = GitOid(spectask.feature)
    if target is None:
        await ports.submit(c.FinishSync(spectask=spectask.id, feature=None, reason=f"The target branch {spectask.target} is gone."))
        return
    if await in_thread(opened.repository.is_ancestor, target, feature):
        await ports.submit(c.FinishSync(spectask=spectask.id, feature=spectask.feature))
        return
    preview = await in_thread(opened.merger.preview, feature, target)
    problem = f"{spectask.target} conflicts with the feature branch in {', '.join(preview.conflicts)}." if preview.conflicts else ""
    merged = [session for session in spectask.sessions.values() if session.merged]
    for session in [] if problem else merged:
        command = check_command(ports, opened, spectask, session)
        run = await run_check(ports, opened, spectask, session, tree=preview.tree, command=command, use="merge-target")
        if not run.passed:
            problem = f"Merged with {spectask.target}, `{command}` fails (exit {run.exit_code})."
            break
    if problem:
        await ports.submit(c.FinishSync(spectask=spectask.id, feature=None, reason=problem))
        return
    request = CommitRequest(
        ref=spec_refs(spectask.id).feature,
        message=f"Merge {spectask.target} into {spectask.id}",
        author=DAEMON_PERSON,
        when=ports.now(),
        trailers=(("Spec-Task", spectask.id),),
        event=None,
        tree=preview.tree,
        merge_parents=(target,),
        expect=feature,
    )
    (result,) = await in_thread(opened.writer.commit, [request])
    await ports.submit(c.FinishSync(spectask=spectask.id, feature=Oid(result.oid)))
