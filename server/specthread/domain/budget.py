"""Money: what a SpecTask spent, and whether one more call may start.

The promise for the built-in agent: no call starts that could pass a limit, because the price of the whole call is reserved first. A model without a known price is refused only
where the human set a dollar limit; under the defaults it runs and is shown as “cost unknown”. There are limits of one run, of the work on one task, of the SpecTask, and of a
day over all SpecTasks; a call starts within all of them.

A session may have a budget of its own, carved out of its parent's or of the SpecTask's limit: while it lives the whole of it counts as used there, afterwards only
what was spent. So what is carved never adds up to more than there is, and what is left over comes back by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from specthread.domain.barrier import Barrier, DayRaised
from specthread.domain.family import ancestors, short, task_of
from specthread.domain.ids import RunId
from specthread.domain.model import SpecTask
from specthread.domain.run import ENDED_RUN_STATES, AnyRun, PlanningRun, Spend, WorkSession
from specthread.domain.runs import all_runs, find_run

WITHOUT_LIMIT = "go on without a limit"
"""The answer that lifts a limit which cannot be kept."""


def spend_of(spectask: SpecTask) -> Spend:
    """Returns the sum over all runs of the SpecTask."""
    total = Spend()
    for run in all_runs(spectask):
        total = total + run.spend
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetProblem:
    """Why a call must not start, and what a human may choose; nothing stands for a new limit in dollars.

    `owner` is the session whose budget it is; `barrier` the limit, where it is none of those.
    """

    message: str
    choices: tuple[str, ...] = ()
    owner: RunId | None = None
    barrier: Barrier | None = None


def budget_problem(
    spectask: SpecTask, reserve: Decimal | None, run: RunId | None = None, today: DaySpend | None = None
) -> BudgetProblem | None:
    """Returns why a call of `run` that may cost `reserve` US dollars must not start, or None; `reserve` None means the price is unknown.

    `today` says what the day may still cost, None that nobody limits it.
    """
    known = find_run(spectask, run) if run else None
    owner = budget_owner(spectask, known) if isinstance(known, WorkSession) else None
    if owner is not None and (problem := _beyond_budget(spectask, owner, reserve)):
        return problem
    for barrier, whose, taken in _barriers(spectask, known, owner, today):
        if reserve is None:
            if barrier.scope == "spectask" and not spectask.limits.user_set:
                continue
            message = (
                f"The price of this model is unknown, so the limit of ${barrier.usd}{whose} that you set cannot be kept. "
                f"Answer “{WITHOUT_LIMIT}”; or cancel, and choose a model whose price is known."
            )
            return BudgetProblem(message=message, choices=(WITHOUT_LIMIT,), barrier=barrier)
        if taken + reserve > barrier.usd:
            way = ", or pause it now and resume it tomorrow" if barrier.scope == "day" else " to go on"
            message = (
                f"The next call could cost {dollars(reserve)} and {dollars(taken)} of ${barrier.usd}{whose} is spent or reserved: "
                f"it would pass the limit. Answer with a new limit in dollars{way}."
            )
            return BudgetProblem(message=message, barrier=barrier)
    return None


def _barriers(
    spectask: SpecTask, run: AnyRun | None, owner: WorkSession | None, today: DaySpend | None
) -> Iterator[tuple[Barrier, str, Decimal]]:
    """Yields the limits that a call of the run must keep, whose each is in words, and how much of it is taken: the narrowest first."""
    limits = spectask.limits
    if run is not None and limits.run_usd is not None:
        whose = (
            " for one session"
            if isinstance(run, WorkSession)
            else " for one run of the planner"
            if isinstance(run, PlanningRun)
            else " for one review"
        )
        yield Barrier(scope="run", usd=limits.run_usd), whose, _spent(run.spend)
    if run is not None and limits.task_usd is not None and (task := task_of(spectask, run)):
        spent = (_spent(each.spend) for each in all_runs(spectask) if task_of(spectask, each) == task)
        yield Barrier(scope="task", usd=limits.task_usd), f" for task {task}", sum(spent, Decimal(0))
    # What is carved for others is theirs, but who has a budget of its own only takes what was set aside for it.
    yield Barrier(scope="spectask", usd=limits.stop_usd), "", used(spectask) if owner is None else _spent(spend_of(spectask))
    if today is not None and today.usd is not None:
        yield Barrier(scope="day", usd=today.usd, day=today.day), " for today, over all SpecTasks,", today.taken_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpend:
    """What the calls of one day cost or may cost yet, over all SpecTasks, and what they may cost in all; `usd` None: whatever they do."""

    day: date
    taken_usd: Decimal
    usd: Decimal | None


def spent_on(spectasks: Iterable[SpecTask], day: date, usd: Decimal) -> DaySpend:
    """Returns how a day stands that may cost `usd`, unless a person has raised that for the day.

    A call counts on the day on which its end was heard of, and until then on every day; one that was stopped stays on the day on which it was charged.
    Where the clock was set back, what the days after this one cost counts, too.
    """
    taken, raised = Decimal(0), [DayRaised(day=day, usd=usd)]
    for spectask in spectasks:
        if spectask.updated is not None and spectask.updated.date() < day - timedelta(days=2):
            continue  # whatever the time zones, nothing of that day is in it
        runs = all_runs(spectask)
        taken += sum((run.day_usd for run in runs if run.day is not None and run.day >= day), Decimal(0))
        taken += sum((run.spend.reserved_usd for run in runs), Decimal(0))
        if spectask.day_raised is not None and spectask.day_raised.day == day:
            raised.append(spectask.day_raised)
    known = [each.usd for each in raised if each.usd is not None]
    return DaySpend(day=day, taken_usd=taken, usd=max(known) if len(known) == len(raised) else None)


def _beyond_budget(spectask: SpecTask, owner: WorkSession, reserve: Decimal | None) -> BudgetProblem | None:
    budget = owner.budget_usd or Decimal(0)
    if reserve is None:
        message = f"The price of this model is unknown, so the budget of ${budget} of {short(owner.id)} cannot be kept. Answer “{WITHOUT_LIMIT}”, or cancel it."
        return BudgetProblem(message=message, choices=(WITHOUT_LIMIT,), owner=owner.id)
    taken = used(spectask, owner)
    if taken + reserve <= budget:
        return None
    message = (
        f"The next call could cost {dollars(reserve)} and {dollars(taken)} of the budget of ${budget} of {short(owner.id)} is spent or reserved: "
        "it would pass it. Answer with a new budget in dollars to go on."
    )
    return BudgetProblem(message=message, owner=owner.id)


def budget_owner(spectask: SpecTask, session: WorkSession) -> WorkSession | None:
    """Returns the session out of whose budget a session's calls are paid: itself or the nearest above it that has one; None is the SpecTask.

    The budget of one that has ended is given back: who goes on below it is paid by what is above.
    """
    return session if session.budget_usd is not None else owner_above(spectask, session)


def used(spectask: SpecTask, owner: WorkSession | None = None) -> Decimal:
    """Returns what is spent, reserved or carved out of a session's budget, or of the SpecTask's limit where `owner` is None."""
    below: dict[RunId | None, list[WorkSession]] = {}
    for session in spectask.sessions.values():
        below.setdefault(session.parent if session.parent in spectask.sessions else None, []).append(session)

    def taken(run: RunId | None) -> Decimal:
        return sum((held(child) for child in below.get(run, ())), Decimal(0))

    def held(session: WorkSession) -> Decimal:
        spent = _spent(session.spend) + taken(session.id)
        is_carved = session.budget_usd is not None and session.state not in ENDED_RUN_STATES
        return max(spent, session.budget_usd or Decimal(0)) if is_carved else spent

    if owner is not None:
        return _spent(owner.spend) + taken(owner.id)
    return sum((_spent(plan.spend) for plan in (*spectask.plans, *spectask.reviews)), Decimal(0)) + taken(None)


def rest(spectask: SpecTask, owner: WorkSession | None) -> Decimal:
    """Returns what may still be spent or carved there."""
    whole = spectask.limits.stop_usd if owner is None or owner.budget_usd is None else owner.budget_usd
    return whole - used(spectask, owner)


def owner_above(spectask: SpecTask, session: WorkSession) -> WorkSession | None:
    """Returns out of whose budget the session's own is carved; None is the SpecTask's limit."""
    above = (each for each in ancestors(spectask, session) if each.state not in ENDED_RUN_STATES)
    return next((each for each in above if each.budget_usd is not None), None)


def _spent(spend: Spend) -> Decimal:
    return spend.cost_usd + spend.reserved_usd


def dollars(amount: Decimal) -> str:
    """Returns an amount with as many digits as a small one needs."""
    return f"${amount:.4f}" if 0 < amount < 1 else f"${amount:.2f}"


def passes_warning(spectask: SpecTask, cost: Decimal | None) -> bool:
    """Tells whether adding `cost` US dollars passes the warning limit for the first time."""
    return not spectask.warned and spend_of(spectask).cost_usd + (cost or Decimal(0)) >= spectask.limits.warn_usd
