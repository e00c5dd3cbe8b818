"""The settings that say how work is checked beside its task's own check: the project's checks by kind, its formatter, and a reviewer."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from specthread.config_values import AMOUNT, TEXT, YES_OR_NO, Rule

_KINDS = ("format", "lint", "types", "tests")
COMMANDS = tuple(f"check.{name}" for name in (*_KINDS, "formatter"))
"""The keys that hold a command, which an empty text switches off."""
RULES: Mapping[str, Rule] = {
    **dict.fromkeys(COMMANDS, TEXT),
    "review.mode": Rule(
        wants='"gate", "advice" or "off"', fits=lambda value: isinstance(value, str) and value in {"gate", "advice", "off"}
    ),
    "review.budget_usd": AMOUNT,
    "check.detect": YES_OR_NO,
}
"""The keys with what they must hold."""


def checks_from(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what was set of the project's checks: `commands` by kind, `formatter`, `detect`."""
    found = {key: values[f"check.{key}"] for key in ("formatter", "detect") if f"check.{key}" in values}
    commands = {kind: values[f"check.{kind}"] for kind in _KINDS if f"check.{kind}" in values}
    return {**found, "commands": commands} if commands else found


def review_from(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns whether and how work is reviewed: `mode`, and `budget_usd` where somebody set it; what is not met goes back unless somebody says otherwise."""
    budget = values.get("review.budget_usd")
    return {"mode": values.get("review.mode", "gate"), "budget_usd": None if budget is None else Decimal(str(budget))}
