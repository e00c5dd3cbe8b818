"""Rules for WorkSessions: start, claim, verification, merge, retry."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain.approval import held_tasks
from specthread.domain.model import (
    ENDED_RUN_STATES,
    MAX_CONFLICTS,
    MAX_SEND_BACKS,
    WORKING_RUN_STATES,
    Actor,
    Refusal,
    RunId,
    SpecTask,
    TaskNumber,
    WorkSession,
)
from specthread.domain.rules_document import edited
from specthread.domain.rules_run import is_acting
from specthread.domain.rules_spectask import ended
from specthread.spec.edits import apply_edits, set_box
from specthread.spec.tasks import parse_tasks

Decision = tuple[e.Event, ...] | Refusal


def unmet_dependencies(spectask: SpecTask, number: TaskNumber) -> tuple[TaskNumber, ...]:
    """Returns the tasks that must be merged or skipped before this one may start."""
    depends = spectask.tasks[number].plan.depends
    return tuple(other for other in depends if other in spectask.tasks and spectask.tasks[other].state not in {"merged", "skipped"})


def free_slots(spectask: SpecTask) -> int:
    """Returns how many more sessions may work at once."""
    return spectask.limits.max_parallel - sum(session.state in WORKING_RUN_STATES for session in spectask.sessions.values())


def start(spectask: SpecTask, command: c.StartSession, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Gives an open task to a new session; re-checks only direct facts, the order is the scheduler's."""
    task = spectask.tasks.get(command.task)
    if task is None or spectask.feature is None or spectask.state != "implementing" or spectask.paused:
        return Refusal(code="not-running", message=f"{spectask.id} is not running.", hint="")
    if (
        task.state != "open"
        or unmet_dependencies(spectask, command.task)
        or command.task in held_tasks(spectask)
        or free_slots(spectask) < 1
    ):
        return Refusal(code="not-ready", message=f"Task {command.task} is not ready.", hint="")
    number = len(spectask.sessions) + 1
    return (
        e.SessionStarted(
            session=RunId(f"{spectask.id}/ws-{number}"),
            task=command.task,
            attempt=1,
            role=task.plan.role,
            agent=spectask.agent,
            start=spectask.feature,
        ),
    )


def _session(spectask: SpecTask, session: RunId) -> WorkSession | Refusal:
    known = spectask.sessions.get(session)
    return known or Refusal(
        code="unknown-id", message=f"{spectask.id} has no session {session}.", hint=f"`specthread sessions {spectask.id}` lists them."
    )


def retry(spectask: SpecTask, command: c.RetryRun, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Starts a new attempt of a session that ended without its work being merged."""
    session = _session(spectask, command.run)
    if isinstance(session, Refusal):
        return session
    if session.state not in ENDED_RUN_STATES or session.state == "completed":
        return Refusal(
            code="wrong-state",
            message=f"{session.id} is {session.state}.",
            hint="Only a session that failed, got stuck or was cancelled is retried.",
        )
    task = spectask.tasks.get(session.task)
    if task is None or task.session != session.id or spectask.feature is None:
        return Refusal(
            code="wrong-state",
            message=f"Task {session.task} of {session.id} has gone another way.",
            hint=f"`specthread show {spectask.id}` shows it.",
        )
    return ended(spectask) or (
        e.SessionStarted(
            session=session.id,
            task=session.task,
            attempt=session.attempt + 1,
            role=session.role,
            agent=session.agent,
            start=spectask.feature if command.fresh else session.start,
            fresh=command.fresh,
        ),
    )


def claim(spectask: SpecTask, command: c.ClaimSession, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Takes an agent's word that it is done, and has it verified."""
    session = _session(spectask, command.session)
    if isinstance(session, Refusal):
        return session
    if not is_acting(spectask, session):
        return Refusal(code="wrong-state", message=f"{session.id} is {session.state}, not running.", hint="")
    return (e.SessionClaimed(session=session.id, summary=command.summary),)


def finish_check(spectask: SpecTask, command: c.FinishCheck, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Believes the check: green goes on to the merge, red goes back at most three times, what could not run asks a human."""
    session = _session(spectask, command.session)
    if isinstance(session, Refusal):
        return session
    if session.state != "verifying" or session.claims != command.claim:
        return ()
    finished = e.CheckFinished(session=session.id, verification=command.verification)
    outcome = command.verification.outcome
    if outcome in {"verified", "weak"}:
        return (finished,)
    if outcome == "cannot-run":
        asked = e.QuestionAsked(
            run=session.id,
            question=f"check-{session.claims}",
            kind="question",
            text=f"The check of task {session.task} could not run: {command.text}",
        )
        return (finished, asked)
    if session.send_backs < MAX_SEND_BACKS:
        return (finished, e.SessionSentBack(session=session.id, cause="check", text=command.text, after_turn=session.turn))
    reason = f"the work did not pass verification after {MAX_SEND_BACKS} corrections: {command.text.splitlines()[0] if command.text else outcome}"
    return (finished, e.RunFailed(run=session.id, reason=reason))


def finish_merge(spectask: SpecTask, command: c.FinishMerge, actor: Actor) -> Decision:
    """Records the merge and ticks the box: the only place where a box is ticked."""
    session = _session(spectask, command.session)
    if isinstance(session, Refusal):
        return session
    if session.state != "merging":
        return ()
    merged = e.SessionMerged(session=session.id, feature=command.feature)
    content = ticked(spectask, session.task)
    document = spectask.documents["tasks"]
    if content == document.content:
        return (merged,)
    return (merged, edited(spectask, "tasks", content, "tick", actor))


def ticked(spectask: SpecTask, number: TaskNumber) -> bytes:
    """Returns the live tasks document with this task's box ticked, and its parents' boxes where all their leaves are merged."""
    content = apply_edits(spectask.documents["tasks"].content, set_box(spectask.documents["tasks"].content, number, "done"))
    done = {other for other, task in spectask.tasks.items() if task.state == "merged"} | {number}
    tasks = parse_tasks(content).tasks
    for parent in [task for task in tasks if not task.leaf]:
        leaves = [task.id for task in tasks if task.leaf and task.id.startswith(f"{parent.id}.")]
        if leaves and all(leaf in done for leaf in leaves):
            content = apply_edits(content, set_box(content, parent.id, "done"))
    return content


def reject_merge(spectask: SpecTask, command: c.RejectMerge, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Lets the session run again on top of the feature branch, at most twice; then it fails and a human decides."""
    session = _session(spectask, command.session)
    if isinstance(session, Refusal):
        return session
    if session.state != "merging":
        return ()
    if session.conflicts >= MAX_CONFLICTS:
        reason = f"the work could not be merged after {MAX_CONFLICTS} further tries: {command.text.splitlines()[0]}"
        return (e.RunFailed(run=session.id, reason=reason),)
    back = e.SessionSentBack(
        session=session.id, cause=command.cause, text=command.text, after_turn=session.turn, conflict_with=command.conflict_with
    )
    return (back,)
