"""The Agent Client Protocol, as far as it is used: the only file that imports `acp`, which is loaded when the first external agent starts.

What an agent tells is queued in the moment it is read, in its order: the library hands notifications to tasks of their own, and an answer may be looked at before what was
told ahead of it. No file system and no terminal of ours is offered, an agent has its own.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from acp.connection import Connection
from acp.exceptions import RequestError
from acp.meta import AGENT_METHODS, CLIENT_METHODS, PROTOCOL_VERSION

from specthread import __version__
from specthread.agents.acp_told import Asked, Told, WireError
from specthread.domain.text import is_deep, sound_text

GARBAGE_KEPT = 5
GARBAGE_BORNE = 200
"""Lines that are no messages: some agents greet; one that goes on like this speaks something else."""
TOLD_KEPT = 8 * 1024 * 1024
"""Bytes that may wait to be taken in; until they are, nothing more is read."""
AUTH_REQUIRED = -32000


@dataclass(slots=True)
class _Lines:
    """Is the transport: one JSON object a line; what is none is kept for a person, updates go into their queue at once, but not while a conversation is loaded."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    told: asyncio.Queue[tuple[int, Told]] = field(default_factory=asyncio.Queue)
    waiting: int = 0
    room: asyncio.Event = field(default_factory=asyncio.Event)
    is_loading: bool = False
    heard: list[str] = field(default_factory=list)
    garbage: int = 0
    too_much: bool = False

    def tell(self, told: Told, size: int = 0) -> None:
        self.waiting += size
        self.told.put_nowait((size, told))

    async def next(self) -> Told:
        size, told = await self.told.get()
        self.waiting -= size
        self.room.set()
        return told

    async def send(self, message: dict[str, Any]) -> None:
        self.writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        await self.writer.drain()

    async def receive(self) -> dict[str, Any] | None:
        while (line := await self._line()) is not None:
            if not line.strip():
                continue
            message = _message(line)
            if message is None:
                self.garbage += 1
                self.heard = [*self.heard, line.decode(errors="replace").strip()][-GARBAGE_KEPT:]
                if self.garbage > GARBAGE_BORNE:
                    self.too_much = True
                    break
            elif not self._note(message, len(line)):
                return message
        self.tell("gone")
        return None

    async def close(self) -> None:
        self.writer.close()

    async def _line(self) -> bytes | None:
        while self.waiting > TOLD_KEPT:
            self.room.clear()
            await self.room.wait()
        try:
            return await self.reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            return end.partial or None
        except (asyncio.LimitOverrunError, ConnectionError):
            self.too_much = True
            return None

    def _note(self, message: Mapping[str, Any], size: int) -> bool:
        """Queues what must keep its order; tells whether that is all there is to do with it."""
        params = message.get("params")
        if message.get("method") == CLIENT_METHODS["session_update"]:
            update = params.get("update") if isinstance(params, dict) else None
            if isinstance(update, dict) and not self.is_loading:
                self.tell(update, size)
            return True
        if (
            message.get("method") == CLIENT_METHODS["session_request_permission"]
            and "id" in message
            and isinstance(params, dict)
            and not self.is_loading
        ):
            self.tell(Asked(id=message["id"], params=params), size)
            return True
        return False


