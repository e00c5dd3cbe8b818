"""The settings that say how many sessions work at once and how long one may take; none of them runs or permits anything.

How many is a matter of the person's machine and account and counts only from their own file. How long a session may take is one of the project, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from specthread.config_values import AMOUNT, COUNT, UP_TO_A_WEEK, Rule

SESSION_SECONDS = 1800.0
"""How long a session's agent may act where nobody says otherwise; waits for people, places and providers do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdSettings:
    """Sessions at once in all, by role and by agent, None or not named: no limit but the daemon's; and seconds a session may take, in general and by role."""

    sessions: int | None = None
    roles: Mapping[str, int] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)
    timeout: float = SESSION_SECONDS
    role_timeouts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """What a SpecTask may use unless it is told otherwise; `user_set` tells that a person chose `stop_usd`."""

    max_parallel: int = 6
    warn_usd: Decimal = Decimal(10)
    stop_usd: Decimal = Decimal(50)
    user_set: bool = False
    crowd: CrowdSettings = field(default_factory=CrowdSettings)
    max_depth: int = 2
    max_children: int = 8
    task_usd: Decimal | None = None
    run_usd: Decimal | None = None
    day_usd: Decimal | None = None
    """What the work on one task, one run and one day over all SpecTasks may cost; None: nobody limits that."""


RULES: Mapping[str, Rule] = {
    **{f"limits.{scope}_usd": AMOUNT for scope in ("task", "run", "day")},
    "limits.max_sessions": COUNT,
    "limits.session_timeout": UP_TO_A_WEEK,
    "limits.roles.*.max_sessions": COUNT,
    "limits.roles.*.session_timeout": UP_TO_A_WEEK,
    "limits.agents.*.max_sessions": COUNT,
}
"""The keys with what they must hold."""


def is_for_repository(name: str) -> bool:
    """Tells whether a repository may choose this key."""
    return re.fullmatch(r"limits\.(roles\.[^.]+\.)?session_timeout", name) is not None


def crowd_from(values: Mapping[str, Any]) -> CrowdSettings:
    """Returns the settings from values by dotted name."""
    return CrowdSettings(
        sessions=values.get("limits.max_sessions"),
        roles=_named(values, "roles", "max_sessions"),
        agents=_named(values, "agents", "max_sessions"),
        timeout=float(values.get("limits.session_timeout", SESSION_SECONDS)),
        role_timeouts={role: float(seconds) for role, seconds in _named(values, "roles", "session_timeout").items()},
    )


def _named(values: Mapping[str, Any], kind: str, key: str) -> dict[str, Any]:
    found = ((re.fullmatch(rf"limits\.{kind}\.([^.]+)\.{key}", name), value) for name, value in values.items())
    return {match[1]: value for match, value in found if match}


def _amount(values: Mapping[str, Any], scope: str) -> Decimal | None:
    chosen = values.get(f"limits.{scope}_usd")
    return None if chosen is None else Decimal(str(chosen))


def limits_from(values: Mapping[str, Any]) -> LimitSettings:
    """Returns the limits from values by dotted name."""
    plain = LimitSettings()
    stop = Decimal(str(values.get("limits.stop_usd", plain.stop_usd)))
    return LimitSettings(
        max_parallel=values.get("limits.max_parallel", plain.max_parallel),
        warn_usd=min(stop, Decimal(str(values.get("limits.warn_usd", plain.warn_usd)))),
        stop_usd=stop,
        user_set="limits.stop_usd" in values,
        crowd=crowd_from(values),
        max_depth=values.get("limits.max_depth", plain.max_depth),
        max_children=values.get("limits.max_children", plain.max_children),
        task_usd=_amount(values, "task"),
        run_usd=_amount(values, "run"),
        day_usd=_amount(values, "day"),
    )
