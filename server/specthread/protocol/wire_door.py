"""What goes through the door of a session, beside what every client may read."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_note import Choice
from specthread.protocol.wire_params import Key, Name, Prose


class ToolView(Wire):
    """A tool of the session, as an agent is told of it; `input_schema` is JSON Schema."""

    name: str
    description: str
    input_schema: dict[str, Any]


class ToolsResult(Wire):
    """The session behind the door, and its tools."""

    spectask: str
    run: str
    tools: list[ToolView]


class UseParams(Wire):
    """Uses a tool; the same `key` again is the same call."""

    name: Name
    input: dict[str, Any] = Field(default_factory=dict)
    key: Annotated[Key, Field(min_length=8)]


class UseResult(Wire):
    """What came of it, in words for the agent."""

    text: str
    wrong: bool


class DoorAskParams(Wire):
    """Asks the person for this session; the same question again asks for its answer."""

    id: str = ""
    question: Prose
    choices: Annotated[list[Choice], Field(max_length=10)] = Field(default_factory=list)
    key: Key = ""