def _message(line: bytes) -> dict[str, Any] | None:
    """Returns a line as a message, or None where it is none that could be answered, waited for or shown."""
    try:
        message = json.loads(line)
        if b"\\ud" in line.lower():  # perhaps half a pair, which nothing could write down
            message = json.loads(sound_text(json.dumps(message, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not isinstance(message.get("id", 0), int | str | None) or is_deep(message):
        return None
    if "method" in message:
        return message if isinstance(message["method"], str) else None
    is_answer = "result" in message or isinstance(message.get("error"), dict)
    return message if is_answer and "id" in message else None


class Wire:
    """A conversation with one agent; all that comes from it is given by `next`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines = _Lines(reader, writer)
        self._connection = Connection(_refused, self._lines)

    async def next(self) -> Told:
        """Returns what comes next from the agent, when it comes."""
        return await self._lines.next()

    @property
    def heard(self) -> list[str]:
        """What the agent said last that is no message."""
        return self._lines.heard

    @property
    def spoke_garbage(self) -> bool:
        """Tells whether the agent was given up because it speaks something else."""
        return self._lines.too_much

    async def initialize(self) -> Mapping[str, Any]:
        """Greets the agent and returns what it can do; raises WireError."""
        answer = await self._ask(
            "initialize",
            protocolVersion=PROTOCOL_VERSION,
            clientCapabilities={"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
            clientInfo={"name": "specthread", "title": "Specthread", "version": __version__},
        )
        if answer.get("protocolVersion") != PROTOCOL_VERSION:
            raise WireError(
                f"speaks version {answer.get('protocolVersion')} of the protocol, and Specthread version {PROTOCOL_VERSION}. Update the older one."
            )
        can = answer.get("agentCapabilities")
        return can if isinstance(can, dict) else {}

    async def new_session(self, cwd: str) -> str:
        """Begins a conversation and returns its id; raises WireError."""
        session = (await self._ask("session_new", cwd=cwd, mcpServers=[])).get("sessionId")
        if not isinstance(session, str) or not session:
            raise WireError("gave its session no id.")
        return session

    async def go_on(self, session: str, cwd: str, *, loading: bool) -> None:
        """Takes an earlier conversation up again; raises WireError. What loading tells of it again is known, and dropped."""
        self._lines.is_loading = True
        try:
            await self._ask("session_load" if loading else "session_resume", sessionId=session, cwd=cwd, mcpServers=[])
        finally:
            self._lines.is_loading = False
        gone = False
        while not self._lines.told.empty():
            gone |= await self._lines.next() == "gone"
        if gone:
            raise WireError("ended.", gone=True)

    def prompt(self, session: str, text: str) -> asyncio.Task[Mapping[str, Any]]:
        """Says something; the task gives the answer when the agent has ended its turn, or raises WireError, and `answered` comes next."""
        task = asyncio.ensure_future(self._ask("session_prompt", sessionId=session, prompt=[{"type": "text", "text": text}]))
        task.add_done_callback(lambda _: self._lines.tell("answered"))
        return task

    async def answer(self, asked: Asked, option: str | None) -> None:
        """Answers a request for permission with one of its options, or with none. Raises WireError."""
        outcome = {"outcome": "selected", "optionId": option} if option is not None else {"outcome": "cancelled"}
        try:
            await self._lines.send({"jsonrpc": "2.0", "id": asked.id, "result": {"outcome": outcome}})
        except OSError as error:
            raise WireError("ended.", gone=True) from error

    async def close(self) -> None:
        """Ends the conversation; the process is its owner's."""
        await self._connection.close()

    async def _ask(self, method: str, **params: Any) -> Mapping[str, Any]:  # noqa: ANN401  the protocol's values
        try:
            answer = await self._connection.send_request(AGENT_METHODS[method], params)
        except RequestError as error:
            if error.code == AUTH_REQUIRED:
                raise WireError(
                    f"wants to be signed in ({error}). Name the variable that holds its key in `env` of its settings."
                ) from error
            raise WireError(f"answered with an error: {_told(error)}.") from error
        except (ConnectionError, OSError) as error:
            raise WireError("ended.", gone=True) from error
        return answer if isinstance(answer, dict) else {}


async def _refused(method: str, params: object, is_notification: bool) -> dict[str, Any] | None:  # noqa: ARG001, FBT001  the library's form
    """Refuses whatever else an agent asks for, such as a terminal: it was offered none. A wish that nobody hears, since it goes with a conversation of before, is called off."""
    if method == CLIENT_METHODS["session_request_permission"]:
        return {"outcome": {"outcome": "cancelled"}}
    if not is_notification:
        raise RequestError.method_not_found(method)
    return None


def _told(error: RequestError) -> str:
    details = error.data.get("details") or error.data.get("message") if isinstance(error.data, dict) else None
    return f"{error}: {details}" if details else str(error).rstrip(".")
