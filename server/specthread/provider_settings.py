"""Settings about model providers and about trying again; what nobody sets keeps the default of the code that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specthread.config_values import COUNT, UP_TO_A_DAY, WHOLE, Rule

_ACTIONS = ("model", "effect", "forge")
RULES: Mapping[str, Rule] = {
    "provider.max_calls": COUNT,
    "provider.failures": COUNT,
    "provider.first_wait": UP_TO_A_DAY,
    "provider.longest_wait": UP_TO_A_DAY,
    "retry.model.attempts": WHOLE,
    **{f"retry.{action}.{key}": UP_TO_A_DAY for action in _ACTIONS for key in ("base", "cap")},
}


def given(values: Mapping[str, Any], table: str) -> dict[str, Any]:
    """Returns what was set in a table, by the last part of its name."""
    return {name.removeprefix(f"{table}."): value for name, value in values.items() if name.startswith(f"{table}.") and name in RULES}


def retries(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns what was set of trying again, by kind of action."""
    return {action: found for action in _ACTIONS if (found := given(values, f"retry.{action}"))}
