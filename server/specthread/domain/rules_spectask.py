"""Rules for a SpecTask as a whole: creation, pause, end, acceptance, sync; its start is in `rules_start`."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.amount import is_amount, told_most
from specthread.domain.approval import open_records, unapproved_documents
from specthread.domain.completion import is_finished
from specthread.domain.ids import RunId
from specthread.domain.model import ENDED_TASK_STATES, Actor, Limits, Refusal, SpecTask
from specthread.domain.rules_place import all_going_on
from specthread.domain.run import LIVE_RUN_STATES, PlanningRun
from specthread.domain.runs import find_run

Decision = tuple[e.Event, ...] | Refusal


def create(known: SpecTask | None, command: c.CreateSpecTask) -> Decision:
    """Creates the SpecTask and starts planning in the same breath."""
    refused = not_creatable(known, command)
    return refused or (created(command), e.PlanningStarted(plan=RunId(f"{command.spectask}/plan-1"), purpose="plan"))


def not_creatable(known: SpecTask | None, command: c.CreateSpecTask) -> Refusal | None:
    """Refuses a SpecTask that nobody could work on, whoever wrote its documents."""
    if known is not None:
        return id_taken(command)
    if not command.prompt.strip():
        return Refusal(code="empty-prompt", message="The prompt is empty.", hint='Say in a sentence what you want: specthread new "…".')
    return bad_limits(command.limits)


def id_taken(command: c.Command) -> Refusal:
    """Refuses a second SpecTask of one id."""
    return Refusal(
        code="id-taken", message=f"There is a SpecTask {command.spectask} already.", hint="Try again: a new id is drawn each time."
    )


def rebuild(known: SpecTask | None, command: c.RebuildSpecTask) -> Decision:
    """Takes up a SpecTask that only git knows, or knows more of."""
    refused = id_taken(command) if known is not None and not known.overtaken else bad_limits(command.found.asked.limits)
    return refused or (command.found,)


def created(command: c.CreateSpecTask) -> e.SpecTaskCreated:
    """Returns the first event of a SpecTask."""
    return e.SpecTaskCreated(
        prompt=command.prompt,
        repository=command.repository,
        base=command.base,
        target=command.target,
        warnings=command.warnings,
        flow=command.flow,
        agent=command.agent,
        review_mode=command.review_mode,
        execute=command.execute,
        advance=command.advance,
        limits=command.limits,
        dialect=command.dialect,
        priority=command.priority,
    )


def bad_limits(limits: Limits) -> Refusal | None:
    """Refuses limits under which nothing could ever work."""
    if limits.max_parallel < 1:
        return Refusal(code="bad-limit", message="No session could ever work.", hint="Let at least one work at once: --max-parallel 1.")
    amounts = (limits.stop_usd, limits.task_usd, limits.run_usd)
    wrong = next((usd for usd in amounts if usd is not None and not is_amount(usd)), None)
    if wrong is None:
        return None
    hint = f"Name an amount of dollars, at most {told_most()}: --budget 20."
    return Refusal(code="bad-limit", message=f"${wrong} is not a spending limit.", hint=hint)


def running_plan(spectask: SpecTask) -> PlanningRun | None:
    """Returns the planning run that is not over, or None."""
    return next((plan for plan in spectask.plans if plan.state in LIVE_RUN_STATES), None)


def ended(spectask: SpecTask) -> Refusal | None:
    """Refuses a change of a SpecTask that has ended or is just being accepted."""
    if spectask.state not in ENDED_TASK_STATES:
        return _accepted(spectask) if spectask.accepted_seq else None
    hint = (
        f"`specthread resume {spectask.id}` takes it up again."
        if spectask.state in {"failed", "cancelled"}
        else "Make a new SpecTask for further work."
    )
    return Refusal(code="ended", message=f"{spectask.id} is {spectask.state}.", hint=hint)


def _accepted(spectask: SpecTask) -> Refusal:
    return Refusal(
        code="already-accepted",
        message=f"{spectask.id} is accepted; the acceptance is being recorded in git.",
        hint="Nothing more is to do: in a moment it is done.",
    )


def recording(spectask: SpecTask) -> Refusal | None:
    """Refuses what would come between an approval and its record in git."""
    if not open_records(spectask, "approval"):
        return None
    if spectask.trouble:
        return Refusal(
            code="recording", message=f"An approval cannot be recorded in git: {spectask.trouble}", hint="It goes on by itself then."
        )
    return Refusal(code="recording", message="An approval is still being recorded in git.", hint="Try again in a moment.")


def wrong_state(spectask: SpecTask) -> Refusal:
    """Refuses what does not fit the state of the SpecTask."""
    return Refusal(
        code="wrong-state",
        message=f"{spectask.id} is in {spectask.state.replace('_', ' ')}.",
        hint=f"`specthread show {spectask.id}` says what it waits for.",
    )


def pause(spectask: SpecTask, command: c.PauseSpecTask, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Pauses everything of the SpecTask."""
    refused = ended(spectask)
    if refused:
        return refused
    if spectask.paused:
        return Refusal(
            code="already-paused", message=f"{spectask.id} is paused already.", hint=f"`specthread resume {spectask.id}` lets it go on."
        )
    return (e.SpecTaskPaused(),)


