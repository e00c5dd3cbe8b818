"""Folds of the events that concern one run: a PlanningRun or a WorkSession with its task."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from specthread.domain import events as e
from specthread.domain.approval import reviewed_state
from specthread.domain.coordination import KEPT_ANSWERS, SharedAnswer
from specthread.domain.copying import replace
from specthread.domain.fold_call import CALL_FOLDS, charged
from specthread.domain.fold_review import review_lost, without_review
from specthread.domain.ids import Oid, RunId
from specthread.domain.model import ENDED_TASK_STATES, SpecTask, SpecTaskState, TaskState
from specthread.domain.permission import ALWAYS
from specthread.domain.run import (
    WORKING_RUN_STATES,
    PlanningRun,
    Question,
    ReviewRun,
    RunState,
    Spend,
    WorkSession,
    concerns_all,
    still_works,
)
from specthread.domain.runs import all_runs, changed_run, find_run, next_session, with_run


def _with_task(spectask: SpecTask, session: RunId, state: TaskState, merged: Oid | None = None) -> SpecTask:
    number = spectask.sessions[session].task
    task = spectask.tasks.get(number)
    if task is None:
        return spectask
    return replace(spectask, tasks=spectask.tasks.set(number, replace(task, state=state, merged=merged or task.merged)))


def _planning_started(spectask: SpecTask, envelope: e.Envelope, event: e.PlanningStarted) -> SpecTask:
    plan = PlanningRun(
        id=event.plan,
        number=len(spectask.plans) + 1,
        state="starting",
        agent=spectask.agent,
        role="planner",
        started=envelope.time,
        purpose=event.purpose,
        message=event.message,
        started_seq=envelope.seq,
    )
    return replace(spectask, plans=(*spectask.plans, plan), state="planning" if event.purpose == "plan" else "revising")


def _planning_finished(spectask: SpecTask, envelope: e.Envelope, event: e.PlanningFinished) -> SpecTask:
    spectask = changed_run(spectask, event.plan, state="completed", ended=envelope.time, summary=event.summary, question=None)
    return reviewed(changed_run(spectask, event.plan, unclean=event.unclean))


def _planning_sent_back(spectask: SpecTask, _: e.Envelope, event: e.PlanningSentBack) -> SpecTask:
    plan = find_run(spectask, event.plan)
    return with_run(spectask, replace(plan, mends=(*plan.mends, event.turn))) if isinstance(plan, PlanningRun) else spectask


def reviewed(spectask: SpecTask) -> SpecTask:
    """Returns a SpecTask whose planner rests: in review, or back where it was revised from once all its words are approved."""
    state = reviewed_state(spectask)
    return replace(spectask, state=state, before=spectask.before if state == "revising" else None)


def reopened(spectask: SpecTask) -> SpecTask:
    """Returns a SpecTask in which work came up: what was published to be accepted no longer is all."""
    state: SpecTaskState = "implementing" if spectask.state == "implementation_review" else spectask.state
    return replace(spectask, state=state, final=None)


def stopped(spectask: SpecTask, state: SpecTaskState, reason: str) -> SpecTask:
    """Returns the SpecTask failed or cancelled, with the state to return to and its open calls charged; one that has ended stays as it is."""
    if spectask.state in ENDED_TASK_STATES:
        return spectask
    for run in all_runs(spectask):
        spectask = with_run(spectask, charged(run)) if run.open_call else spectask
    return replace(spectask, state=state, stopped_from=spectask.state, reason=reason)


def _session_started(spectask: SpecTask, envelope: e.Envelope, event: e.SessionStarted) -> SpecTask:
    known = spectask.sessions.get(event.session)
    session = WorkSession(
        id=event.session,
        number=known.number if known else next_session(spectask),
        state="pending" if event.waits else "starting",
        returns="starting" if event.waits else None,
        queued_seq=envelope.seq if event.waits else 0,
        agent=event.agent,
        role=event.role,
        started=envelope.time,
        task=event.task,
        start=event.start,
        started_seq=envelope.seq,
        fresh=event.fresh,
        attempt=event.attempt,
        first_turn=known.turn + 1 if known else 1,
        turn=known.turn if known else 0,
        logged_turn=known.logged_turn if known else 0,
        kept_turn=known.kept_turn if known else 0,
        claims=known.claims if known else 0,
        spend=known.spend if known else Spend(),
        day=known.day if known else None,
        day_usd=known.day_usd if known else Decimal(0),
        **(_kept(spectask, known, event) if known else {}),
    )
    spectask = replace(spectask, sessions=spectask.sessions.set(event.session, session))
    if not event.waits:
        spectask = replace(spectask, queued_since=envelope.time)
    spectask = reopened(spectask)
    task = spectask.tasks.get(event.task)
    if task is None:
        return spectask
    return replace(spectask, tasks=spectask.tasks.set(event.task, replace(task, state="in_progress", session=event.session)))


def _kept(spectask: SpecTask, known: WorkSession, event: e.SessionStarted) -> dict[str, Any]:
    """Returns what an attempt keeps of how the session came to be and of what its files hold; one that is tried again when its parent no longer works goes on alone."""
    parent = spectask.sessions.get(known.parent) if known.parent else None
    return {
        "parent": known.parent,
        "work": known.work,
        "budget_usd": known.budget_usd,
        "spawn_call": known.spawn_call,
        "spawned_seq": known.spawned_seq,
        "is_alone": event.attempt > 1 and parent is not None and not still_works(parent),
        "told_attempt": known.told_attempt,
        "permitted": known.permitted,
        # The merge stands in the files, but in no commit yet.
        "conflict_with": None if event.fresh else known.conflict_with,
    }


def _run_ready(spectask: SpecTask, _: e.Envelope, event: e.RunReady) -> SpecTask:
    return changed_run(spectask, event.run, state="running")


def _run_interrupted(spectask: SpecTask, _: e.Envelope, event: e.RunInterrupted) -> SpecTask:
    return changed_run(spectask, event.run, state="interrupted")


def _run_paused(spectask: SpecTask, _: e.Envelope, event: e.RunPaused) -> SpecTask:
    run = find_run(spectask, event.run)
    return with_run(spectask, replace(run, state="paused", paused_from=run.state)) if run else spectask


def _place_awaited(spectask: SpecTask, envelope: e.Envelope, event: e.PlaceAwaited) -> SpecTask:
    run = spectask.sessions.get(event.run)
    if run is None:
        return spectask
    stood = run.paused_from if run.state == "paused" else run.state
    asked: RunState = run.question.stood if run.question else "running"
    returns: RunState = stood if stood in WORKING_RUN_STATES and stood is not None else asked
    # What it asked and nobody answered has come otherwise; should it need that again, it asks anew.
    question = run.question if run.question and run.question.answer_seq else None
    return with_run(spectask, replace(run, state="pending", returns=returns, paused_from=None, question=question, queued_seq=envelope.seq))


def _run_resumed(spectask: SpecTask, envelope: e.Envelope, event: e.RunResumed) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None:
        return spectask
    if run.state == "pending" and run.returns:
        return replace(with_run(spectask, replace(run, state=run.returns, returns=None)), queued_since=envelope.time)
    state: RunState = run.paused_from if run.state == "paused" and run.paused_from else "running"
    return with_run(spectask, replace(run, state=state, paused_from=None))


def _run_failed(spectask: SpecTask, envelope: e.Envelope, event: e.RunFailed) -> SpecTask:
    state: RunState = "stuck" if event.stuck else "failed"
    if isinstance(review := find_run(spectask, event.run), ReviewRun):
        return review_lost(spectask, review, state, event.reason, envelope.time)
    spectask = _run_ended(spectask, event.run, state=state, reason=event.reason, ended=envelope.time)
    if event.run in spectask.sessions:
        return _with_task(spectask, event.run, "blocked")
    return replace(stopped(spectask, "failed", event.reason), outside=event.outside)


def _run_cancelled(spectask: SpecTask, envelope: e.Envelope, event: e.RunCancelled) -> SpecTask:
    if isinstance(review := find_run(spectask, event.run), ReviewRun):
        return review_lost(spectask, review, "cancelled", event.reason, envelope.time)
    spectask = _run_ended(spectask, event.run, state="cancelled", reason=event.reason, ended=envelope.time)
    if event.run in spectask.sessions:
        return _with_task(spectask, event.run, "blocked")
    return stopped(spectask, "failed", "planning was cancelled")


def _run_ended(spectask: SpecTask, run: RunId, **changes: Any) -> SpecTask:  # noqa: ANN401  field values of several types
    known = find_run(spectask, run)
    if isinstance(known, WorkSession):
        spectask = without_review(spectask, known, changes["ended"])
    return _rewritten(with_run(spectask, replace(charged(known), **changes)), run) if known else spectask


def _cleanup_failed(spectask: SpecTask, _: e.Envelope, event: e.CleanupFailed) -> SpecTask:
    run = find_run(spectask, event.run)
    known = f"{run.reason.rstrip('.')}. " if run and run.reason else ""
    return changed_run(spectask, event.run, reason=f"{known}{event.reason}")


def _unchanged(spectask: SpecTask, _: e.Envelope, __: e.Event) -> SpecTask:
    """Keeps the state: the event is read back from the log as part of a conversation."""
    return spectask


def _question_asked(spectask: SpecTask, _: e.Envelope, event: e.QuestionAsked) -> SpecTask:
    run = find_run(spectask, event.run)
    asked_of_check = event.kind == "permission" and run is not None and run.state in {"verifying", "merging"}
    stood: RunState = run.state if run and asked_of_check else "running"
    question = Question(id=event.question, kind=event.kind, text=event.text, choices=event.choices, barrier=event.barrier, stood=stood)
    if isinstance(run, PlanningRun) and event.kind == "question":
        spectask = with_run(spectask, replace(run, asked=run.asked + 1))
    return changed_run(spectask, event.run, state="waiting", question=question)


def _question_answered(spectask: SpecTask, envelope: e.Envelope, event: e.QuestionAnswered) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None or run.question is None:
        return spectask
    spectask = with_run(spectask, replace(run, question=replace(run.question, answer=event.answer, answer_seq=envelope.seq)))
    if not concerns_all(run.question):
        return spectask
    answer = SharedAnswer(run=event.run, question=run.question.text, answer=event.answer, person=event.person)
    return replace(spectask, shared_answers=(*spectask.shared_answers, answer)[-KEPT_ANSWERS:])


def _permission_used(spectask: SpecTask, _: e.Envelope, event: e.PermissionUsed) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None or run.question is None:
        return spectask
    permitted = (*run.permitted, run.question.text) if run.question.answer == ALWAYS else run.permitted
    return with_run(spectask, replace(run, question=None, permitted=permitted))


def _transcript_committed(spectask: SpecTask, _: e.Envelope, event: e.TranscriptCommitted) -> SpecTask:
    return replace(changed_run(spectask, event.run, logged_turn=event.turn), specs=event.oid)


def _session_claimed(spectask: SpecTask, envelope: e.Envelope, event: e.SessionClaimed) -> SpecTask:
    claims = spectask.sessions[event.session].claims + 1
    spectask = changed_run(
        spectask, event.session, state="verifying", claims=claims, review=None, claim_seq=envelope.seq, summary=event.summary
    )
    return _with_task(spectask, event.session, "claimed")


def _check_finished(spectask: SpecTask, envelope: e.Envelope, event: e.CheckFinished) -> SpecTask:
    passed = event.verification.outcome in {"verified", "weak"}
    session = spectask.sessions[event.session]
    state: RunState = "merging" if passed else session.state
    spectask = changed_run(spectask, event.session, verification=event.verification, state=state, conflict_with=None)
    if not passed:
        return spectask
    spectask = changed_run(spectask, event.session, verified_seq=envelope.seq)
    task = spectask.tasks.get(session.task)
    if task is None:
        return spectask
    task = replace(task, state="verified", weak=event.verification.outcome == "weak")
    return replace(spectask, tasks=spectask.tasks.set(session.task, task))


def _session_sent_back(spectask: SpecTask, _: e.Envelope, event: e.SessionSentBack) -> SpecTask:
    session = spectask.sessions[event.session]
    if event.cause in {"check", "review"}:
        # A check that could not run says nothing about the work: it does not count as a correction.
        counted = session.verification is None or session.verification.outcome != "cannot-run"
        session = replace(session, send_backs=session.send_backs + counted)
    else:
        session = replace(session, conflicts=session.conflicts + 1, conflict_with=event.conflict_with)
    state: RunState = "pending" if session.state == "pending" else "running"
    spectask = with_run(spectask, replace(session, state=state, question=None, busy=0))
    return _with_task(spectask, event.session, "in_progress")


def _rewritten(spectask: SpecTask, run: RunId) -> SpecTask:
    """Returns the SpecTask with the run's last turn to be written once more: how the run ended belongs to it."""
    known = find_run(spectask, run)
    if known is None or known.turn <= known.kept_turn:
        return spectask
    return with_run(spectask, replace(known, logged_turn=min(known.logged_turn, known.turn - 1)))


