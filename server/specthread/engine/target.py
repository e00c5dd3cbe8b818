"""The branch the work is for: how far it has gone on, and its merge into the feature branch when a human asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from specgit.merge import MergePreview
from specgit.types import Oid as GitOid
from specthread.domain import reports
from specthread.domain.model import SpecTask
from specthread.domain.react import MergeTarget
from specthread.engine.check_run import run_check
from specthread.engine.landing import has_landed
from specthread.engine.merging import acknowledge_moves, commit_on_feature, previewed
from specthread.engine.ports import Ports, in_thread, to_its_end
from specthread.engine.repositories import OpenRepository
from specthread.engine.verification import check_command


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMoved:
    """How many commits the target has that the feature branch lacks, the paths in which both would conflict, and whether it holds the finished work."""

    behind: int = 0
    conflicts: tuple[str, ...] = ()
    has_landed: bool = False


def look_at_target(opened: OpenRepository, spectask: SpecTask) -> TargetMoved:
    """Looks at both branches in memory; nothing is changed."""
    if spectask.state == "done":
        return TargetMoved(has_landed=has_landed(opened, spectask))
    repository = opened.repository
    target = repository.resolve(f"refs/heads/{spectask.target}")
    held = GitOid(spectask.feature or spectask.base)
    if target is None or target == held:
        return TargetMoved()
    behind = repository.count(f"{held}..{target}")
    conflicts = previewed(opened, spectask, held, target).conflicts if behind and spectask.feature else ()
    return TargetMoved(behind=behind, conflicts=tuple(conflicts))


async def merge_target(ports: Ports, effect: MergeTarget) -> None:
    """Merges the moved target into the feature branch, with the checks of everything merged so far."""
    opened = await ports.repository(effect.spectask)
    await acknowledge_moves(ports, opened, effect.spectask)
    spectask = ports.spectask(effect.spectask)
    if not spectask.syncing:
        return
    target = await in_thread(opened.repository.resolve, f"refs/heads/{spectask.target}")
    feature = GitOid(spectask.feature or spectask.base)
    if target is None:
        await ports.submit(reports.FinishSync(spectask=spectask.id, feature=None, reason=f"The target branch {spectask.target} is gone."))
    elif await in_thread(opened.repository.is_ancestor, target, feature):
        await ports.submit(reports.FinishSync(spectask=spectask.id, feature=spectask.feature))
    else:
        preview = await in_thread(previewed, opened, spectask, feature, target)
        problem = await _problem_with(ports, opened, spectask, preview)
        if problem:
            await ports.submit(reports.FinishSync(spectask=spectask.id, feature=None, reason=problem))
        else:
            await to_its_end(_finish_sync(ports, opened, spectask, preview.tree, target))


async def _finish_sync(ports: Ports, opened: OpenRepository, spectask: SpecTask, tree: GitOid, target: GitOid) -> None:
    merged = await in_thread(
        commit_on_feature,
        ports,
        opened,
        spectask,
        message=f"Merge {spectask.target} into {spectask.id}",
        trailers=(("Spec-Task", str(spectask.id)),),
        event=ports.event_id(spectask.sync_seq),
        tree=tree,
        merge_parents=(target,),
    )
    await ports.submit(reports.FinishSync(spectask=spectask.id, feature=merged))


async def _problem_with(ports: Ports, opened: OpenRepository, spectask: SpecTask, preview: MergePreview) -> str:
    """Says why the target cannot be merged in, or nothing."""
    if preview.conflicts:
        return f"{spectask.target} conflicts with the feature branch in {', '.join(preview.conflicts)}."
    for session in [known for known in spectask.sessions.values() if known.merged]:
        command = check_command(ports, opened, spectask, session)
        run = await run_check(ports, opened, spectask, session, tree=preview.tree, command=command, use="merge-target")
        if not run.passed:
            failed = "could not run" if run.passed is None else f"fails (exit {run.exit_code})"
            return f"Merged with {spectask.target}, `{command}` {failed}.{'' if run.exit_code is not None else f' {run.output}'}"
    return ""
