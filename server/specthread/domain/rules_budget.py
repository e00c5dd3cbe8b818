"""Rules for more money: what a human's answer to a run that waits for it does to the limit that is in the way."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from specthread.domain import events as e
from specthread.domain.amount import is_amount, told_most
from specthread.domain.barrier import Barrier
from specthread.domain.budget import WITHOUT_LIMIT, owner_above, rest
from specthread.domain.family import short
from specthread.domain.ids import RunId
from specthread.domain.model import Refusal, SpecTask
from specthread.domain.run import Question, WorkSession

Decision = tuple[e.Event, ...] | Refusal


def raise_limit(spectask: SpecTask, question: Question, given: e.QuestionAnswered) -> Decision:
    """Raises the limit that the question tells of to the dollars of the answer, or lifts one that cannot be kept."""
    owner = spectask.sessions.get(RunId(f"{spectask.id}/{question.id.partition('/')[2]}"))
    barrier = question.barrier or Barrier(scope="spectask", usd=spectask.limits.stop_usd)
    if question.choices:
        return _unlimited(spectask, given, owner, barrier)
    try:
        limit = Decimal(given.answer.strip().lstrip("$"))
    except InvalidOperation:
        limit = Decimal(0)
    if owner is not None:
        raised = e.BudgetRaised(stop_usd=limit, person=given.person, run=owner.id)
        return _not_a_budget(spectask, owner, limit, given.answer) or (raised, given)
    present = _present(spectask, barrier)
    if not is_amount(limit) or limit <= present:
        return Refusal(
            code="bad-limit",
            message=f"“{given.answer}” is not a limit above the present ${present} and at most {told_most()}.",
            hint="Answer with a number of dollars, or cancel the session.",
        )
    return (e.BudgetRaised(stop_usd=limit, person=given.person, scope=barrier.scope, day=barrier.day), given)


def _present(spectask: SpecTask, barrier: Barrier) -> Decimal:
    """Returns the limit as it is by now: somebody may have raised it since the question was asked."""
    raised = spectask.day_raised
    known = {
        "run": spectask.limits.run_usd,
        "task": spectask.limits.task_usd,
        "spectask": spectask.limits.stop_usd,
        "day": raised.usd if raised and raised.day == barrier.day else None,
    }[barrier.scope]
    return barrier.usd if known is None else known


def _not_a_budget(spectask: SpecTask, owner: WorkSession, budget: Decimal, answer: str) -> Refusal | None:
    """Refuses a budget that is no more than the present one, or more than is left above it."""
    present = owner.budget_usd or Decimal(0)
    most = present + max(Decimal(0), rest(spectask, owner_above(spectask, owner)))
    if budget.is_finite() and present < budget <= most:
        return None
    return Refusal(
        code="bad-limit",
        message=f"“{answer}” is not a budget above the present ${present} of {short(owner.id)} and within the ${most} that it could have.",
        hint="Answer with a number of dollars, or cancel the session.",
    )


def _unlimited(spectask: SpecTask, answered: e.QuestionAnswered, owner: WorkSession | None, barrier: Barrier) -> Decision:
    """Lifts a limit that cannot be kept because nobody knows what the model costs; any other limit could be kept no better."""
    if answered.answer.strip().lower() != WITHOUT_LIMIT:
        message = "No limit in dollars can be kept with a model whose price is unknown."
        return Refusal(code="bad-limit", message=message, hint=f"Answer “{WITHOUT_LIMIT}”, or cancel the session.")
    if owner is not None:
        lifted = e.BudgetRaised(stop_usd=owner.budget_usd or Decimal(0), person=answered.person, lifted=True, run=owner.id)
    else:
        stop = _present(spectask, barrier)
        lifted = e.BudgetRaised(stop_usd=stop, person=answered.person, lifted=True, scope=barrier.scope, day=barrier.day)
    return (lifted, answered)
