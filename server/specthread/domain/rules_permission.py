"""Rules for what an agent, or a check of its work, may do only with a person's permission."""

from __future__ import annotations

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.model import ENDED_TASK_STATES, Actor, Refusal, SpecTask
from specthread.domain.permission import CHOICES, decision
from specthread.domain.run import ACTING, AnyRun
from specthread.domain.runs import find_run

Decision = tuple[e.Event, ...] | Refusal
_ASKING = ACTING | {"verifying", "merging"}


def may_ask(spectask: SpecTask, run: AnyRun) -> bool:
    """Tells whether something is done for a run that may need a permission."""
    return run.state in _ASKING and not spectask.paused and spectask.state not in ENDED_TASK_STATES


def answered(given: e.QuestionAnswered) -> Decision:
    """Takes an answer for what it means; anything that is neither a yes nor a no is refused, since it would be taken for the one or the other."""
    meant = decision(given.answer)
    if meant:
        return (e.QuestionAnswered(run=given.run, question=given.question, answer=meant, person=given.person),)
    return Refusal(
        code="not-a-choice",
        message=f"“{given.answer}” neither permits nor forbids it.",
        hint=f"Answer {', '.join(CHOICES[:-1])} or {CHOICES[-1]}; `no: …` tells the agent why.",
    )


def use(spectask: SpecTask, command: reports.UsePermission, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Counts an answer that git holds, once, for a run that goes on."""
    run = find_run(spectask, command.run)
    question = run.question if run else None
    if run is None or question is None or question.id != command.question or not question.answer_seq or not may_ask(spectask, run):
        return Refusal(
            code="no-permission",
            message=f"Nobody permitted that to {command.run} now.",
            hint=f"`specthread show {spectask.id}` says what it waits for.",
        )
    return (e.PermissionUsed(run=run.id, question=question.id),)
