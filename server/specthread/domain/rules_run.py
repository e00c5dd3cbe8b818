"""Rules for one run's conversation: calls, tools, questions, pause and end.

The call journal: a call number is spent when `CallStarted` is durable. After a crash the open call is closed as lost before the next one
starts, so no number is sent twice and no cost is forgotten.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.approval import is_durable
from specthread.domain.budget import DaySpend, budget_problem, passes_warning, spend_of
from specthread.domain.family import short
from specthread.domain.fold_call import charged
from specthread.domain.ids import RunId
from specthread.domain.messages import answered, open_questions
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.rules_budget import raise_limit
from specthread.domain.rules_permission import answered as permission_answered
from specthread.domain.rules_permission import may_ask
from specthread.domain.rules_place import going_on
from specthread.domain.rules_review import too_dear
from specthread.domain.rules_spectask import ended
from specthread.domain.run import ACTING, LIVE_RUN_STATES, WORKING_RUN_STATES, AnyRun, ReviewRun, WorkSession, stage
from specthread.domain.runs import all_runs, find_run, with_run

Decision = tuple[e.Event, ...] | Refusal


def _run(spectask: SpecTask, run: RunId) -> AnyRun | Refusal:
    return find_run(spectask, run) or unknown_run(spectask, run)


def unknown_run(spectask: SpecTask, run: RunId) -> Refusal:
    """Refuses what is said of a run that does not exist."""
    return Refusal(
        code="unknown-id", message=f"{spectask.id} has no session {run}.", hint=f"`specthread sessions {spectask.id}` lists them."
    )


def _steered(spectask: SpecTask, run: RunId) -> AnyRun | Refusal:
    """Returns the run that a human speaks of, unless its SpecTask has ended."""
    return ended(spectask) or _run(spectask, run)


def _not(run: AnyRun, wanted: str, hint: str = "") -> Refusal:
    return Refusal(
        code="wrong-state", message=f"{run.id} is {run.state}, not {wanted}.", hint=hint or "`specthread show` says what it waits for."
    )


def not_running(run: AnyRun) -> Refusal:
    """Refuses what only the agent of a running run may do."""
    if run.state in ACTING:
        return Refusal(
            code="wrong-state", message=f"The SpecTask of {run.id} does not go on.", hint="`specthread show` says what it waits for."
        )
    return _not(run, "running")


def is_acting(spectask: SpecTask, run: AnyRun) -> bool:
    """Tells whether the run's agent may act now."""
    return run.state in ACTING and not spectask.paused and ended(spectask) is None


