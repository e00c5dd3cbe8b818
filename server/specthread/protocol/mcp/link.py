"""The way from an MCP server to the daemon: each request has a connection of its own, so that a daemon that died in between is attached to, or started, again.

A request that changes something carries a key, so that asking again after a lost connection changes nothing twice.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from specthread import shim
from specthread.engine.doors import INSIDE

ANSWER_LIMIT = 64 * 1024 * 1024
"""Longest answer that is read, in bytes."""
TRIES = 2

Enter = Callable[[str], socket.socket]
"""Returns a connection on which the daemon has said welcome, for a client of that name. Raises AttachError."""


class ToolError(Exception):
    """Says to an agent why a tool did nothing, in whole sentences."""


class Link:
    """Asks the daemon in the name of one client."""

    def __init__(self, enter: Enter, client: str) -> None:
        self._enter = enter
        self._client = client

    async def ask(self, verb: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401  whatever JSON holds
        """Sends `specthread/<verb>` and returns its result. Raises ToolError."""
        for again in range(TRIES, 0, -1):
            try:
                async with self._connected() as lines:
                    return await lines.ask(verb, params)
            except (ConnectionError, EOFError):
                if again == 1:
                    break
        raise ToolError("The daemon went away before it answered. Try again; `specthread daemon logs` may say why.")

    async def ask_until(self, verb: str, answered: Callable[[dict[str, Any]], bool], seconds: float, **params: Any) -> dict[str, Any]:  # noqa: ANN401
        """Asks again whenever something happened to the SpecTask, until the result is an answer or the time is over; returns the last one. Raises ToolError."""
        result = await self.ask(verb, **params)
        if answered(result) or seconds <= 0:
            return result
        try:
            async with asyncio.timeout(seconds), self._connected() as lines:
                await lines.ask("watch", {"id": result["spectask"]})
                while not answered(result := await lines.ask(verb, params)):
                    await lines.wait_note()
        except (TimeoutError, ConnectionError, EOFError):
            return result
        return result

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Lines]:
        try:
            link = await asyncio.to_thread(self._enter, self._client)
        except shim.AttachError as error:
            raise ToolError(f"{error.message} {error.hint}".strip()) from error
        reader, writer = await asyncio.open_unix_connection(sock=link, limit=ANSWER_LIMIT)
        try:
            yield _Lines(reader, writer)
        finally:
            writer.close()


class _Lines:
    """One connection: requests one after the other, and what is said unasked between them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0
        self._has_news = False

    async def ask(self, verb: str, params: Mapping[str, Any]) -> dict[str, Any]:
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": f"specthread/{verb}", "params": params}
        self._writer.write(json.dumps(request).encode() + b"\n")
        await self._writer.drain()
        while (message := await self._line()).get("id") != self._number:
            self._has_news = self._has_news or message.get("method") != "specthread/tick"
        if "error" in message:
            data = message["error"].get("data") or message["error"]
            raise ToolError(f"{data['message']} {data.get('hint', '')}".strip())
        return dict(message["result"])

    async def wait_note(self) -> None:
        """Returns when something has happened."""
        while not self._has_news:
            self._has_news = (await self._line()).get("method") != "specthread/tick"
        self._has_news = False

    async def _line(self) -> dict[str, Any]:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return dict(json.loads(line))


def new_key() -> str:
    """Returns the key of a new request."""
    return secrets.token_hex(8)


def to_the_daemon(environ: Mapping[str, str], cwd: str) -> Enter:
    """Returns the way to a person's daemon, which is started when it does not run; what is done there is theirs, through the client."""
    state = shim.state_folder(environ)
    return lambda client: shim.enter(state, environ, role="mcp", client=client, cwd=cwd)[0]


def through_the_door(path: str = INSIDE) -> Enter:
    """Returns the way through a session's door."""

    def enter(client: str) -> socket.socket:
        link = shim.connect(path)
        if link is None:
            raise shim.AttachError(f"There is no door at {path}: the session that it belonged to is over, or its daemon is.")
        shim.greet(link, role="mcp", client=client, cwd="/")
        return link

    return enter
