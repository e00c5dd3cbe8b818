"""Money: what a SpecTask spent, and whether one more call may start.

The promise for the built-in agent: no call starts that could pass the limit, because the price of the whole call is reserved first. A model without a known price is refused only
where the human set a dollar limit; under the defaults it runs and is shown as “cost unknown”.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from specthread.domain.fold_run import all_runs
from specthread.domain.model import SpecTask
from specthread.domain.run import Spend

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
    """Why a call must not start, and what a human may choose; nothing stands for a new limit in dollars."""

    message: str
    choices: tuple[str, ...] = ()


def budget_problem(spectask: SpecTask, reserve: Decimal | None) -> BudgetProblem | None:
    """Returns why a call that may cost `reserve` US dollars must not start, or None; `reserve` None means the price is unknown."""
    limits = spectask.limits
    if reserve is None:
        if limits.user_set:
            return BudgetProblem(
                message=f"The price of this model is unknown, so the limit of ${limits.stop_usd} that you set cannot be kept. "
                f"Answer “{WITHOUT_LIMIT}”; or cancel, and choose a model whose price is known.",
                choices=(WITHOUT_LIMIT,),
            )
        return None
    spent = spend_of(spectask)
    committed = spent.cost_usd + spent.reserved_usd
    if committed + reserve > limits.stop_usd:
        return BudgetProblem(
            message=f"The next call could cost {_dollars(reserve)} and {_dollars(committed)} of ${limits.stop_usd} is spent or reserved: it would pass the limit. "
            "Answer with a new limit in dollars to go on."
        )
    return None


def _dollars(amount: Decimal) -> str:
    """Returns an amount with as many digits as a small one needs."""
    return f"${amount:.4f}" if 0 < amount < 1 else f"${amount:.2f}"


def passes_warning(spectask: SpecTask, cost: Decimal | None) -> bool:
    """Tells whether adding `cost` US dollars passes the warning limit for the first time."""
    return not spectask.warned and spend_of(spectask).cost_usd + (cost or Decimal(0)) >= spectask.limits.warn_usd
