"""The settings that say how many sessions work at once and how long one may take; none of them runs or permits anything.

How many is a matter of the person's machine and account and counts only from their own file. How long a session may take is one of the project, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from specthread.config_values import Rule, is_amount, is_count

LONGEST_SESSION = 7 * 86_400
"""Seconds that a session may be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdSettings:
    """Sessions at once in all, by role and by agent; and seconds a session may take, in general and by role. None or not named: no limit but the daemon's."""

    sessions: int | None = None
    roles: Mapping[str, int] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)
    timeout: float | None = None
    role_timeouts: Mapping[str, float] = field(default_factory=dict)


def _is_time(value: Any) -> bool:  # noqa: ANN401  any TOML value
    return is_amount(value) and 0 < value <= LONGEST_SESSION


_COUNT = Rule(wants="a whole number, 1 or more", fits=is_count)
_TIME = Rule(wants=f"a number of seconds, more than 0 and at most {LONGEST_SESSION}", fits=_is_time)
RULES: Mapping[str, Rule] = {
    "limits.max_sessions": _COUNT,
    "limits.session_timeout": _TIME,
    "limits.roles.*.max_sessions": _COUNT,
    "limits.roles.*.session_timeout": _TIME,
    "limits.agents.*.max_sessions": _COUNT,
}
"""The keys with what they must hold."""


def is_for_repository(name: str) -> bool:
    """Tells whether a repository may choose this key."""
    return re.fullmatch(r"limits\.(roles\.[^.]+\.)?session_timeout", name) is not None


def crowd_from(values: Mapping[str, Any]) -> CrowdSettings:
    """Returns the settings from values by dotted name."""
    timeout = values.get("limits.session_timeout")
    return CrowdSettings(
        sessions=values.get("limits.max_sessions"),
        roles=_named(values, "roles", "max_sessions"),
        agents=_named(values, "agents", "max_sessions"),
        timeout=None if timeout is None else float(timeout),
        role_timeouts={role: float(seconds) for role, seconds in _named(values, "roles", "session_timeout").items()},
    )


def _named(values: Mapping[str, Any], kind: str, key: str) -> dict[str, Any]:
    found = ((re.fullmatch(rf"limits\.{kind}\.([^.]+)\.{key}", name), value) for name, value in values.items())
    return {match[1]: value for match, value in found if match}
