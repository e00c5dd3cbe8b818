"""A model that follows a script: the demo's, and the tests'. Nothing here reasons.

What it says depends on the request alone, so it holds no state, the same request gets the same reply, and a restart of the daemon does not
confuse it. It stands where a real model stands: loop, tools, journal and sandbox are the real ones.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from specthread.agents.backend import Block, ErrorKind, ModelError, ModelRequest, Reply, Text, ToolResult, ToolUse, Usage
from specthread.agents.conversation import request_bytes

CHUNK = 24
BYTES_PER_TOKEN = 4


class ScriptMissing(LookupError):  # noqa: N818  says what is missing
    """Reports a request the script has no line for; a mistake in the script, not of the model."""

    def __init__(self, request: ModelRequest) -> None:
        super().__init__(
            f"The script has no line for {request.run}, role {request.role}, after {replies_before(request)} replies.\n"
            f"Opening: {opening(request)[:500]}\nLast said: {last_said(request)[-1500:]}"
        )
        self.request = request


Story = Callable[[ModelRequest], Reply | ModelError | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Is one line of a script: what is said by `role`, whose opening text contains `key`, after `turn` replies.

    `when` is a regular expression that must be found in what was last said to the model; `turn` None fits any. The first line that fits is
    spoken. A `fault` is met on the first attempt of a call only, so that its retry gets the content.
    """

    role: str
    key: str
    turn: int | None
    content: tuple[Block, ...]
    when: str | None = None
    stop_reason: str | None = None
    fault: ErrorKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedModel:
    """Is a model that speaks the lines of a story, in pieces, waiting `pause` seconds between them."""

    story: Story
    pause: float = 0.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    name: ClassVar[str] = "scripted"

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Returns the story's reply; raises its `ModelError`, or `ScriptMissing`."""
        reply = self.story(request)
        if reply is None:
            raise ScriptMissing(request)
        if isinstance(reply, ModelError):
            raise reply
        for block in reply.content:
            if isinstance(block, Text):
                for start in range(0, len(block.text), CHUNK):
                    on_text(block.text[start : start + CHUNK])
                    await self.sleep(self.pause)
        return reply


def say(text: str) -> Text:
    """Returns a piece of speech for a line."""
    return Text(text=text)


def use(name: str, /, **arguments: Any) -> ToolUse:  # noqa: ANN401  each tool has its own arguments
    """Returns a tool call for a line; its id is made when the line is spoken."""
    return ToolUse(id="", name=name, input=arguments)


def table(lines: Iterable[Line]) -> Story:
    """Returns the story told by lines, tried in order."""
    script = tuple(lines)

    def reply_for(request: ModelRequest) -> Reply | ModelError | None:
        line = next((line for line in script if _fits(line, request)), None)
        if line is None:
            return None
        if line.fault and request.attempt == 1:
            return ModelError(line.fault, f"The script breaks this call on purpose ({line.fault}).", retryable=True)
        return spoken(request, *line.content, stop_reason=line.stop_reason)

    return reply_for


def spoken(request: ModelRequest, *content: Block, stop_reason: str | None = None) -> Reply:
    """Returns a reply to a request, with ids and usage that follow from the request."""
    name = hashlib.sha256(f"{request.run}\0{request.turn}\0{request.attempt}".encode()).hexdigest()[:16]
    uses_tools = any(isinstance(block, ToolUse) for block in content)
    return Reply(
        content=tuple(_numbered(block, f"toolu_{name}_{number}") for number, block in enumerate(content)),
        stop_reason=stop_reason or ("tool_use" if uses_tools else "end_turn"),
        usage=Usage(input=request_bytes(request) // BYTES_PER_TOKEN, output=len(msgspec.json.encode(content)) // BYTES_PER_TOKEN),
        request_id=f"req_{name}",
        model=request.model,
    )


def opening(request: ModelRequest) -> str:
    """Returns the first thing said to the model."""
    return "\n".join(block.text for block in request.messages[0].content if isinstance(block, Text))


def last_said(request: ModelRequest) -> str:
    """Returns what was last said to the model: tool results and follow-ups together."""
    blocks = request.messages[-1].content
    return "\n".join(block.content if isinstance(block, ToolResult) else block.text for block in blocks if not isinstance(block, ToolUse))


def replies_before(request: ModelRequest) -> int:
    """Counts the replies the conversation holds so far."""
    return sum(message.role == "assistant" for message in request.messages)


def _fits(line: Line, request: ModelRequest) -> bool:
    return (
        line.role == request.role
        and line.key in opening(request)
        and line.turn in {None, replies_before(request)}
        and (line.when is None or re.search(line.when, last_said(request)) is not None)
    )


def _numbered(block: Block, id_: str) -> Block:
    return msgspec.structs.replace(block, id=id_) if isinstance(block, ToolUse) and not block.id else block
