"""The settings of external agents: a person's own `[agents.NAME]`, over what is known of the agents with a name.

    [agents.claude]
    command = ["claude-agent-acp"]
    args = ["--verbose"]
    env = ["ANTHROPIC_API_KEY", "DISABLE_TELEMETRY=1"]

`env` names variables that the agent is given of the daemon's environment, or sets some that are no secret; it is given no other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specthread.config_values import WORDS, Rule, is_words

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(=.*)?", re.DOTALL)
_NAMED = re.compile(r"agents\.([^.]+)\.(command|args|env)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What a person says of one external agent; None leaves it to what is known of an agent of that name."""

    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    env: tuple[str, ...] | None = None


RULES: Mapping[str, Rule] = {
    "agents.*.command": Rule(wants="a list of texts: the program and its arguments", fits=lambda value: is_words(value) and bool(value)),
    "agents.*.args": WORDS,
    "agents.*.env": Rule(
        wants='a list of variables, each a name such as "ANTHROPIC_API_KEY" or, where it is no secret, "NAME=value"',
        fits=lambda value: is_words(value) and all(_VARIABLE.fullmatch(each) for each in value),
    ),
}
"""The keys with what they must hold."""


def agents_from(values: Mapping[str, Any]) -> dict[str, AgentSettings]:
    """Returns the settings of each agent that the values, by dotted name, say anything of."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, value in values.items():
        if match := _NAMED.fullmatch(name):
            found.setdefault(match[1], {})[match[2]] = tuple(value)
    return {name: AgentSettings(**said) for name, said in found.items()}
