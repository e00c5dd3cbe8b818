"""The names of the settings, what fits them, and which of them a repository may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from specthread import (
    agent_settings,
    limit_settings,
    price_settings,
    provider_settings,
    role_settings,
    sandbox_settings,
    verification_settings,
    worktree_settings,
)
from specthread.config_parts import ContextSettings, TraceSettings
from specthread.config_values import AMOUNT, COUNT, NAME, SHARERS, TEXT, UP_TO_A_DAY, WHOLE, WORDS, YES_OR_NO, Rule
from specthread.model_settings import PROVIDERS
from specthread.spec.resource import KINDS, is_resource
from specthread.spec.role import ROLES

REPOSITORY_FILE = "specthread.toml"


_RULES: Mapping[str, Rule] = {
    "agent": TEXT,
    "messages.base_url": TEXT,
    **{f"messages.{key}": YES_OR_NO for key in ("tools", "remember")},
    "messages.provider": Rule(wants=f"one of {', '.join(PROVIDERS)}", fits=lambda value: value in PROVIDERS),
    **{f"messages.{role}.{key}": NAME for role in ("planner", *ROLES) for key in ("model", "effort")},
    "limits.max_parallel": COUNT,
    "limits.warn_usd": AMOUNT,
    "limits.stop_usd": AMOUNT,
    **limit_settings.RULES,
    **sandbox_settings.RULES,
    **{f"limits.{key}": WHOLE for key in ("max_depth", "max_children")},
    **{f"context.{key}": WHOLE for key in ContextSettings.__dataclass_fields__},
    "resources.*": SHARERS,
    "environment.share": WORDS,
    "environment.setup": TEXT,
    "environment.cleanup": TEXT,
    "environment.timeout": UP_TO_A_DAY,
    **{f"trace.{key}": WORDS for key in TraceSettings.__dataclass_fields__},
    **{f"forge.{kind}": WORDS for kind in ("github", "gitlab")},
    **provider_settings.RULES,
    **price_settings.RULES,
    "worktrees.sparse": Rule(wants=worktree_settings.FOLDERS_WANTED, fits=worktree_settings.are_folders),
    "check.project": TEXT,
    "check.timeout": UP_TO_A_DAY,
    **verification_settings.RULES,
    **agent_settings.RULES,
}
# A pattern can be made to run for ever, so one that somebody else wrote is asked about first.
_POWERS = frozenset(
    {
        "check.project",
        *verification_settings.COMMANDS,
        "environment.share",
        "environment.setup",
        "environment.cleanup",
        "trace.markers",
        worktree_settings.INCLUDE_FILE,
    }
)
_THEIRS = _POWERS | {
    "check.timeout",
    "environment.timeout",
    "check.detect",
    "trace.paths",
    "trace.exclude",
    "trace.tests",
    "worktrees.sparse",
}
"""What a repository may say about itself; the rest would do nothing there."""
_FOR_CHECK = frozenset({"check.levels", "check.exclude", "check.systems"})
"""What only `specthread check` reads, see `check_settings`."""


def is_power(name: str) -> bool:
    """Tells whether a key runs or permits something."""
    return name in _POWERS or role_settings.is_role(name)


def _rule(name: str) -> Rule:
    kind, _, resource = name.partition(".")
    if kind == "resources" and is_resource(resource):
        return _RULES["resources.*"]
    if kind == "prices" and resource:
        return _RULES["prices.*"]
    return _RULES[re.sub(r"^(agents|limits\.roles|limits\.agents)\.[^.]+\.", r"\1.*.", name)]


def complaint_about(name: str, value: Any) -> str:  # noqa: ANN401  any TOML value
    """Says why a key of a person cannot be used, or nothing."""
    if _is_for_check(name):
        return f"`{name}` is for a repository to choose. Put it into its {REPOSITORY_FILE}; here it was left out."
    try:
        rule = _rule(name)
    except KeyError:
        if name.startswith("resources."):
            return f'`{name}` names no resource. Write a kind and a name, such as "api:github"; the kinds are {", ".join(KINDS)}.'
        return f"`{name}` is not a setting. Remove it, or correct its name; `specthread init` writes a file with all names."
    if not rule.fits(value):
        return f"`{name}` must be {rule.wants}; the value was left out."
    return _complaint_about_markers(value) if name == "trace.markers" else ""


def _complaint_about_markers(patterns: list[str]) -> str:
    from specthread.spec.markers import form_of  # noqa: PLC0415  most runs have no such setting

    try:
        for pattern in patterns:
            form_of(pattern)
    except ValueError as error:
        return f"`trace.markers` was left out: {error}"
    return ""


def complaint_about_theirs(name: str, value: Any) -> str:  # noqa: ANN401  any TOML value
    """Says why a repository's key does not count, or nothing; what only `specthread check` reads is left to it."""
    if _is_for_check(name):
        return ""
    sentence = complaint_about(name, value)
    if sentence or name in _THEIRS or limit_settings.is_for_repository(name):
        return sentence
    return f"`{name}` is for each person to choose: a repository cannot. Put it into your own config.toml; here it was left out."


def _is_for_check(name: str) -> bool:
    return name in _FOR_CHECK or name.startswith("check.levels.")
