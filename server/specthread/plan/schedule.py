"""What may start now, and the one sentence that says why something does not.

`ready` decides the order, `decide` re-checks direct facts; `why_waiting` is the same sentence in the scheduler's log, the command line, the tree and the dashboard.
"""

from __future__ import annotations

from specthread.domain.approval import held_tasks, unapproved_documents
from specthread.domain.commands import StartSession
from specthread.domain.fold_run import find_run
from specthread.domain.model import (
    ImplementationTask,
    PlanningRun,
    RunId,
    SpecTask,
    SpecTaskId,
    State,
    TaskNumber,
    WorkSession,
    spectask_of,
)
from specthread.domain.react import task_order
from specthread.domain.rules_session import free_slots, unmet_dependencies
from specthread.domain.rules_spectask import running_plan


def ready(spectask: SpecTask) -> tuple[StartSession, ...]:
    """Returns the sessions to start now, lowest task first, never more than there are free slots."""
    if spectask.state != "implementing" or spectask.paused or spectask.syncing:
        return ()
    free = free_slots(spectask)
    if free < 1:
        return ()
    held = held_tasks(spectask)
    numbers = sorted((number for number, task in spectask.tasks.items() if _is_startable(spectask, number, task, held)), key=task_order)
    return tuple(StartSession(spectask=spectask.id, task=number) for number in numbers[:free])


def _is_startable(spectask: SpecTask, number: TaskNumber, task: ImplementationTask, held: frozenset[TaskNumber]) -> bool:
    return task.state == "open" and not task.plan.optional and number not in held and not unmet_dependencies(spectask, number)


def why_waiting(state: State, identifier: str) -> str:
    """Returns one sentence that says what a SpecTask or run (by id) waits for and who can end it; empty for an unknown id."""
    spectask = state.spectasks.get(SpecTaskId(identifier))
    if spectask is not None:
        return _why_spectask(spectask)
    owner = state.spectasks.get(spectask_of(RunId(identifier)))
    run = find_run(owner, RunId(identifier)) if owner else None
    return _why_run(owner, run) if owner and run else ""


def _why_spectask(spectask: SpecTask) -> str:
    if spectask.trouble:
        return f"In trouble: {spectask.trouble}"
    if spectask.paused:
        return f"Paused; `specthread resume {spectask.id}` lets it go on."
    asking = [run for run in (*spectask.plans, *spectask.sessions.values()) if run.state == "waiting" and run.question]
    if asking and asking[0].question:
        more = f" ({len(asking) - 1} more wait)" if len(asking) > 1 else ""
        return f"{_short(asking[0].id)} asks you: {asking[0].question.text.splitlines()[0]}{more}"
    return _STATE_REASONS.get(spectask.state, _nothing)(spectask)


def _nothing(spectask: SpecTask) -> str:
    return f"{spectask.state.replace('_', ' ').capitalize()}."


def _planning(spectask: SpecTask) -> str:
    plan = running_plan(spectask)
    if plan is None:
        return _review(spectask)
    written = ", ".join(sorted(spectask.documents)) or "nothing yet"
    verb = "revises the documents" if plan.purpose == "revise" else "writes the documents"
    return f"The planner {verb} ({written})."


def _review(spectask: SpecTask) -> str:
    missing = unapproved_documents(spectask)
    if "approval" in spectask.uncommitted.values():
        return "Recording the approval in git…"
    return f"Waits for your approval of {', '.join(missing)}: `specthread review {spectask.id}`."


def _approved(spectask: SpecTask) -> str:
    missing = unapproved_documents(spectask)
    if missing:
        return f"{', '.join(missing)} changed after approval: approve the present words to go on."
    return f"Approved; `specthread run {spectask.id}` starts the work."


