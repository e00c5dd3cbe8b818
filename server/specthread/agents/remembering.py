"""Answers of a model that are remembered, where a person wants that: a planner that reads the same again need not pay for being told to.

Only an answer that does nothing but read is given a second time, to a call that is the same in every word; what is written, asked or decided is always asked for anew. The
tools that it names are used all the same, and the journal says of such a call that it was remembered and cost nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec

from specthread.agents.backend import Model, ModelRequest, Reply, Text, ToolUse, Usage
from specthread.agents.compaction import encoded
from specthread.agents.toolspecs import READ, SEARCH

PLANNER: Final = "planner"
_READING: Final = frozenset({READ.name, SEARCH.name})
_FORMAT: Final = 1
"""Version of what is remembered: to be raised when a reply is read otherwise."""


class Memory(Protocol):
    """Keeps values by key, for a time."""

    def get(self, key: str) -> bytes | None:
        """Returns what is remembered, or None."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Remembers a value."""
        ...


@dataclass(slots=True)
class RememberingModel:
    """Is another model whose reading answers to planners are remembered; without a `memory` it is that model and nothing more.

    `server` names where it is asked: models of one name are not the same everywhere.
    """

    model: Model
    memory: Memory | None = None
    server: str = ""

    @property
    def name(self) -> str:
        """Names the kind of connection, which is the other model's."""
        return self.model.name

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Returns the reply that is remembered for such a request, else the model's; raises `ModelError`."""
        if self.memory is None or request.role != PLANNER:
            return await self.model.reply(request, on_text)
        key = key_of(request, self.server)
        if (known := _reply_from(self.memory.get(key))) is not None:
            on_text("".join(block.text for block in known.content if isinstance(block, Text)))
            return known
        reply = await self.model.reply(request, on_text)
        if only_reads(reply):
            self.memory.put(key, msgspec.json.encode(reply))
        return reply


def key_of(request: ModelRequest, server: str) -> str:
    """Returns what tells a request to a server from every other: all of it, but for which call of which run it is."""
    parts = (server, request.model, request.system, request.messages, request.tools, request.max_tokens, request.effort, request.schema)
    return f"reply-{_FORMAT}/{hashlib.sha256(encoded(parts)).hexdigest()}"


def only_reads(reply: Reply) -> bool:
    """Tells whether all that a reply wants is to look at something."""
    calls = [block.name for block in reply.content if isinstance(block, ToolUse)]
    return reply.stop_reason == "tool_use" and bool(calls) and _READING.issuperset(calls)


def _reply_from(found: bytes | None) -> Reply | None:
    if found is None:
        return None
    try:
        return replace(msgspec.json.decode(found, type=Reply), cached=True, usage=Usage())
    except msgspec.DecodeError:
        return None  # what cannot be read is not known, and is asked again
