"""What a tool is: how an agent is told of it, and what carries it out; without a word of any protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specthread.agents.backend import ToolSpec, ToolUse
from specthread.agents.toolspecs import problem_with
from specthread.protocol.mcp.link import Link, ToolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a tool gives: words for the agent, and the same as values for programs."""

    text: str
    data: Mapping[str, Any]


Carry = Callable[[Link, Mapping[str, Any]], Awaitable[Told]]
"""Carries a tool out with arguments that fit its schema. Raises ToolError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool; one that `reads` changes nothing, `title` is what a person is shown when they are asked whether it may be used."""

    spec: ToolSpec
    title: str
    carry: Carry
    reads: bool = False


def tool(
    name: str, title: str, description: str, carry: Carry, *, required: Mapping[str, Any], optional: Mapping[str, Any], reads: bool
) -> Tool:
    """Returns a tool that takes these arguments, by name with their schemas."""
    schema = {"type": "object", "properties": {**required, **optional}, "required": list(required), "additionalProperties": False}
    return Tool(spec=ToolSpec(name=name, description=description, schema=schema), title=title, carry=carry, reads=reads)


async def used(tools: Sequence[Tool], link: Link, name: str, arguments: Mapping[str, Any]) -> Told:
    """Uses a tool by its name. Raises ToolError, also where there is none or it takes something else."""
    call = ToolUse(id="", name=name, input=dict(arguments))
    if problem := problem_with([each.spec for each in tools], call):
        raise ToolError(problem)
    return await next(each for each in tools if each.spec.name == name).carry(link, arguments)


def text(description: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  any keyword of JSON Schema
    """Returns the schema of a text."""
    return {"type": "string", "description": description, **more}


def number(description: str, least: int, most: int) -> dict[str, Any]:
    """Returns the schema of a whole number."""
    return {"type": "integer", "description": description, "minimum": least, "maximum": most}


def texts(description: str) -> dict[str, Any]:
    """Returns the schema of a list of texts."""
    return {"type": "array", "items": {"type": "string"}, "description": description}


def cut(words: str, longest: int) -> str:
    """Returns a text in one line of so many characters at most."""
    line = " ".join(words.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
