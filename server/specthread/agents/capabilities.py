"""What a server that speaks the Messages API understands of it: found out once for each address and model, and remembered.

Servers that are compatible know the core of the API. Some refuse what they do not know, some pass over it in silence; the API says nothing of either, so one tiny call tries
everything at once. What an answer then refuses by name is left out of that call and of all later ones. The vendor's own API is never tried: it knows everything.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from specthread.agents.backend import Message, ModelError, ModelRequest, Reply, Text, ToolSpec, Usage
from specthread.agents.structured import AnswerUnfit, answer_of

VENDOR: Final = "anthropic.com"
SMALL_CONTEXT: Final = 32_000
"""Tokens below which a model forgets its task after a few files."""
PROBE: Final = 'Answer with {"ok": true}.'
_OK: Final = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
_REFUSES: Final = re.compile(
    r"\bextra\b|unknown|unexpected|unsupported|not supported|not support|unrecogni[sz]ed|not permitted|not allowed|not available|requires --", re.IGNORECASE
)  # fmt: skip
_TOO_LONG: Final = re.compile(r"\bmax_tokens: \d+ > (\d+)\b")
_NAMES: Final = {
    "cache_control": r"\bcache_control\b",
    "effort": r"\beffort\b|\boutput_config\b(?!\.format)",
    "schemas": r"\boutput_format\b|\bjson_schema\b|\boutput_config(?!\.effort)\b|\bstructured outputs?\b",
    "strict": r"\bstrict\b",
    "thinking": r"\bthinking\b",
    "tools": r"\bsupport tools?\b|\btools\b(?!\.)|\btool (use|choice|calling)\b",
}


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """Says which parts of the API a model of a server takes; `context` is the room for a conversation and `longest_reply` that for a reply in tokens, None where nobody says.

    With `counts` it tells how many tokens a request has. With `null_stop` a whole reply may come without a reason why it ended.
    """

    cache_control: bool = True
    effort: bool = True
    schemas: bool = True
    strict: bool = True
    thinking: bool = True
    tools: bool = True
    counts: bool = True
    null_stop: bool = False
    context: int | None = None
    longest_reply: int | None = None


EVERYTHING: Final = Capabilities()
CORE: Final = Capabilities(cache_control=False, effort=False, schemas=False, strict=False, thinking=False)
Ask = Callable[[ModelRequest, Capabilities], Awaitable[Reply]]
"""Makes one call as these capabilities allow; raises `ModelError`. A reply without a stop reason has an empty one."""


def is_vendors(url: str) -> bool:
    """Tells whether an address is the vendor's own."""
    host = urlsplit(url).hostname or ""
    return host == VENDOR or host.endswith(f".{VENDOR}")


def without(can: Capabilities, refusal: str) -> Capabilities | None:
    """Returns what is left when a server refused a request with these words, or None where they name no part of the API that was sent."""
    if too_long := _TOO_LONG.search(refusal):
        return msgspec.structs.replace(can, longest_reply=int(too_long[1])) if can.longest_reply != int(too_long[1]) else None
    if not _REFUSES.search(refusal):
        return None
    named = {name: False for name, pattern in _NAMES.items() if getattr(can, name) and re.search(pattern, refusal, re.IGNORECASE)}
    return msgspec.structs.replace(can, **named) if named else None


def probe_request(model: str) -> ModelRequest:
    """Returns the tiny request that uses every part of the API."""
    said = Message(role="user", content=(Text(text=PROBE),))
    tool = ToolSpec(name="nothing", description="Does nothing; do not use it.", schema={"type": "object", "properties": {}}, strict=True)
    return ModelRequest(
        run="", role="", turn=0, model=model, system="Be brief.", messages=(said,), tools=(tool,), max_tokens=64, effort="low", schema=_OK,
    )  # fmt: skip


async def find_out(ask: Ask, model: str) -> tuple[Capabilities, Usage]:
    """Returns what a model of a server takes, and what finding out has used; raises `ModelError` where no request gets through at all."""
    can = EVERYTHING
    while True:
        try:
            reply = await ask(probe_request(model), can)
        except ModelError as error:
            fewer = without(can, error.message) or _next(can)
            if error.kind != "bad_request" or fewer is None:
                raise
            can = fewer
            continue
        return msgspec.structs.replace(can, null_stop=not reply.stop_reason, schemas=can.schemas and _obeyed(reply)), reply.usage


def _next(can: Capabilities) -> Capabilities | None:
    """Returns what a server is asked with that refused without naming anything: the core alone, then that without tools."""
    core = msgspec.structs.replace(CORE, tools=can.tools)
    return core if can != core else msgspec.structs.replace(core, tools=False) if can.tools else None


def _obeyed(reply: Reply) -> bool:
    """Tells whether the schema was not only accepted but followed."""
    try:
        return bool(answer_of(reply, _OK))
    except AnswerUnfit:
        return False


@dataclass(slots=True)
class Learned:
    """Remembers what servers take, in a file of the state folder where there is one; a file that cannot be read is found out anew."""

    file: Path | None = None
    _known: dict[str, Capabilities] | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def of(self, url: str, model: str, finding: Callable[[], Awaitable[Capabilities]] | None) -> Capabilities:
        """Returns what a model at an address takes; who is the first to ask waits for `finding`, all others for that. Without it, everything is taken."""
        async with self._turn:
            known = await asyncio.to_thread(self.read) if self._known is None else self._known
            if (found := known.get(_key(url, model))) is not None:
                return found
            if finding is None:
                return EVERYTHING
            found = await finding()
            await asyncio.to_thread(self._write, url, model, found)
            return found

    async def note(self, url: str, model: str, can: Capabilities) -> None:
        """Remembers what an answer has taught."""
        async with self._turn:
            await asyncio.to_thread(self._write, url, model, can)

    def read(self) -> dict[str, Capabilities]:
        """Returns what is known, by address and model with a space between."""
        if self._known is None:
            self._known = {}
            try:
                if self.file is not None:
                    self._known = msgspec.json.decode(self.file.read_bytes(), type=dict[str, Capabilities])
            except (OSError, msgspec.DecodeError):
                pass  # it is a cache: what is lost is asked again
        return self._known

    def _write(self, url: str, model: str, can: Capabilities) -> None:
        self._known = {**self.read(), _key(url, model): can}
        if self.file is None:
            return
        fresh = self.file.with_name(f"{self.file.name}.{os.getpid()}")
        try:
            fresh.write_bytes(msgspec.json.format(msgspec.json.encode(self._known)))
            fresh.replace(self.file)
        except OSError:
            fresh.unlink(missing_ok=True)  # a full disk costs one more question at the next start


def _key(url: str, model: str) -> str:
    return f"{url.rstrip('/')} {model}"


def plus(one: Usage, other: Usage) -> Usage:
    """Returns what two calls have used together."""
    return replace(
        one,
        input=one.input + other.input,
        output=one.output + other.output,
        cache_read=one.cache_read + other.cache_read,
        cache_write=one.cache_write + other.cache_write,
        cache_write_1h=one.cache_write_1h + other.cache_write_1h,
    )
