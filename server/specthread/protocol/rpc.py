"""JSON-RPC 2.0 over a unix socket, one message per line, after one hello line from each side.

Rules of this file:
- A peer of another user is turned away before it may speak.
- Requests of one connection are carried out one after the other, and each is answered exactly once; a line that is no request is
  answered with an error, and the connection goes on.
- Nothing is buffered without bound. A client that does not read is not read from either, and holds up nobody else. It loses streamed text
  at once; when it is more than `RESYNC_LAG` events late it gets one `specthread/resync` in their place.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from specthread import __version__
from specthread.domain.events import Envelope
from specthread.domain.model import Actor, Refusal, SpecTaskId
from specthread.protocol import wire
from specthread.protocol.complaint import complaint
from specthread.protocol.convert import event_view, refusal_view
from specthread.protocol.methods import HANDLERS
from specthread.protocol.port import Fault, Ports, StreamedText
from specthread.protocol.request import Request
from specthread.protocol.wire_view import RefusalView, Wire

PROTOCOL = 1
LINE_LIMIT = 4 * 1024 * 1024
"""Longest line a client may send, in bytes."""
HELLO_SECONDS = 10.0
RESYNC_LAG = 2000

_KEPT = 64
_log = structlog.get_logger(__name__)


class Server:
    """Serves every connection of the socket; `clients` counts those that said hello."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._encoded: OrderedDict[int, bytes] = OrderedDict()

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until it ends; the callback of `asyncio.start_unix_server(limit=LINE_LIMIT)`."""
        if not _is_own_user(writer):
            writer.close()
            return
        connection = Connection(self, self._ports, reader, writer)
        task = asyncio.create_task(self._serve(connection, writer))
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)

    async def _serve(self, connection: Connection, writer: asyncio.StreamWriter) -> None:
        try:
            # A client may go at any time; what it asked for is done all the same.
            with contextlib.suppress(ConnectionError, TimeoutError):
                await connection.run()
        finally:
            writer.close()

    async def stop(self, reason: str) -> None:
        """Tells every client, answers what is open, and closes the connections."""
        for task, connection in tuple(self._connections.items()):
            connection.say_nowait("specthread/stopping", wire.Stopping(reason=reason))
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def encoded(self, envelope: Envelope) -> bytes:
        """Returns an event as a line; made once for all clients."""
        line = self._encoded.get(envelope.seq)
        if line is None:
            line = self._encoded[envelope.seq] = _notification("specthread/event", event_view(envelope))
            if len(self._encoded) > _KEPT:
                self._encoded.popitem(last=False)
        return line


class Connection:
    """One client: its hello, its requests, and the events it follows."""

    def __init__(self, server: Server, ports: Ports, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.client = ""
        self._server = server
        self._ports = ports
        self._reader = reader
        self._writer = writer
        self._sending = asyncio.Lock()
        self._cwd = ""
        self._actor: Actor | None = None
        self._asked_to_follow: tuple[int, SpecTaskId | None] | None = None
        self._following: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Greets, then answers requests until the client goes."""
        try:
            if not await self._greet():
                return
            while line := await self._line():
                if line.strip():
                    await self._answer(line)
                self._start_following()
        finally:
            if self._following:
                self._following.cancel()
                await asyncio.gather(self._following, return_exceptions=True)

    async def actor(self) -> Actor:
        """Returns the human behind this client: the name git knows for the folder it was started in, else the system's."""
        if self._actor is None:
            self._actor = await self._ports.person_at(Path(self.cwd))
        return self._actor

    @property
    def cwd(self) -> str:
        """The folder the client was started in."""
        return self._cwd

    def follow(self, since: int, spectask: SpecTaskId | None) -> None:
        """Sends the events after `since` from the next answer on, in place of what was followed before."""
        self._asked_to_follow = (since, spectask)

    def say_nowait(self, method: str, message: Wire) -> None:
        """Sends a notification if the client reads; drops it if not."""
        if not self._sending.locked() and not self._writer.transport.get_write_buffer_size():
            self._writer.write(_notification(method, message))

    # --- hello ----------------------------------------------------------------------------------------------------------

    async def _greet(self) -> bool:
        async with asyncio.timeout(HELLO_SECONDS):
            line = await self._line()
        try:
            hello = wire.Hello.model_validate(json.loads(line))
        except (ValueError, RecursionError):
            return await self._turn_away(
                "bad-hello", "The first line must be a hello of Specthread.", "Connect with the specthread program."
            )
        if hello.specthread != PROTOCOL or hello.version != __version__:
            message = f"The running daemon is version {__version__}; this client is version {hello.version}."
            hint = "Stop it with `specthread daemon stop`; the next command starts the right one."
            return await self._turn_away("other-version", message, hint)
        self.client, self._cwd = f"{hello.client}[{hello.pid}]", hello.cwd
        engine = self._ports.engine
        seq = engine.visible.sequence
        welcome = wire.Welcome(specthread=PROTOCOL, version=__version__, pid=os.getpid(), instance=engine.instance, seq=seq)
        await self._send(_encoded(welcome) + b"\n")
        return True

    async def _turn_away(self, code: str, message: str, hint: str) -> bool:
        refusal = RefusalView(code=code, message=message, hint=hint)
        await self._send(b'{"error":' + _encoded(refusal) + b"}\n")
        return False

    # --- requests -------------------------------------------------------------------------------------------------------

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except ValueError:
            sentence = f"A message may be at most {LINE_LIMIT // 1024 // 1024} MB long; the connection is closed."
            await self._send(_error(None, wire.INVALID_REQUEST, Refusal(code="too-long", message=sentence)))
            return b""

    async def _answer(self, line: bytes) -> None:
        identifier: Any = None
        try:
            request = _request_from(line)
            if isinstance(request, Fault):
                await self._send(_error(None, request.code, request.refusal))
                return
            identifier, answer = request.get("id"), await self._result(request)
        except asyncio.CancelledError:
            refusal = Refusal(code="stopping", message="The daemon is stopping.", hint="Try again: the next command starts it.")
            self._writer.write(_error(identifier, wire.OUTSIDE_FAILED, refusal))
            raise
        if "id" not in request:
            return
        if isinstance(answer, Fault):
            await self._send(_error(identifier, answer.code, answer.refusal))
        else:
            await self._send(b'{"jsonrpc":"2.0","id":%b,"result":%b}\n' % (_json(identifier), _encoded(answer)))

    async def _result(self, request: dict[str, Any]) -> Wire | Fault:
        method = request["method"]
        if method not in HANDLERS:
            refusal = Refusal(code="unknown-method", message=f"There is no method {method}.", hint="The methods are those of wire.METHODS.")
            return Fault(code=wire.UNKNOWN_METHOD, refusal=refusal)
        try:
            params = wire.METHODS[method][0].model_validate(request.get("params") or {})
        except ValidationError as error:
            return Fault(code=wire.BAD_PARAMS, refusal=complaint(method, error))
        try:
            result = await HANDLERS[method](Request(ports=self._ports, client=self, clients=self._server.clients), params)
        except Exception as error:  # noqa: BLE001  the request edge: a bug is logged and answered, and the connection goes on
            return self._explained(method, error)
        return _fault_from(result) if isinstance(result, Refusal) else result

    def _explained(self, method: str, error: Exception) -> Fault:
        fault = self._ports.fault_of(error)
        if fault is None:
            _log.exception("request failed", method=method, client=self.client)
            hint = "The daemon's log has the details: `specthread daemon logs`."
            message = f"{method} failed because of a mistake in the daemon; nothing was changed by it."
            return Fault(code=wire.INTERNAL_ERROR, refusal=Refusal(code="internal", message=message, hint=hint))
        _log.info("outside failed", method=method, client=self.client, code=fault.refusal.code, error=str(error))
        return fault

    # --- events ---------------------------------------------------------------------------------------------------------

    def _start_following(self) -> None:
        if self._asked_to_follow is None:
            return
        (since, spectask), self._asked_to_follow = self._asked_to_follow, None
        if self._following:
            self._following.cancel()
        self._following = asyncio.create_task(self._follow(since, spectask))
        self._following.add_done_callback(self._followed)

    def _followed(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if not isinstance(error, ConnectionError):
            _log.error("events lost", client=self.client, exc_info=error)
        # The client sees the end of the connection and asks again from its last event.
        self._writer.close()

    async def _follow(self, since: int, spectask: SpecTaskId | None) -> None:
        while True:
            since = await self._follow_until_late(since, spectask)

    async def _follow_until_late(self, since: int, spectask: SpecTaskId | None) -> int:
        """Sends events until this client is too late, and returns from where to go on then."""
        engine = self._ports.engine
        subscription = engine.subscribe(since)
        was_level = False
        try:
            async for note in subscription:
                if not isinstance(note, Envelope):
                    self._say_text(note, spectask)
                    continue
                lag = engine.visible.sequence - note.seq
                # Old events that were asked for are no lag.
                was_level = was_level or lag == 0
                if was_level and lag > RESYNC_LAG:
                    latest = engine.visible.sequence
                    skipped = wire.Resync(instance=engine.instance, since=note.seq - 1, seq=latest)
                    await self._send(_notification("specthread/resync", skipped))
                    return latest
                if spectask is None or note.spectask == spectask:
                    await self._send(self._server.encoded(note))
        finally:
            subscription.close()
        raise ConnectionResetError("the engine ended the subscription")

    def _say_text(self, note: StreamedText, spectask: SpecTaskId | None) -> None:
        if spectask is None or note.run.startswith(f"{spectask}/"):
            self.say_nowait("specthread/tick", wire.Tick(run=note.run, text=note.text))

    async def _send(self, line: bytes) -> None:
        async with self._sending:
            self._writer.write(line)
            await self._writer.drain()


def _is_own_user(writer: asyncio.StreamWriter) -> bool:
    """Tells whether the peer runs as our user; where the system cannot say, the folder's mode has to do."""
    link = writer.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    with contextlib.suppress(OSError):
        _, user, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
        return bool(user == os.getuid())
    return False


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


def _fault_from(refusal: Refusal) -> Fault:
    """Returns a refusal as an error; that nothing can be stored is the disk's fault, not the person's."""
    return Fault(code=wire.OUTSIDE_FAILED if refusal.code == "store-unavailable" else wire.REFUSED, refusal=refusal)


def _notification(method: str, message: Wire) -> bytes:
    return b'{"jsonrpc":"2.0","method":%b,"params":%b}\n' % (_json(method), _encoded(message))


def _error(identifier: Any, code: int, refusal: Refusal) -> bytes:  # noqa: ANN401  JSON-RPC ids are text, numbers or null
    error = {"code": code, "message": refusal.message, "data": refusal_view(refusal).model_dump()}
    return _json({"jsonrpc": "2.0", "id": identifier, "error": error}) + b"\n"


def _encoded(message: Wire) -> bytes:
    try:
        return message.model_dump_json().encode()
    except PydanticSerializationError:
        # Models and people now and then send half a character, which UTF-8 cannot say.
        return json.dumps(message.model_dump(mode="json"), ensure_ascii=False).encode("utf-8", "replace")


def _json(value: Any) -> bytes:  # noqa: ANN401  anything JSON can say
    return json.dumps(value).encode()
