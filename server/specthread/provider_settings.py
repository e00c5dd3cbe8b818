"""Settings about model providers and about trying again; what nobody sets keeps the default of the code that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specthread.config_values import Rule, is_amount, is_count

_LONGEST = 86_400
_SECONDS = Rule(
    wants=f"a number of seconds, more than 0 and at most {_LONGEST}", fits=lambda value: is_amount(value) and 0 < value <= _LONGEST
)
_COUNT = Rule(wants="a whole number, 1 or more", fits=is_count)
_ATTEMPTS = Rule(wants="a whole number, 0 or more", fits=lambda value: is_count(value) or (type(value) is int and value == 0))

_ACTIONS = ("model", "effect", "forge")
RULES: Mapping[str, Rule] = {
    "provider.max_calls": _COUNT,
    "provider.failures": _COUNT,
    "provider.first_wait": _SECONDS,
    "provider.longest_wait": _SECONDS,
    "retry.model.attempts": _ATTEMPTS,
    **{f"retry.{action}.{key}": _SECONDS for action in _ACTIONS for key in ("base", "cap")},
}


def given(values: Mapping[str, Any], table: str) -> dict[str, Any]:
    """Returns what was set in a table, by the last part of its name."""
    return {name.removeprefix(f"{table}."): value for name, value in values.items() if name.startswith(f"{table}.") and name in RULES}


def retries(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns what was set of trying again, by kind of action."""
    return {action: found for action in _ACTIONS if (found := given(values, f"retry.{action}"))}
