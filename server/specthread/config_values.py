"""What a key of the configuration may hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from specthread.domain.amount import MOST_USD


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


def _whole_from(least: int, under: str = "") -> Rule:
    return Rule(
        wants=f"a whole number, {least} or more{under}",
        fits=lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least,
    )


def _seconds_up_to(most: int) -> Rule:
    return Rule(wants=f"a number of seconds, more than 0 and at most {most}", fits=lambda value: is_amount(value) and 0 < value <= most)


TEXT = Rule(wants="a text", fits=lambda value: isinstance(value, str))
NAME = Rule(wants="a text that is not empty", fits=lambda value: isinstance(value, str) and bool(value.strip()))
WORDS = Rule(wants="a list of texts", fits=is_words)
AMOUNT = Rule(wants=f"an amount of US dollars, 0 or more and at most {MOST_USD}", fits=lambda value: is_amount(value) and value <= MOST_USD)
YES_OR_NO = Rule(wants="true or false", fits=lambda value: isinstance(value, bool))
WHOLE = _whole_from(0)
COUNT = _whole_from(1)
SHARERS = _whole_from(1, ', under a name such as "api:github"')
UP_TO_A_DAY = _seconds_up_to(86_400)
UP_TO_A_WEEK = _seconds_up_to(7 * 86_400)
