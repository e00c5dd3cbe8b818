"""What a key of the configuration may hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LONGEST_CHECK = 86_400
"""Seconds that a check may be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a key must hold, in words and as a test."""

    wants: str
    fits: Callable[[Any], bool]


def is_words(value: Any) -> bool:  # noqa: ANN401  any TOML value
    """Tells whether a TOML value is a list of texts."""
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def is_amount(value: Any) -> bool:  # noqa: ANN401  any TOML value
    """Tells whether a TOML value is an amount, 0 or more."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def is_time(value: Any) -> bool:  # noqa: ANN401  any TOML value
    """Tells whether a TOML value is a number of seconds that a check may take."""
    return is_amount(value) and 0 < value <= LONGEST_CHECK


def is_count(value: Any) -> bool:  # noqa: ANN401  any TOML value
    """Tells whether a TOML value is a whole number, 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


TEXT = Rule(wants="a text", fits=lambda value: isinstance(value, str))
NAME = Rule(wants="a text that is not empty", fits=lambda value: isinstance(value, str) and bool(value.strip()))
WORDS = Rule(wants="a list of texts", fits=is_words)
AMOUNT = Rule(wants="an amount of US dollars, 0 or more", fits=is_amount)
WHOLE = Rule(wants="a whole number, 0 or more", fits=lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0)
