"""The prices that a person sets for models of their own, or that no table knows; what runs on one's own machine costs what one says, which may be nothing.

They are a person's alone: a repository that could say what a model costs could spend what it likes.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from specthread.config_values import AMOUNT, Rule

_NEEDED = {"input", "output"}
_KEYS = _NEEDED | {"cache_read", "cache_write"}


def _are_prices(value: Any) -> bool:  # noqa: ANN401  any TOML value
    return isinstance(value, dict) and value.keys() <= _KEYS and value.keys() >= _NEEDED and all(map(AMOUNT.fits, value.values()))


RULES: Mapping[str, Rule] = {
    "prices.*": Rule(
        wants="US dollars for a million tokens: `input` and `output`, 0 where it costs nothing, and `cache_read` and `cache_write` if they differ",
        fits=_are_prices,
    )
}
"""The keys with what they must hold."""


def prices_from(values: Mapping[str, Any]) -> dict[str, dict[str, Decimal]]:
    """Returns the prices by model, US dollars for a million tokens; a kind that is not named costs as other input does."""
    found = ((name.partition(".")[2], value) for name, value in values.items() if name.startswith("prices."))
    return {model: {kind: Decimal(str(usd)) for kind, usd in prices.items()} for model, prices in found}
