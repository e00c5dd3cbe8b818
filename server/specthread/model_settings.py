"""Which model plays which role, as a person's settings say; a role's file may say otherwise where they say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from specthread.spec.role import ROLES

VENDOR = "anthropic"
PROVIDERS = (VENDOR, "bedrock", "vertex")
_KEYS = ("model", "effort")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A model name with its effort; an empty effort leaves the choice to the model."""

    model: str
    effort: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesSettings:
    """How the built-in agent reaches a Messages API; None as `base_url` is the vendor's own, or that of the cloud which is the `provider`.

    Without `tools`, agents write files by their words alone, whatever the server says of its models. With `remember`, what a planner was told to read is not paid for twice.
    """

    base_url: str | None = None
    provider: str = ""
    tools: bool = True
    remember: bool = False
    planner: ModelChoice = ModelChoice(model="claude-opus-5-5", effort="high")
    implementer: ModelChoice = ModelChoice(model="claude-sonnet-5-5", effort="medium")
    roles: Mapping[str, ModelChoice] = field(default_factory=dict)


def messages_from(values: Mapping[str, Any]) -> MessagesSettings:
    """Returns the settings that these values, by name, come to; who is given a model or an effort alone has the other from its fallback."""
    plain = MessagesSettings()
    provider = values.get("messages.provider", VENDOR)

    def chosen(role: str, fallback: ModelChoice) -> ModelChoice:
        model, effort = (values.get(f"messages.{role}.{key}") for key in _KEYS)
        return ModelChoice(model=model or fallback.model, effort=effort or fallback.effort)

    implementer = chosen("implementer", plain.implementer)
    return MessagesSettings(
        base_url=values.get("messages.base_url") or None,
        provider="" if provider == VENDOR else provider,
        tools=values.get("messages.tools", True),
        remember=values.get("messages.remember", False),
        planner=chosen("planner", plain.planner),
        implementer=implementer,
        roles={
            role: chosen(role, implementer)
            for role in ROLES
            if role != "implementer" and any(f"messages.{role}.{key}" in values for key in _KEYS)
        },
    )


def model_for(settings: MessagesSettings, role: str) -> ModelChoice:
    """Returns the model of a role: its own, else the planner's for planning and the implementer's for everything else."""
    fallback = settings.planner if role == "planner" else settings.implementer
    return settings.roles.get(role, fallback)
