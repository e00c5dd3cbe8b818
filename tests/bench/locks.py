"""A resource taken and given back: decided and folded alone, with many resources and a long line, and durably through the log; beside locks that forget."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from bench.measure import Figure, Step, in_turn, median, spread
from specthread.domain import events as e
from specthread.domain.commands import Command, Submission
from specthread.domain.ids import RunId
from specthread.domain.locks import MOST_REMEMBERED
from specthread.domain.model import DAEMON
from specthread.domain.names import spectask_of
from specthread.domain.reports import ReleaseLock, RequestLock
from specthread.engine.log import EventLog
from specthread.engine.loop import Loop
from specthread.engine.store import PRAGMAS
from support.lock_world import LockWorld, run
from support.story import START

DB = "database:test"
BLOCK = 50
"""Times that a lock is taken and given back in one sample."""
SESSIONS = 64
LINE = 64


def figures() -> list[Figure]:
    """Returns the figures of locks."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    return [*await _pure(), await _line(), *await _durable()]


# --- decided and folded -------------------------------------------------------------------------------------------------------


async def _pure() -> list[Figure]:
    empty, full = LockWorld(), LockWorld()
    for number in range(MOST_REMEMBERED - 1):
        _once(full, f"custom:{number}")
    threads, loops = threading.Lock(), asyncio.Lock()

    async def thread() -> None:
        for _ in range(BLOCK):
            with threads:
                pass

    async def loop() -> None:
        for _ in range(BLOCK):
            async with loops:
                pass

    mine, crowded, thread_peer, loop_peer = await in_turn(
        [_step(partial(_block, empty)), _step(partial(_block, full)), thread, loop], rounds=40, warm=3
    )
    peers = f"threading.Lock {_each(thread_peer):.2f} µs, asyncio.Lock {_each(loop_peer):.2f} µs"
    return [
        _told("a lock taken and given back: three decisions, folded", mine, limit=300, floor=peers),
        _told(f"the same among {MOST_REMEMBERED:,} resources", crowded, limit=1_000, floor=f"{_each(mine):.0f} µs among one"),
    ]


def _block(world: LockWorld) -> None:
    for _ in range(BLOCK):
        _once(world, DB)
    world.log.clear()


def _once(world: LockWorld, resource: str) -> None:
    who = world.runs[0]
    world.ask(who, resource)
    world.settle()
    world.release(who, resource)


async def _line() -> Figure:
    """Returns what it takes to hand a resource on where many stand in line, all of them through the wait-for graph."""
    world = LockWorld(sessions=LINE)
    runs = world.runs[:LINE]
    for each in runs:
        world.ask(each, DB)
    world.settle()

    async def hand_on() -> None:
        holder = next(each for each in runs if world.held(each))
        world.release(holder, DB)
        world.ask(holder, DB)
        world.later(1)
        world.settle()

    (samples,) = await in_turn([hand_on], rounds=60, warm=3)
    return Figure(
        name=f"a resource handed on in a line of {LINE}, deadlocks looked for",
        target="≤ 3 ms",
        measured=spread(samples),
        holds=median(samples) <= 3,
        numbers={"median": median(samples)},
    )


def _each(samples: list[float]) -> float:
    """Returns the microseconds of one time in a block."""
    return median(samples) * 1000 / BLOCK


def _told(name: str, samples: list[float], *, limit: float, floor: str) -> Figure:
    each = _each(samples)
    return Figure(
        name=name,
        target=f"≤ {limit:,.0f} µs",
        measured=f"{each:,.0f} µs, {1e6 / each:,.0f} /s",
        floor=floor,
        holds=each <= limit,
        numbers={"microseconds": each, "per_second": 1e6 / each},
    )


def _step(work: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def step() -> object:
        return work()

    return step


# --- through the log -----------------------------------------------------------------------------------------------------------


class _Durable:
    """A loop over a log whose sessions take resources; `once` returns when the resource was durably given back."""

    def __init__(self, log: EventLog) -> None:
        self._granted: dict[RunId, asyncio.Event] = {}
        self.loop = Loop(log, host="bench", now=lambda: START, published=self._published)
        self.loop.head = self.loop.visible = LockWorld(sessions=SESSIONS).state

    def _published(self, envelopes: tuple[e.Envelope, ...]) -> None:
        for envelope in envelopes:
            if isinstance(envelope.event, e.LockGranted):
                self._granted[envelope.event.run].set()

    async def once(self, who: RunId, resource: str) -> None:
        self._granted[who] = asyncio.Event()
        await self._give(RequestLock(spectask=spectask_of(who), run=who, resource=resource, mode="exclusive"))
        await self._granted[who].wait()
        await self._give(ReleaseLock(spectask=spectask_of(who), run=who, resource=resource))

    async def _give(self, command: Command) -> None:
        await self.loop.submit(Submission(command=command, actor=DAEMON))


async def _durable() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        log, rows = EventLog.open(Path(folder, "events.db"), host="bench"), _rows(Path(folder, "rows.db"))
        durable = _Durable(log)
        task = asyncio.create_task(durable.loop.run())
        runs = [run("one-aaaa", number) for number in range(1, SESSIONS + 1)]

        async def alone() -> None:
            await durable.once(runs[0], DB)

        async def row() -> None:
            for holder in ("ws-1", None):
                rows.execute("BEGIN IMMEDIATE")
                rows.execute("UPDATE locks SET holder = ? WHERE name = ?", (holder, DB))
                rows.execute("COMMIT")

        async def crowd() -> None:
            await asyncio.gather(*(durable.once(each, f"custom:{each}") for each in runs))

        steps: list[Step] = [alone, row, crowd]
        mine, floor, together = await in_turn(steps, rounds=40, block=4, warm=3)
        task.cancel()
        await log.close()
        rows.close()
    ratio, rate = median(mine) / median(floor), SESSIONS * 1000 / median(together)
    return [
        Figure(
            name="a lock durably asked for, taken and given back (three events)",
            target="≤ 3 x a row in sqlite3 (two writes)",
            measured=f"{ratio:.2f} x ({spread(mine)})",
            floor=spread(floor),
            holds=ratio <= 3,
            numbers={"ratio": ratio, "median": median(mine), "floor_median": median(floor)},
        ),
        Figure(
            name=f"the same, {SESSIONS} sessions at once",
            target="≥ 1,500 /s",
            measured=f"{rate:,.0f} /s ({3 * rate:,.0f} events /s)",
            holds=rate >= 1_500,
            numbers={"per_second": rate},
        ),
    ]


def _rows(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE locks (name TEXT PRIMARY KEY, holder TEXT)")
    connection.execute("INSERT INTO locks VALUES (?, NULL)", (DB,))
    return connection
