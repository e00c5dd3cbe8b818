"""The settings of a person that say what agents may do: permissions, and what one command may take of the machine. None of them counts from a repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specthread.agents.permissions import TOOLS, Permissions, is_rule
from specthread.config_values import COUNT, Rule, is_words


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What agents may take of the machine.

    One command at most: memory with all it starts, in MiB, and seconds of processor time of each process. A session: MiB on the disk, and ten ports
    from `first_port` upwards.
    """

    memory_mb: int = 8192
    cpu_seconds: int = 3600
    quota_mb: int = 20_480
    first_port: int = 42_000


_RULES_WANTED = f'a list of rules such as "shell(git push *)" or "write(migrations/)"; they may name {", ".join(TOOLS)}'

_PERMISSIONS = Rule(wants=_RULES_WANTED, fits=lambda value: is_words(value) and all(map(is_rule, value)))
_PORTS = range(1024, 60_001)
_VERDICTS = ("deny", "ask", "allow")

RULES: Mapping[str, Rule] = {
    **{f"permissions.{verdict}": _PERMISSIONS for verdict in _VERDICTS},
    **{f"sandbox.{name}": COUNT for name in ("memory_mb", "cpu_seconds", "quota_mb")},
    "sandbox.first_port": Rule(wants="a port from 1024 to 60000", fits=lambda value: COUNT.fits(value) and value in _PORTS),
}
"""The keys with what they must hold."""


def permissions_from(values: Mapping[str, Any]) -> Permissions:
    """Returns the permissions from values by dotted name."""
    return Permissions(**{verdict: tuple(values.get(f"permissions.{verdict}", ())) for verdict in _VERDICTS})


def sandbox_from(values: Mapping[str, Any]) -> SandboxSettings:
    """Returns what a command may take, from values by dotted name."""
    names = SandboxSettings.__dataclass_fields__
    return SandboxSettings(**{name: values[f"sandbox.{name}"] for name in names if f"sandbox.{name}" in values})