def _implementing(spectask: SpecTask) -> str:
    live = [session for session in spectask.sessions.values() if session.ended is None]
    merged = sum(task.state in {"merged", "skipped"} for task in spectask.tasks.values())
    blocked = [number for number, task in spectask.tasks.items() if task.state == "blocked" and not task.plan.optional]
    held = held_tasks(spectask)
    if held and unapproved_documents(spectask):
        return f"{', '.join(unapproved_documents(spectask))} changed after approval; tasks {', '.join(sorted(held, key=task_order))} wait for your approval."
    if not live and blocked:
        session = spectask.tasks[blocked[0]].session
        return f"Task {blocked[0]} is blocked: {_blocked_reason(spectask, session)}"
    if merged == len(spectask.tasks):
        return "All tasks are merged; publishing the result…"
    return f"{len(live)} session{'' if len(live) == 1 else 's'} at work, {merged} of {len(spectask.tasks)} tasks merged."


def _blocked_reason(spectask: SpecTask, session: RunId | None) -> str:
    if session is None:
        return "nobody works on it."
    known = spectask.sessions[session]
    return f"{_short(session)} {known.state}: {known.reason or 'ended by a human'}. `specthread retry {session}` tries again."


def _final_review(spectask: SpecTask) -> str:
    if spectask.accepted_seq:
        return "Recording the acceptance in git…"
    return f"Everything is merged and verified; waits for you: `specthread accept {spectask.id}`."


def _ended(spectask: SpecTask) -> str:
    again = f" `specthread resume {spectask.id}` takes it up again." if spectask.state in {"failed", "cancelled"} else ""
    return f"{spectask.state.capitalize()}{': ' + spectask.reason if spectask.reason else ''}.{again}"


_STATE_REASONS = {
    "planning": _planning,
    "revising": _planning,
    "spec_review": _review,
    "approved": _approved,
    "implementing": _implementing,
    "implementation_review": _final_review,
    "done": lambda spectask: f"Done; accepted by {spectask.accepted_by}.",
    "failed": _ended,
    "cancelled": _ended,
}


def _why_run(spectask: SpecTask, run: PlanningRun | WorkSession) -> str:
    if spectask.paused and run.ended is None:
        return f"The SpecTask is paused; `specthread resume {spectask.id}` lets it go on."
    if run.state == "waiting" and run.question:
        if run.question.answer_seq:
            return "Recording your answer in git…"
        return f'Waits for your answer: {run.question.text} — `specthread answer {run.id} "…"`.'
    if isinstance(run, WorkSession) and run.state == "merging":
        return _why_merging(spectask, run)
    return _RUN_REASONS.get(run.state, "") or f"{run.state.capitalize()}: {run.reason}."


def _why_merging(spectask: SpecTask, session: WorkSession) -> str:
    if session.task in held_tasks(spectask):
        return "Verified; waits for a new approval before it is merged."
    return "Verified; its merge is being checked."


_RUN_REASONS = {
    "pending": "Waits for a place to work.",
    "starting": "Its worktree is being made.",
    "running": "The agent works.",
    "interrupted": "The daemon had stopped; it resumes by itself.",
    "paused": "Paused; `specthread resume` lets it go on.",
    "verifying": "The daemon runs the check on the committed work.",
    "completed": "Finished.",
    "cancelled": "Cancelled by a human.",
}


def why_task_waiting(spectask: SpecTask, number: TaskNumber) -> str:
    """Returns one sentence that says what an ImplementationTask waits for."""
    task = spectask.tasks[number]
    if task.state == "open":
        unmet = unmet_dependencies(spectask, number)
        if unmet:
            return f"Waits for task{'s' if len(unmet) > 1 else ''} {', '.join(sorted(unmet, key=task_order))}."
        if task.plan.optional:
            return "Optional: it is not started by itself."
        if number in held_tasks(spectask):
            return "Its approved words changed; waits for a new approval."
        return "Waits for a free place." if spectask.state == "implementing" else f"Waits for `specthread run {spectask.id}`."
    if task.state == "blocked":
        return _blocked_reason(spectask, task.session).capitalize()
    return ""


def _short(run: RunId) -> str:
    return run.rpartition("/")[2]
