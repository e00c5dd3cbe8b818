"""Who is at the other end of a connection: the program, the folder it was started in, and the human behind it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from specthread.domain.model import Actor
from specthread.protocol.port import Ports
from specthread.protocol.wire import Hello


class Visitor:
    """A client that said hello. `name` is for logs: the program with its process number.

    What a program does for a person is told as such (`Ada through claude-code`), so that nobody takes it for the person's own word.
    """

    def __init__(self, hello: Hello, ports: Ports) -> None:
        self.name = f"{hello.client}[{hello.pid}]"
        self.cwd = hello.cwd
        self.is_back = hello.is_back
        self._environment = hello.environment
        self._through = f" through {_program(hello.client)}" if hello.role == "mcp" else ""
        self._ports = ports
        self._actors: dict[str, Actor] = {}

    async def actor(self, folder: str) -> Actor:
        """Returns the human behind the client: as its environment says, else as git knows it for that folder, else the system's name."""
        if folder not in self._actors:
            person = await self._ports.person_at(Path(folder), self._environment)
            self._actors[folder] = replace(person, name=f"{person.name}{self._through}")
        return self._actors[folder]


def _program(client: str) -> str:
    """Returns the name of a program as it may stand in the name of an author."""
    return re.sub(r"[^\w .+-]", "", client).strip()[:40] or "an MCP client"
