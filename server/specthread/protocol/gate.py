"""The daemon's one door: every client comes in over the unix socket, says in one line who it is, and goes on in the protocol it named.

A peer of another user is turned away before it may speak, a stranger and a client of another version after their first line, with a sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

import structlog

from specthread import __version__
from specthread.engine.doors import Insider
from specthread.protocol import wire
from specthread.protocol.bound import BoundCalls, BoundVisitor
from specthread.protocol.call import call
from specthread.protocol.encode import EventBodies
from specthread.protocol.permitted import Call, call_as_mcp
from specthread.protocol.port import Ports
from specthread.protocol.rpc import RpcConnection
from specthread.protocol.visitor import Visitor
from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_view import RefusalView

if TYPE_CHECKING:
    from specthread.protocol.lsp.session import Presence

_log = structlog.get_logger(__name__)

PROTOCOL = 1
HELLO_SECONDS = 10.0


class Connection(Protocol):
    """A client that said hello, in the protocol it speaks."""

    async def run(self) -> None:
        """Serves the client until it goes."""

    def say_stopping(self, reason: str) -> None:
        """Says that the daemon stops, if the client reads."""


class Gate:
    """Serves every connection of the socket."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._tasks: dict[asyncio.Task[None], Connection | None] = {}
        self._bodies = EventBodies(ports.secrets)
        self._presence: Presence | None = None

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._tasks)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until it ends; the callback of `asyncio.start_unix_server(limit=wire.LINE_LIMIT)`."""
        if not _is_own_user(writer):
            writer.close()
            return
        self._begin(reader, writer, None)

    def serve_bound(self, insider: Insider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> asyncio.Task[None]:
        """Serves who came through the door of a session, as that session, until it goes or the task is cancelled."""
        return self._begin(reader, writer, insider)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, insider: Insider | None) -> asyncio.Task[None]:
        task = asyncio.create_task(self._serve(reader, writer, insider))
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, insider: Insider | None) -> None:
        task = asyncio.current_task()
        try:
            # A client may go at any time; what it asked for is done all the same.
            with contextlib.suppress(ConnectionError, TimeoutError):
                hello = await _hello(reader, writer)
                if hello is not None and task is not None:
                    connection = (
                        self._rpc(BoundVisitor(insider, hello.client), BoundCalls(insider).call, reader, writer)
                        if insider
                        else await self._connection(hello.role, Visitor(hello, self._ports), reader, writer)
                    )
                    self._tasks[task] = connection
                    await self._welcome(writer)
                    await connection.run()
        finally:
            writer.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a connection broke", exc_info=error)

    async def _connection(self, role: str, visitor: Visitor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Connection:
        if role != "lsp":
            return self._rpc(visitor, call_as_mcp if role == "mcp" else call, reader, writer)
        # Its libraries take a third of a second and twenty megabytes, which a daemon without editors need not spend.
        lsp = await asyncio.to_thread(import_module, "specthread.protocol.lsp.connection")
        self._presence = self._presence or lsp.Presence()
        made: Connection = lsp.LspConnection(
            self._ports, visitor, reader, writer, bodies=self._bodies, presence=self._presence, clients=lambda: self.clients
        )
        return made

    def _rpc(
        self, visitor: Visitor | BoundVisitor, carried_out: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> RpcConnection:
        return RpcConnection(self._ports, visitor, reader, writer, call=carried_out, bodies=self._bodies, clients=lambda: self.clients)

    async def _welcome(self, writer: asyncio.StreamWriter) -> None:
        engine = self._ports.engine
        await _say(
            writer,
            wire.Welcome(specthread=PROTOCOL, version=__version__, pid=os.getpid(), instance=engine.instance, seq=engine.visible.sequence),
        )

    async def stop(self, reason: str) -> None:
        """Tells every client, answers what is open, and closes the connections."""
        for task, connection in tuple(self._tasks.items()):
            if connection is not None:
                connection.say_stopping(reason)
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> wire.Hello | None:
    """Returns the client's first line, or None where it was turned away."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            hello = wire.Hello.model_validate(json.loads(await reader.readline()))
    except (ValueError, RecursionError):
        await _turn_away(writer, "bad-hello", "The first line must be a hello of Specthread.", "Connect with the specthread program.")
        return None
    if hello.specthread != PROTOCOL or hello.version != __version__:
        message = f"The running daemon is version {__version__}; this client is version {hello.version}."
        hint = "Stop it with `specthread daemon stop`; the next command starts the right one."
        await _turn_away(writer, "other-version", message, hint)
        return None
    return hello


async def _turn_away(writer: asyncio.StreamWriter, code: str, message: str, hint: str) -> None:
    refusal = RefusalView(code=code, message=message, hint=hint)
    writer.write(b'{"error":' + refusal.model_dump_json().encode() + b"}\n")
    await writer.drain()


async def _say(writer: asyncio.StreamWriter, message: Wire) -> None:
    writer.write(message.model_dump_json().encode() + b"\n")
    await writer.drain()


def _is_own_user(writer: asyncio.StreamWriter) -> bool:
    """Tells whether the peer runs as our user; where the system cannot say, the folder's mode has to do."""
    link = writer.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    with contextlib.suppress(OSError):
        _, user, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
        return bool(user == os.getuid())
    return False
