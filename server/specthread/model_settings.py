"""Which model plays which role, as a person's settings and the files of roles say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specthread.agents.role_file import RoleFile

ROLES = ("planner", "implementer", "database", "backend", "frontend", "integration", "tester", "reviewer", "writer", "refactorer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A model name with its effort; an empty effort leaves the choice to the model."""

    model: str
    effort: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesSettings:
    """How the built-in agent reaches a Messages API; None as `base_url` is the vendor's own."""

    base_url: str | None = None
    planner: ModelChoice = ModelChoice(model="claude-opus-5-5", effort="high")
    implementer: ModelChoice = ModelChoice(model="claude-sonnet-5-5", effort="medium")
    roles: Mapping[str, ModelChoice] = field(default_factory=dict)


def messages_from(values: Mapping[str, Any], roles: Mapping[str, RoleFile]) -> MessagesSettings:
    """Returns the settings that these values, by name, and the files of roles come to."""
    plain = MessagesSettings()

    def chosen(role: str, fallback: ModelChoice) -> ModelChoice:
        said = roles.get(role)
        model = said.model if said else values.get(f"messages.{role}.model")
        effort = said.effort if said else values.get(f"messages.{role}.effort")
        return ModelChoice(model=model or fallback.model, effort=effort or fallback.effort)

    planner, implementer = chosen("planner", plain.planner), chosen("implementer", plain.implementer)
    told = {*(name.split(".")[1] for name in values if re.fullmatch(r"messages\.[^.]+\.(model|effort)", name)), *roles}
    others = sorted(told - {"planner", "implementer"})
    return MessagesSettings(
        base_url=values.get("messages.base_url") or None,
        planner=planner,
        implementer=implementer,
        roles={role: chosen(role, implementer) for role in others},
    )


def model_for(settings: MessagesSettings, role: str) -> ModelChoice:
    """Returns the model of a role: its own, else the planner's for planning and the implementer's for everything else."""
    fallback = settings.planner if role == "planner" else settings.implementer
    return settings.roles.get(role, fallback)
