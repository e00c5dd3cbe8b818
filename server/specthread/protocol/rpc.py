"""JSON-RPC 2.0 over a socket, one message per line.

Rules of this file:
- Requests of one connection are carried out one after the other, and each is answered exactly once; a line that is no request is
  answered with an error, and the connection goes on.
- Nothing is buffered without bound. A client that does not read is not read from either, and holds up nobody else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from specthread.domain.events import Envelope
from specthread.domain.ids import SpecTaskId
from specthread.domain.model import Actor, Refusal
from specthread.protocol import wire, wire_notice
from specthread.protocol.bound import BoundVisitor
from specthread.protocol.encode import EventBodies, error, notification, result
from specthread.protocol.follow import Follower
from specthread.protocol.permitted import Call
from specthread.protocol.port import Fault, Ports
from specthread.protocol.visitor import Visitor
from specthread.protocol.wire_base import Wire


class RpcConnection:
    """One client: its requests, which `call` carries out, and the events it follows. `clients` counts all connections."""

    def __init__(
        self,
        ports: Ports,
        visitor: Visitor | BoundVisitor,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        call: Call,
        bodies: EventBodies,
        clients: Callable[[], int],
    ) -> None:
        self._ports = ports
        self._visitor = visitor
        self._reader = reader
        self._writer = writer
        self._call = call
        self._bodies = bodies
        self._clients = clients
        self._sending = asyncio.Lock()
        self._follower = Follower(ports.engine, self, writer.close, visitor.name)

    async def run(self) -> None:
        """Answers requests until the client goes."""
        try:
            while line := await self._line():
                if line.strip():
                    await self._answer(line)
                self._follower.start()
        finally:
            await self._follower.stop()

    # --- what a request may use of the client -----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The client, for logs."""
        return self._visitor.name

    @property
    def cwd(self) -> str:
        """The folder the client was started in."""
        return self._visitor.cwd

    async def actor(self, folder: str) -> Actor:
        """Returns the human behind this client, as known to the repository around a folder."""
        return await self._visitor.actor(folder)

    def follow(self, since: int, spectask: SpecTaskId | None) -> None:
        """Sends the events after `since` from the next answer on, in place of what was followed before."""
        self._follower.ask(since, spectask)

    # --- requests -------------------------------------------------------------------------------------------------------

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except ValueError:
            sentence = f"A message may be at most {wire.LINE_LIMIT // 1024 // 1024} MB long; the connection is closed."
            await self._send(error(None, wire.INVALID_REQUEST, Refusal(code="too-long", message=sentence)))
            return b""

    async def _answer(self, line: bytes) -> None:
        identifier: Any = None
        try:
            request = _request_from(line)
            if isinstance(request, Fault):
                await self._send(error(None, request.code, request.refusal))
                return
            identifier = request.get("id")
            answer = await self._call(self._ports, self, request["method"], request.get("params"), clients=self._clients())
        except asyncio.CancelledError:
            refusal = Refusal(code="stopping", message="The daemon is stopping.", hint="Try again: the next command starts it.")
            self._writer.write(error(identifier, wire.OUTSIDE_FAILED, refusal) + b"\n")
            raise
        if "id" in request:
            await self._send(error(identifier, answer.code, answer.refusal) if isinstance(answer, Fault) else result(identifier, answer))

    # --- what is said unasked ---------------------------------------------------------------------------------------------

    async def say_event(self, envelope: Envelope) -> None:
        """Sends an event."""
        await self._send(self._bodies.body(envelope))

    async def say_resync(self, resync: wire_notice.Resync) -> None:
        """Says that events were left out."""
        await self._send(notification("specthread/resync", resync))

    def say_text(self, tick: wire_notice.Tick) -> None:
        """Sends streamed text if the client reads."""
        self._say_nowait("specthread/tick", tick)

    def say_stopping(self, reason: str) -> None:
        """Says that the daemon stops, if the client reads."""
        self._say_nowait("specthread/stopping", wire_notice.Stopping(reason=reason))

    def _say_nowait(self, method: str, message: Wire) -> None:
        if not self._sending.locked() and not self._writer.transport.get_write_buffer_size():
            self._writer.write(notification(method, message) + b"\n")

    async def _send(self, body: bytes) -> None:
        async with self._sending:
            self._writer.write(body + b"\n")
            await self._writer.drain()


def _request_from(line: bytes) -> dict[str, Any] | Fault:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        refusal = Refusal(code="not-json", message="This line is not JSON.", hint="Send one JSON-RPC 2.0 request per line.")
        return Fault(code=wire.PARSE_ERROR, refusal=refusal)
    fits = (
        isinstance(message, dict)
        and message.get("jsonrpc") == "2.0"
        and isinstance(message.get("method"), str)
        and isinstance(message.get("params", {}), dict | None)
        and isinstance(message.get("id", 0), str | int | None)
    )
    if not fits:
        text = "This is not a JSON-RPC 2.0 request with named params."
        return Fault(code=wire.INVALID_REQUEST, refusal=Refusal(code="not-a-request", message=text, hint="Batches are not taken."))
    return dict(message)
