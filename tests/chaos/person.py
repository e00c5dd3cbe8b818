"""The human of the chaos run: asks for work, and does whatever waits for a human, over JSON-RPC, until everything is put away.

A request whose answer was lost is sent again with its key until it is answered. What was acknowledged is written down, for the audit.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from chaos.stage import Stage
from specthread import __version__

ANSWER_SECONDS = 20.0
"""How long one answer may take, while the daemon is frozen, for instance."""
GLANCE = 0.1
AT_ONCE = 3
"""SpecTasks that are not put away at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A change that the daemon said to be durable, at event `seq`."""

    method: str
    params: dict[str, Any]
    spectask: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Whim:
    """A SpecTask that `draw` chooses is to be stopped by `verb`, and taken up again after `rest` seconds (None: never)."""

    verb: str
    rest: float | None
    draw: random.Random


@dataclass(slots=True, kw_only=True)
class Person:
    """Works until `wants_more` is False and nothing is left to do."""

    stage: Stage
    ledger: list[Acknowledged] = field(default_factory=list)
    wants_more: bool = True
    cut_off: Callable[[], Awaitable[object]] | None = None
    """What is done when the next change has been sent, whose answer is then not waited for, as if this client had died."""
    whims: list[Whim] = field(default_factory=list)
    """What is to be stopped next."""
    resting: dict[str, float] = field(default_factory=dict)
    """SpecTasks that were stopped, and when they are taken up again."""
    asked: int = 0
    views: list[dict[str, Any]] = field(default_factory=list)
    """The SpecTasks as last listed, archived ones too."""
    refusals: dict[str, str] = field(default_factory=dict)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None
    _number: int = 0

    @property
    def alive(self) -> list[dict[str, Any]]:
        """The SpecTasks that are not put away."""
        return [view for view in self.views if view["state"] != "archived"]

    async def work(self) -> None:
        """Returns when everything that was asked for is put away and no more is wanted."""
        while self.wants_more or self.alive or not self.asked:
            self.views = (await self.ask("list", archived=True))["spectasks"]
            if (self.wants_more or not self.asked) and len(self.alive) < AT_ONCE:
                await self._want_another()
                continue
            while self.whims and self.wants_more:
                await self._stop(self.whims.pop(0))
            for view in self.alive:
                await self._tend(view)
            await asyncio.sleep(GLANCE)
        self.hang_up()

    async def _want_another(self) -> None:
        self.asked += 1
        checkout = self.stage.checkouts[self.asked % len(self.stage.checkouts)]
        await self.change("new", path=str(checkout), prompt=f"Write part collection {self.asked}")

    async def _stop(self, whim: Whim) -> None:
        goes_on = [view["id"] for view in self.alive if view["id"] not in self.resting]
        if not goes_on:
            return
        chosen = whim.draw.choice(goes_on)
        if await self.change(whim.verb, target=chosen) and whim.rest is not None:
            self.resting[chosen] = time.monotonic() + whim.rest

    async def _tend(self, view: dict[str, Any]) -> None:
        identifier = view["id"]
        if time.monotonic() > self.resting.get(identifier, float("inf")) or (identifier in self.resting and not self.wants_more):
            del self.resting[identifier]
            await self.change("resume", target=identifier)
            return
        if view["state"] in {"done", "cancelled"} and identifier not in self.resting:
            await self.change("archive", id=identifier)
        for need in view["needs"]:
            match need["kind"]:
                case "question":
                    await self.change("answer", target=need["run"], text="Yes", question=need["question"])
                case "review":
                    await self._review(identifier)
                case "run":
                    await self.change("run", id=identifier)
                case "accept":
                    await self.change("accept", id=identifier)
                case "retry":
                    await self.change("retry", target=need["run"])
                case "resume" if identifier not in self.resting:
                    await self.change("retry" if view["state"] == "failed" else "resume", target=identifier)
                case _:
                    continue

    async def _review(self, identifier: str) -> None:
        review = await self.ask("review", id=identifier)
        if not review or review["state"] != "spec_review":
            return
        if not any(each.spectask == identifier and each.method == "comment" for each in self.ledger):
            await self.change("comment", id=identifier, file="design", line=1, text=f"I have read {identifier}.")
        documents = [{"document": each["name"], "digest": each["digest"]} for each in review["documents"]]
        await self.change("approve", id=identifier, documents=documents)

    async def change(self, verb: str, **params: Any) -> bool:
        """Asks for a change until it is answered, writes down that it was acknowledged, and tells whether it was."""
        answer = await self.ask(verb, key=uuid.uuid4().hex, **params)
        if answer:
            spectask = answer["spectask"]["id"] if verb == "new" else answer["spectask"]
            self.ledger.append(Acknowledged(method=verb, params=params, spectask=spectask, seq=answer["seq"]))
        return bool(answer)

    async def ask(self, verb: str, **params: Any) -> dict[str, Any]:
        """Returns the answer, asking again as long as it is lost; nothing where it was refused."""
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    message = await self._exchange(verb, params)
            except (OSError, EOFError, TimeoutError, ValueError):
                self.hang_up()
                await asyncio.sleep(GLANCE)
                continue
            if "error" in message:
                told = message["error"]["data"]
                self.refusals[f"{verb} {told['code']}"] = told["message"]
                if told["code"] in {"store-unavailable", "stopping"}:
                    await asyncio.sleep(GLANCE)
                    continue
            return dict(message.get("result", {}))

    async def _exchange(self, verb: str, params: dict[str, Any]) -> dict[str, Any]:
        if self._writer is None:
            await self._call()
        assert self._reader
        assert self._writer
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": f"specthread/{verb}", "params": params}
        self._writer.write(json.dumps(request).encode() + b"\n")
        await self._writer.drain()
        if self.cut_off and "key" in params:
            meanwhile, self.cut_off = self.cut_off, None
            await meanwhile()
            raise ConnectionAbortedError
        while True:
            line = await self._reader.readline()
            if not line:
                raise EOFError
            message: dict[str, Any] = json.loads(line)
            if message.get("id") == self._number:
                return message

    async def _call(self) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(self.stage.socket(), limit=1 << 26)
        hello = {
            "specthread": 1,
            "role": "rpc",
            "version": __version__,
            "cwd": str(self.stage.root),
            "client": "chaos",
            "pid": 1,
            "token": "",
        }
        self._writer.write(json.dumps(hello).encode() + b"\n")
        if not await self._reader.readline():
            raise EOFError

    def hang_up(self) -> None:
        """Closes the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
