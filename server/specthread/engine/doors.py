"""The doors of sessions: a socket of a session's own, through which a program in its sandbox speaks to the daemon as that session, and as nobody else.

The door is who comes in: no token lies in an environment that others could read, and what is said counts for that session, whatever it says. It stands in a private
folder of the session, which no sandbox is shown; the door alone is mounted, read-only, at `INSIDE`:

    async with ports.doors.open(Insider(ports=ports, spectask=…, run=…, claim=claim, coordinate=…), folder) as door:
        command, shown = server_program()       # serves MCP through the door, wherever there is one
        profile = replace(profile, mounts=(*profile.mounts, *shown, door))
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specthread.agents.backend import RunStopped, Toolbox, ToolResult, ToolSpec, ToolUse
from specthread.agents.mounts import SYSTEM, Mount
from specthread.agents.toolspecs import COORDINATE, FINISH, problem_with
from specthread.domain.approval import is_durable
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import Refusal
from specthread.domain.reports import AskQuestion
from specthread.domain.runs import find_run

if TYPE_CHECKING:
    from specthread.engine.ports import Ports

INSIDE = "/run/specthread.sock"
"""Where a sandbox shows the door."""
NAME = "door"
LINE_LIMIT = 1024 * 1024
"""Longest line that comes through a door, in bytes."""
_PATH_LIMIT = 107
TAKEN = "Taken. Specthread checks it now, and comes back to you if something is missing. End your turn here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Insider:
    """The session behind a door, and what it may do there beside reading: the planner or agent of `run`.

    `claim` takes its word that it is done and says what is missing, or None; `coordinate` carries out the tool of that name, and is None where there are no other
    sessions; `toolbox` holds what else it is given.
    """

    ports: Ports
    spectask: SpecTaskId
    run: RunId
    claim: Callable[[str], Awaitable[str | None]]
    coordinate: Callable[[str, ToolUse], Awaitable[ToolResult]] | None = None
    toolbox: Toolbox | None = None

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools that `use` carries out."""
        return (*(self.toolbox.specs if self.toolbox else ()), *((COORDINATE,) if self.coordinate else ()), FINISH)

    async def use(self, key: str, name: str, given: dict[str, Any]) -> ToolResult:
        """Carries out a tool; the same `key` again is the same call, and changes nothing twice. What goes wrong is a result for the agent."""
        call = ToolUse(id=f"door-{key}", name=name, input=given)
        problem = problem_with(self.specs, call)
        if problem:
            return ToolResult(tool_use_id=call.id, content=problem, is_error=True)
        try:
            return await self._use(call)
        except RunStopped as order:
            return ToolResult(tool_use_id=call.id, content=f"{order.reason} End your turn here; you are told when it goes on.")

    async def _use(self, call: ToolUse) -> ToolResult:
        if call.name == FINISH.name:
            missing = await self.claim(self.ports.redacted(call.input["summary"]))
            return ToolResult(tool_use_id=call.id, content=missing or TAKEN, is_error=missing is not None)
        if call.name == COORDINATE.name and self.coordinate:
            return await self.coordinate(f"door/{call.id}", call)
        if self.toolbox is None:
            raise AssertionError(call.name)
        return await self.toolbox.use(call)

    async def ask(self, question: str, choices: tuple[str, ...]) -> tuple[str, str] | Refusal:
        """Asks the person for this session; returns the question's id and its answer, empty until git holds one. The same words again are the same question."""
        name = f"door/{hashlib.sha256(' '.join(question.split()).encode(errors='replace')).hexdigest()[:8]}"
        known = self.ports.spectask(self.spectask)
        run = find_run(known, self.run)
        if run and run.question and run.question.id == name:
            seq = run.question.answer_seq
            return name, run.question.answer if seq and is_durable(known, seq) else ""
        asked = AskQuestion(
            spectask=self.spectask,
            run=self.run,
            question=name,
            kind="question",
            text=self.ports.redacted(question),
            choices=tuple(map(self.ports.redacted, choices)),
        )
        answer = await self.ports.submit(asked)
        return answer if isinstance(answer, Refusal) else (name, "")


Serve = Callable[[Insider, asyncio.StreamReader, asyncio.StreamWriter], "asyncio.Task[None]"]
"""Serves who came through a door, as a task."""


class Doors:
    """Opens doors; who comes in is served by what `begin` was given, which knows the protocol."""

    def __init__(self) -> None:
        self._serve: Serve | None = None

    def begin(self, serve: Serve) -> None:
        """Lets doors be used."""
        self._serve = serve

    @asynccontextmanager
    async def open(self, insider: Insider, folder: Path) -> AsyncIterator[Mount]:
        """Listens for a session in a private `folder` of its own, which is made where there is none; yields how a sandbox is shown the door. Closed, all who came in are gone."""
        inside: set[asyncio.Task[None]] = set()

        def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._serve is None:
                writer.close()
                return
            task = self._serve(insider, reader, writer)
            inside.add(task)
            task.add_done_callback(inside.discard)

        listener = await asyncio.to_thread(listening, folder)
        try:
            server = await asyncio.start_unix_server(came, sock=listener, limit=LINE_LIMIT)
            try:
                yield Mount(source=folder / NAME, target=INSIDE, writable=False)
            finally:
                server.close()
                for task in inside:
                    task.cancel()
                await asyncio.gather(*inside, return_exceptions=True)
        finally:
            listener.close()
            (folder / NAME).unlink(missing_ok=True)


def server_program() -> tuple[tuple[str, ...], tuple[Mount, ...]]:
    """Returns the command that serves MCP through a door, and what a sandbox is shown for it, read-only: this interpreter with its packages, and our own code."""
    ours = Path(__file__).resolve().parents[1]
    found = dict.fromkeys((Path(sys.base_prefix), Path(sys.prefix), Path(sys.prefix).resolve(), ours))
    outer = [each for each in found if not any(each != other and each.is_relative_to(other) for other in (*found, *SYSTEM))]
    mounts = tuple(Mount(source=each, target=str(each), writable=False) for each in outer)
    return (sys.executable, "-m", "specthread", "mcp", "--bound"), mounts


def listening(folder: Path) -> socket.socket:
    """Returns a socket that listens in the folder, for its user alone. Its name may be longer than a socket's may be: it is given from the folder on."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    (folder / NAME).unlink(missing_ok=True)
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if len(os.fsencode(folder / NAME)) <= _PATH_LIMIT:
            link.bind(str(folder / NAME))
        else:
            _bind_from(link, folder)
        (folder / NAME).chmod(0o600)
        link.listen()
    except OSError:
        link.close()
        raise
    return link


def _bind_from(link: socket.socket, folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        link.bind(f"/proc/self/fd/{opened}/{NAME}")
    finally:
        os.close(opened)
