"""What happens to reviews: a reviewer that is not the agent judges the work of a claim by its criteria."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from specthread.domain.event import Event
from specthread.domain.ids import Oid, RunId
from specthread.domain.run import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStarted(Event):
    """The checked work of a claim of `owner`, in this commit, is judged by a reviewer; with `gate` what is not met goes back."""

    run: RunId
    owner: RunId
    claim: int
    commit: Oid
    agent: str
    gate: bool
    budget_usd: Decimal | None = None
    user_set: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFinished(Event):
    """The reviewer gave its verdicts, one for each criterion."""

    run: RunId
    verdicts: tuple[Verdict, ...]
    summary: str
