"""What counts as an amount of money, wherever a person or an agent names one."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

MOST_USD: Final = Decimal(1_000_000_000)
"""No limit and no budget is more: whatever names one tells all its digits."""


def is_amount(usd: Decimal) -> bool:
    """Tells whether it can be a limit or a budget: 0 or more, and at most `MOST_USD`."""
    return usd.is_finite() and 0 <= usd <= MOST_USD


def told_most() -> str:
    """Returns the bound for people."""
    return f"${MOST_USD:,}"
