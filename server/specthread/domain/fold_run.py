"""Folds of the events that concern one run: a PlanningRun or a WorkSession with its task."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from specthread.domain import events as e
from specthread.domain.approval import reviewed_state
from specthread.domain.coordination import KEPT_ANSWERS, SharedAnswer
from specthread.domain.copying import replace
from specthread.domain.doing import doing_of
from specthread.domain.ids import Oid, RunId
from specthread.domain.model import ENDED_TASK_STATES, SpecTask, SpecTaskState, TaskState
from specthread.domain.run import (
    WORKING_RUN_STATES,
    PlanningRun,
    Question,
    Run,
    RunState,
    Spend,
    WorkSession,
    concerns_all,
    still_works,
)


def find_run(spectask: SpecTask, run: RunId) -> PlanningRun | WorkSession | None:
    """Returns the run with this id, or None."""
    session = spectask.sessions.get(run)
    if session is not None:
        return session
    return next((plan for plan in spectask.plans if plan.id == run), None)


def all_runs(spectask: SpecTask) -> tuple[PlanningRun | WorkSession, ...]:
    """Returns the planning runs and then the sessions, each in the order of their numbers."""
    return (*spectask.plans, *sorted(spectask.sessions.values(), key=lambda session: session.number))


def next_session(spectask: SpecTask) -> int:
    """Returns the number of a session that is started now."""
    return max((session.number for session in spectask.sessions.values()), default=0) + 1


def with_run(spectask: SpecTask, run: Run) -> SpecTask:
    """Returns the SpecTask with this run in the place of its former value."""
    if isinstance(run, WorkSession):
        return replace(spectask, sessions=spectask.sessions.set(run.id, run))
    plans = tuple(run if plan.id == run.id else plan for plan in spectask.plans)
    return replace(spectask, plans=plans)


def _change(spectask: SpecTask, run: RunId, **changes: Any) -> SpecTask:  # noqa: ANN401  field values of several types
    known = find_run(spectask, run)
    return with_run(spectask, replace(known, **changes)) if known else spectask


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
    )
    return replace(spectask, plans=(*spectask.plans, plan), state="planning" if event.purpose == "plan" else "revising")


def _planning_finished(spectask: SpecTask, envelope: e.Envelope, event: e.PlanningFinished) -> SpecTask:
    spectask = _change(spectask, event.plan, state="completed", ended=envelope.time, summary=event.summary, question=None)
    return reviewed(spectask)


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
        # The merge stands in the files, but in no commit yet.
        "conflict_with": None if event.fresh else known.conflict_with,
    }


def _run_ready(spectask: SpecTask, _: e.Envelope, event: e.RunReady) -> SpecTask:
    return _change(spectask, event.run, state="running")


def _run_interrupted(spectask: SpecTask, _: e.Envelope, event: e.RunInterrupted) -> SpecTask:
    return _change(spectask, event.run, state="interrupted")


def _run_paused(spectask: SpecTask, _: e.Envelope, event: e.RunPaused) -> SpecTask:
    run = find_run(spectask, event.run)
    return with_run(spectask, replace(run, state="paused", paused_from=run.state)) if run else spectask


def _place_awaited(spectask: SpecTask, envelope: e.Envelope, event: e.PlaceAwaited) -> SpecTask:
    run = spectask.sessions.get(event.run)
    if run is None:
        return spectask
    stood = run.paused_from if run.state == "paused" else run.state
    returns: RunState = stood if stood in WORKING_RUN_STATES and stood is not None else "running"
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
    spectask = _run_ended(spectask, event.run, state=state, reason=event.reason, ended=envelope.time)
    if event.run in spectask.sessions:
        return _with_task(spectask, event.run, "blocked")
    return replace(stopped(spectask, "failed", event.reason), outside=event.outside)


def _run_cancelled(spectask: SpecTask, envelope: e.Envelope, event: e.RunCancelled) -> SpecTask:
    spectask = _run_ended(spectask, event.run, state="cancelled", reason=event.reason, ended=envelope.time)
    if event.run in spectask.sessions:
        return _with_task(spectask, event.run, "blocked")
    return stopped(spectask, "failed", "planning was cancelled")


def _run_ended(spectask: SpecTask, run: RunId, **changes: Any) -> SpecTask:  # noqa: ANN401  field values of several types
    known = find_run(spectask, run)
    return _rewritten(with_run(spectask, replace(charged(known), **changes)), run) if known else spectask


def charged(run: PlanningRun | WorkSession) -> PlanningRun | WorkSession:
    """Returns a run whose open call costs what was reserved for it: nobody knows what it does cost, unless its end is heard of after all."""
    if not run.open_call or run.charged_usd is not None:
        return run
    reserved = run.spend.reserved_usd
    spend = replace(run.spend, cost_usd=run.spend.cost_usd + reserved, reserved_usd=Decimal(0), unknown_calls=run.spend.unknown_calls + 1)
    return replace(run, spend=spend, charged_usd=reserved)


def _uncharged(run: PlanningRun | WorkSession) -> PlanningRun | WorkSession:
    """Returns a run as it was before its open call was charged."""
    if run.charged_usd is None:
        return run
    cost = run.spend.cost_usd - run.charged_usd
    spend = replace(run.spend, cost_usd=cost, reserved_usd=run.charged_usd, unknown_calls=run.spend.unknown_calls - 1)
    return replace(run, spend=spend, charged_usd=None)


def _cleanup_failed(spectask: SpecTask, _: e.Envelope, event: e.CleanupFailed) -> SpecTask:
    run = find_run(spectask, event.run)
    known = f"{run.reason.rstrip('.')}. " if run and run.reason else ""
    return _change(spectask, event.run, reason=f"{known}{event.reason}")


def _call_started(spectask: SpecTask, _: e.Envelope, event: e.CallStarted) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None:
        return spectask
    spend = replace(run.spend, calls=event.call, reserved_usd=event.reserved_usd or Decimal(0))
    return with_run(spectask, replace(run, spend=spend, open_call=event.call, charged_usd=None, busy=1))


def _call_finished(spectask: SpecTask, _: e.Envelope, event: e.CallFinished) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None:
        return spectask
    run = _uncharged(run)
    spend = replace(
        run.spend,
        input_tokens=run.spend.input_tokens + event.input_tokens,
        output_tokens=run.spend.output_tokens + event.output_tokens,
        cost_usd=run.spend.cost_usd + (event.cost_usd or Decimal(0)),
        unknown_calls=run.spend.unknown_calls + (event.cost_usd is None),
        reserved_usd=Decimal(0),
    )
    tools = sum(block.get("kind") == "tool_use" for block in event.reply.get("content", ()))
    doing = doing_of(event.reply)
    return with_run(spectask, replace(run, spend=spend, open_call=0, turn=event.turn, doing=doing, faults=0, fault="", busy=tools))


def _call_lost(spectask: SpecTask, _: e.Envelope, event: e.CallLost) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None:
        return spectask
    run = _uncharged(run)
    # Nobody knows what a lost call cost: what was reserved for it stays charged.
    cost = event.cost_usd if event.cost_usd is not None else run.spend.reserved_usd
    spend = replace(
        run.spend,
        cost_usd=run.spend.cost_usd + cost,
        unknown_calls=run.spend.unknown_calls + (event.cost_usd is None),
        reserved_usd=Decimal(0),
    )
    return with_run(spectask, replace(run, spend=spend, open_call=0, faults=run.faults + 1, fault=event.reason, busy=0))


def _tool_finished(spectask: SpecTask, _: e.Envelope, event: e.ToolFinished) -> SpecTask:
    run = find_run(spectask, event.run)
    return with_run(spectask, replace(run, busy=max(0, run.busy - 1))) if run else spectask


def _unchanged(spectask: SpecTask, _: e.Envelope, __: e.Event) -> SpecTask:
    """Keeps the state: the event is read back from the log as part of a conversation."""
    return spectask


def _question_asked(spectask: SpecTask, _: e.Envelope, event: e.QuestionAsked) -> SpecTask:
    question = Question(id=event.question, kind=event.kind, text=event.text, choices=event.choices)
    return _change(spectask, event.run, state="waiting", question=question)


def _question_answered(spectask: SpecTask, envelope: e.Envelope, event: e.QuestionAnswered) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None or run.question is None:
        return spectask
    spectask = with_run(spectask, replace(run, question=replace(run.question, answer=event.answer, answer_seq=envelope.seq)))
    if not concerns_all(run.question):
        return spectask
    answer = SharedAnswer(run=event.run, question=run.question.text, answer=event.answer, person=event.person)
    return replace(spectask, shared_answers=(*spectask.shared_answers, answer)[-KEPT_ANSWERS:])


def _transcript_committed(spectask: SpecTask, _: e.Envelope, event: e.TranscriptCommitted) -> SpecTask:
    return replace(_change(spectask, event.run, logged_turn=event.turn), specs=event.oid)


def _session_claimed(spectask: SpecTask, envelope: e.Envelope, event: e.SessionClaimed) -> SpecTask:
    claims = spectask.sessions[event.session].claims + 1
    spectask = _change(spectask, event.session, state="verifying", claims=claims, claim_seq=envelope.seq, summary=event.summary)
    return _with_task(spectask, event.session, "claimed")


def _check_finished(spectask: SpecTask, envelope: e.Envelope, event: e.CheckFinished) -> SpecTask:
    passed = event.verification.outcome in {"verified", "weak"}
    session = spectask.sessions[event.session]
    state: RunState = "merging" if passed else session.state
    spectask = _change(spectask, event.session, verification=event.verification, state=state, conflict_with=None)
    if not passed:
        return spectask
    spectask = _change(spectask, event.session, verified_seq=envelope.seq)
    task = spectask.tasks.get(session.task)
    if task is None:
        return spectask
    task = replace(task, state="verified", weak=event.verification.outcome == "weak")
    return replace(spectask, tasks=spectask.tasks.set(session.task, task))


def _session_sent_back(spectask: SpecTask, _: e.Envelope, event: e.SessionSentBack) -> SpecTask:
    session = spectask.sessions[event.session]
    if event.cause == "check":
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
    spectask = _rewritten(_change(spectask, event.session, state="completed", ended=envelope.time, merged=event.feature), event.session)
    return replace(_with_task(spectask, event.session, "merged", event.feature), feature=event.feature)


RUN_FOLDS: dict[type[e.Event], Callable[[SpecTask, e.Envelope, Any], SpecTask]] = {
    e.PlanningStarted: _planning_started,
    e.PlanningFinished: _planning_finished,
    e.SessionStarted: _session_started,
    e.RunReady: _run_ready,
    e.RunInterrupted: _run_interrupted,
    e.RunPaused: _run_paused,
    e.PlaceAwaited: _place_awaited,
    e.RunResumed: _run_resumed,
    e.RunFailed: _run_failed,
    e.RunCancelled: _run_cancelled,
    e.CleanupFailed: _cleanup_failed,
    e.CallStarted: _call_started,
    e.CallFinished: _call_finished,
    e.CallLost: _call_lost,
    e.RunBriefed: _unchanged,
    e.ToolFinished: _tool_finished,
    e.MessageSent: _unchanged,
    e.QuestionAsked: _question_asked,
    e.QuestionAnswered: _question_answered,
    e.TranscriptCommitted: _transcript_committed,
    e.SessionClaimed: _session_claimed,
    e.CheckFinished: _check_finished,
    e.SessionSentBack: _session_sent_back,
    e.SessionMerged: _session_merged,
}
"""Folds by event class, joined into `state.APPLY`."""