def _session_merged(spectask: SpecTask, envelope: e.Envelope, event: e.SessionMerged) -> SpecTask:
    spectask = _rewritten(changed_run(spectask, event.session, state="completed", ended=envelope.time, merged=event.feature), event.session)
    return replace(_with_task(spectask, event.session, "merged", event.feature), feature=event.feature)


RUN_FOLDS: dict[type[e.Event], Callable[[SpecTask, e.Envelope, Any], SpecTask]] = {
    **CALL_FOLDS,
    e.PlanningStarted: _planning_started,
    e.PlanningFinished: _planning_finished,
    e.PlanningSentBack: _planning_sent_back,
    e.SessionStarted: _session_started,
    e.RunReady: _run_ready,
    e.RunInterrupted: _run_interrupted,
    e.RunPaused: _run_paused,
    e.PlaceAwaited: _place_awaited,
    e.RunResumed: _run_resumed,
    e.RunFailed: _run_failed,
    e.RunCancelled: _run_cancelled,
    e.CleanupFailed: _cleanup_failed,
    e.RunBriefed: _unchanged,
    e.MessageSent: _unchanged,
    e.QuestionAsked: _question_asked,
    e.QuestionAnswered: _question_answered,
    e.PermissionUsed: _permission_used,
    e.TranscriptCommitted: _transcript_committed,
    e.SessionClaimed: _session_claimed,
    e.CheckFinished: _check_finished,
    e.SessionSentBack: _session_sent_back,
    e.SessionMerged: _session_merged,
}
"""Folds by event class, joined into `state.APPLY`."""
