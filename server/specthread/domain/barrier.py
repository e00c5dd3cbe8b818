"""The limit in dollars that a call would pass, as the question says that asks for more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

BarrierScope = Literal["run", "task", "spectask", "day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """A limit: of one run, of the work on one task, of the SpecTask, or of a `day` over all SpecTasks of this daemon."""

    scope: BarrierScope
    usd: Decimal
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRaised:
    """What a person lets one day cost after all; `usd` None: whatever it does."""

    day: date
    usd: Decimal | None
