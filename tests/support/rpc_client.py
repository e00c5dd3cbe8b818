"""A client of the JSON-RPC face, line by line over the socket."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

from specthread import __version__

DEADLINE = 5.0


class Caller:
    def __init__(self, reader, writer) -> None:
        self.reader, self.writer = reader, writer
        self.number = 0
        self.notes = []

    async def line(self):
        async with asyncio.timeout(DEADLINE):
            line = await self.reader.readline()
        return json.loads(line) if line else None

    async def send(self, raw: bytes):
        self.writer.write(raw + b"\n")
        await self.writer.drain()

    async def call(self, method, **params):
        self.number += 1
        await self.send(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": f"specthread/{method}", "params": params}).encode())
        while (message := await self.line()) is not None:
            if message.get("id") == self.number:
                return message
            self.notes.append(message)
        raise AssertionError("the connection ended")

    async def note(self):
        return self.notes.pop(0) if self.notes else await self.line()


@asynccontextmanager
async def calling(path, **hello):
    reader, writer = await asyncio.open_unix_connection(path, limit=2**24)
    caller = Caller(reader, writer)
    first = {"specthread": 1, "role": "rpc", "version": __version__, "cwd": "/", "client": "test", "pid": 1, "token": ""} | hello
    await caller.send(json.dumps(first).encode())
    caller.welcome = await caller.line()
    try:
        yield caller
    finally:
        writer.close()