def resume(spectask: SpecTask, command: c.ResumeSpecTask, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Lets a paused, failed or cancelled SpecTask go on; planning that failed starts again."""
    stopped = spectask.state in {"failed", "cancelled"}
    if not stopped and not spectask.paused:
        return ended(spectask) or Refusal(
            code="not-paused",
            message=f"{spectask.id} is neither paused nor failed nor cancelled.",
            hint=f"`specthread show {spectask.id}` says what it waits for.",
        )
    if not stopped:
        return ended(spectask) or (*all_going_on(spectask), e.SpecTaskResumed())
    last = spectask.plans[-1] if spectask.plans else None
    if last is None or spectask.stopped_from not in {"planning", "revising"} or last.state not in {"failed", "stuck", "cancelled"}:
        return (*all_going_on(spectask), e.SpecTaskResumed())
    again = e.PlanningStarted(plan=RunId(f"{spectask.id}/plan-{len(spectask.plans) + 1}"), purpose=last.purpose, message=last.message)
    return (*all_going_on(spectask), e.SpecTaskResumed(), again)


def cancel(spectask: SpecTask, command: c.CancelSpecTask, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Ends the SpecTask; worktrees, branches and documents stay."""
    return ended(spectask) or (e.SpecTaskCancelled(person=actor.name),)


def skip_task(spectask: SpecTask, command: c.SkipTask, actor: Actor) -> Decision:
    """Leaves a task undone on purpose, so that its dependents may start."""
    task = spectask.tasks.get(command.task)
    if task is None:
        return Refusal(
            code="unknown-id",
            message=f"{spectask.id} has no task {command.task}.",
            hint=f"`specthread show {spectask.id}` lists its tasks.",
        )
    if task.state not in {"open", "blocked"}:
        return Refusal(
            code="wrong-state",
            message=f"Task {command.task} is {task.state.replace('_', ' ')}.",
            hint="Only a task that is open or blocked can be skipped.",
        )
    return ended(spectask) or (e.TaskSkipped(task=command.task, person=actor.name),)


def accept(spectask: SpecTask, command: c.AcceptSpecTask, actor: Actor) -> Decision:
    """Accepts the feature tip that the human looked at."""
    if spectask.state != "implementation_review" or spectask.final is None:
        return ended(spectask) or Refusal(
            code="not-ready",
            message=f"{spectask.id} is not ready to be accepted: its state is {spectask.state.replace('_', ' ')}.",
            hint=f"`specthread show {spectask.id}` says what it waits for.",
        )
    refused = ended(spectask) or recording(spectask) or _not_acceptable(spectask)
    if refused:
        return refused
    if command.feature is not None and not spectask.final.startswith(command.feature):
        return Refusal(
            code="stale-version",
            message=f"The feature branch is at {spectask.final[:12]}, not at {command.feature[:12]} that you looked at.",
            hint="Look at what changed, then accept the present commit.",
        )
    return (e.SpecTaskAccepted(feature=spectask.final, person=actor.name),)


def _not_acceptable(spectask: SpecTask) -> Refusal | None:
    missing = unapproved_documents(spectask)
    if missing:
        return Refusal(
            code="approval-void",
            message=f"{', '.join(missing)} changed after approval.",
            hint=f"Approve the present words with `specthread approve {spectask.id}`, or request changes.",
        )
    return _syncing(spectask) if spectask.syncing else None


def _syncing(spectask: SpecTask) -> Refusal:
    return Refusal(
        code="already-running",
        message=f"{spectask.target} is being merged into the feature branch of {spectask.id}.",
        hint=f"`specthread watch {spectask.id}` shows when that is over.",
    )


def sync(spectask: SpecTask, command: c.SyncTarget, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Merges the moved target into the feature branch."""
    refused = ended(spectask)
    if refused:
        return refused
    if spectask.target is None:
        return Refusal(
            code="no-target",
            message=f"{spectask.id} was made on a detached HEAD and has no target branch.",
            hint="Nothing can be merged in: make a SpecTask on a branch to follow it.",
        )
    if spectask.feature is None or spectask.state not in {"approved", "implementing", "implementation_review"}:
        return wrong_state(spectask)
    return _syncing(spectask) if spectask.syncing else (e.SyncStarted(),)


def finish_sync(spectask: SpecTask, command: reports.FinishSync, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Records how the sync ended."""
    return (e.SyncFinished(feature=command.feature, reason=command.reason),) if spectask.syncing else ()


def finish_final(spectask: SpecTask, command: reports.FinishFinal, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Records where the feature branch stands now; implementation review begins unless work came up meanwhile."""
    return (e.FinalPublished(feature=command.feature),) if is_finished(spectask) or spectask.feature != command.feature else ()


def report_trouble(spectask: SpecTask, command: reports.ReportTrouble, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Records a fault of background work once, and its end; a run whose own work broke has failed."""
    if not command.reason:
        return (e.EffectRecovered(effect=command.effect),) if command.effect in spectask.troubles else ()
    if command.run is not None:
        run = find_run(spectask, command.run)
        return (e.RunFailed(run=run.id, reason=command.reason),) if run and run.state in LIVE_RUN_STATES else ()
    known = spectask.troubles.get(command.effect) == command.reason
    return () if known else (e.EffectFailed(effect=command.effect, reason=command.reason),)


def report_leftover(spectask: SpecTask, command: reports.ReportLeftover, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Records once what stays of a run that has ended."""
    run = find_run(spectask, command.run)
    if run is None or run.state in LIVE_RUN_STATES or command.reason in run.reason:
        return ()
    return (e.CleanupFailed(run=run.id, reason=command.reason),)
