"""Who is at the other end of a connection: the program, the folder it was started in, and the human behind it."""

from __future__ import annotations

from pathlib import Path

from specthread.domain.model import Actor
from specthread.protocol.port import Ports
from specthread.protocol.wire import Hello


class Visitor:
    """A client that said hello. `name` is for logs: the program with its process number."""

    def __init__(self, hello: Hello, ports: Ports) -> None:
        self.name = f"{hello.client}[{hello.pid}]"
        self.cwd = hello.cwd
        self.is_back = hello.is_back
        self._environment = hello.environment
        self._ports = ports
        self._actors: dict[str, Actor] = {}

    async def actor(self, folder: str) -> Actor:
        """Returns the human behind the client: as its environment says, else as git knows it for that folder, else the system's name."""
        if folder not in self._actors:
            self._actors[folder] = await self._ports.person_at(Path(folder), self._environment)
        return self._actors[folder]