def interrupt(spectask: SpecTask, command: reports.InterruptRuns, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Marks the runs whose agent was working when the daemon died, also one that had just begun to go on after an earlier death."""
    runs = (run for run in all_runs(spectask) if run.state == "running" or run.active_since)
    return tuple(e.RunInterrupted(run=run.id, alive=command.alive) for run in runs)


def note_clock_jump(spectask: SpecTask, command: reports.NoteClockJump, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Takes what nobody was awake for from the time of those whose agents act."""
    return (e.ClockJumped(seconds=command.seconds),) if command.seconds and any(run.active_since for run in all_runs(spectask)) else ()


def pause(spectask: SpecTask, command: c.PauseRun, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Stops a live run where it is."""
    run = _steered(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    if run.state == "paused":
        return Refusal(code="wrong-state", message=f"{run.id} is paused already.", hint=f"`specthread resume {run.id}` lets it go on.")
    if run.state not in LIVE_RUN_STATES:
        return Refusal(
            code="wrong-state", message=f"{run.id} is {run.state}; there is nothing to pause.", hint="`specthread sessions` lists the runs."
        )
    return (e.RunPaused(run=run.id),)


def resume(spectask: SpecTask, command: c.ResumeRun, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Lets a paused run go on."""
    run = _steered(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    if run.state != "paused":
        return _not(run, "paused", "A failed session goes on with `specthread retry`.")
    if (run.paused_from or "running") in WORKING_RUN_STATES:
        return (going_on(run),)
    return (e.RunResumed(run=run.id), *_waited_for(spectask, run))


def _waited_for(spectask: SpecTask, run: AnyRun) -> tuple[e.Event, ...]:
    """Returns how a run goes on that was paused while it waited: what it waited for may have come meanwhile."""
    question = run.question
    if run.paused_from != "waiting" or question is None:
        return ()
    if question.answer_seq and is_durable(spectask, question.answer_seq):
        return after_answer(run)
    # Whether the money reaches by now is found out by asking for the call again.
    return (going_on(run),) if question.kind == "budget" and not question.answer_seq else ()


def cancel(spectask: SpecTask, command: c.CancelRun, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Ends a live run; its worktree and branch stay."""
    run = _steered(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    return (e.RunCancelled(run=run.id),) if run.state in LIVE_RUN_STATES else _not(run, "live")


def fail(spectask: SpecTask, command: reports.FailRun, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Ends a run without its result; ignored when it is over already."""
    run = _run(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    return (
        (e.RunFailed(run=run.id, reason=command.reason, stuck=command.stuck, outside=command.outside),)
        if run.state in LIVE_RUN_STATES
        else ()
    )


def start_call(spectask: SpecTask, command: reports.StartCall, today: DaySpend | None = None) -> Decision:
    """Spends the next call number, unless the run may not act or the money does not reach; `today` is what all SpecTasks spent, where that is limited."""
    run = _run(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    if not is_acting(spectask, run):
        return not_running(run)
    before: tuple[e.Event, ...] = () if run.state == "running" else (e.RunReady(run=run.id),)
    if command.briefing:
        before += (e.RunBriefed(run=run.id, text=command.briefing),)
    if run.open_call:
        before += (replace(lost_call(run, command.turn), day=command.day),)
        spectask = with_run(spectask, charged(run))
    if isinstance(run, ReviewRun) and (dear := too_dear(spectask, run, command.reserve_usd, today)):
        return (*before, e.RunFailed(run=run.id, reason=dear))
    problem = budget_problem(spectask, command.reserve_usd, run.id, today)
    if problem:
        asked = e.QuestionAsked(
            run=run.id,
            question=f"budget-{run.spend.calls + 1}{f'/{short(problem.owner)}' if problem.owner else ''}",
            kind="budget",
            text=problem.message,
            choices=problem.choices,
            barrier=problem.barrier,
        )
        return (*before, asked)
    started = e.CallStarted(
        run=run.id,
        call=run.spend.calls + 1,
        turn=command.turn,
        reserved_usd=command.reserve_usd,
        sums_up=command.sums_up,
        day=command.day,
        heard=command.heard,
    )
    return (*before, started)


def lost_call(run: AnyRun, turn: int) -> e.CallLost:
    """Returns the end of a call that nobody waits for any more; its reservation stays charged."""
    return e.CallLost(run=run.id, call=run.open_call, turn=turn, reason="the work was stopped before the answer came")


def _stale_call(run: AnyRun, call: int) -> Refusal | None:
    if call and run.open_call == call:
        return None
    return Refusal(code="stale-call", message=f"Call {call} of {run.id} is closed.", hint="Ask for a new call.")


def finish_call(spectask: SpecTask, command: reports.FinishCall, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Journals a whole reply and warns once when the spend passes the warning limit."""
    run = _run(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    finished = e.CallFinished(
        run=run.id,
        call=command.call,
        turn=command.turn,
        reply=command.reply,
        input_tokens=command.input_tokens,
        output_tokens=command.output_tokens,
        cost_usd=command.cost_usd,
        usage=command.usage,
        model=command.model,
        request_id=command.request_id,
        price_version=command.price_version,
        cached=command.cached,
        day=command.day,
    )
    stale = _stale_call(run, command.call)
    if stale:
        return stale
    if not passes_warning(spectask, command.cost_usd):
        return (finished,)
    spent = spend_of(spectask).cost_usd + (command.cost_usd or Decimal(0))
    return (finished, e.BudgetWarned(spent_usd=spent))


def lose_call(spectask: SpecTask, command: reports.LoseCall, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Journals a call that broke."""
    run = _run(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    lost = e.CallLost(
        run=run.id,
        call=command.call,
        turn=command.turn,
        reason=command.reason,
        cost_usd=command.cost_usd,
        usage=command.usage,
        model=command.model,
        request_id=command.request_id,
        price_version=command.price_version,
        day=command.day,
    )
    return _stale_call(run, command.call) or (lost,)


def finish_tool(spectask: SpecTask, command: reports.FinishTool, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Journals a tool result, also of a run that was paused while the tool ran: what happened, happened."""
    run = _run(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    return (
        e.ToolFinished(
            run=run.id,
            turn=command.turn,
            tool_use_id=command.tool_use_id,
            content=command.content,
            is_error=command.is_error,
            changed=command.changed,
        ),
    )


def ask(spectask: SpecTask, command: reports.AskQuestion, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Puts a question to a human; asking the same one again after a restart changes nothing."""
    run = _run(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    if run.question and run.question.id == command.question:
        return ()
    if not (may_ask(spectask, run) if command.kind == "permission" else is_acting(spectask, run)):
        return not_running(run)
    return (e.QuestionAsked(run=run.id, question=command.question, kind=command.kind, text=command.text, choices=command.choices),)


def answer(spectask: SpecTask, command: c.AnswerQuestion, actor: Actor) -> Decision:
    """Answers an open question, to a person or in the place of another session; for a budget the answer is the new limit in dollars, or lifts one that cannot be kept."""
    run = _steered(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    question = run.question
    if run.state != "waiting" or question is None or question.answer_seq:
        return _in_place(spectask, command, actor)
    if command.question not in {"", question.id}:
        return Refusal(
            code="other-question", message=f"{run.id} asks something else by now: “{question.text}”.", hint="Read it, and answer that."
        )
    if not command.answer.strip():
        return Refusal(code="empty-answer", message="The answer is empty.", hint="Say what the agent should do.")
    given = e.QuestionAnswered(run=run.id, question=question.id, answer=command.answer, person=actor.name)
    if question.kind == "permission":
        return permission_answered(given)
    return raise_limit(spectask, question, given) if question.kind == "budget" else (given,)


def _in_place(spectask: SpecTask, command: c.AnswerQuestion, actor: Actor) -> Decision:
    """Answers the oldest question of a session to another one in that one's place."""
    asked = open_questions(spectask, of=command.run)
    if asked and command.question in {"", str(asked[0].number)} and command.answer.strip():
        return tuple(answered(spectask, asked[0], actor.name or str(actor), command.answer))
    return Refusal(
        code="no-question",
        message=f"{command.run} asks nothing at the moment.",
        hint=f'`specthread say {command.run} "…"` tells it something all the same.',
    )


def say(spectask: SpecTask, command: c.SayToRun, actor: Actor) -> Decision:
    """Leaves a message that the agent reads before its next turn."""
    run = _steered(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    if not command.text.strip():
        return Refusal(code="empty-message", message="The message is empty.", hint="Say what the agent should know.")
    if stage(run) == "pending":
        return _not(run, "working", "It begins when a place is free; say it then.")
    if stage(run) not in {"starting", "running", "waiting", "paused", "interrupted"}:
        checked = "Its work is being checked; should it be sent back, it can be told then."
        return _not(run, "working", checked if run.ended is None else f"`specthread retry {run.id}` starts it again.")
    return (e.MessageSent(run=run.id, after_turn=run.turn, text=command.text, source=actor.name or str(actor)),)


def record_transcript(spectask: SpecTask, command: reports.RecordTranscript, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Notes how far the transcript stands in git."""
    run = _run(spectask, command.run)
    if isinstance(run, Refusal):
        return run
    return (e.TranscriptCommitted(run=run.id, turn=command.turn, oid=command.oid),)


def after_answer(run: AnyRun) -> tuple[e.Event, ...]:
    """Returns how a run goes on whose question was answered: the agent of a check that could not run is told the answer."""
    question = run.question
    if question and isinstance(run, WorkSession) and question.id == f"check-{run.claims}":
        text = f"The check could not run. A human says: {question.answer}"
        return going_on(run), e.SessionSentBack(session=run.id, cause="check", text=text, after_turn=run.turn)
    return (going_on(run),)
