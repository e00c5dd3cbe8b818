"""A durable event append: alone beside bare sqlite3, and sixty-four submitters at once."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bench.measure import Figure, Step, beside, compared, in_turn
from specthread.domain.events import Envelope
from specthread.engine.log import EventLog
from specthread.engine.store import EVENT_TABLE, PRAGMAS, row_from_envelope
from support.event_strategy import envelope

SUBMITTERS = 64
EACH = 250


def figures() -> list[Figure]:
    """Returns the figures of single and of crowded appends."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        log = EventLog.open(Path(folder, "events.db"), host="bench")
        try:
            return [*await _single(log, Path(folder)), await _crowd(log)]
        finally:
            await log.close()


async def _single(log: EventLog, folder: Path) -> list[Figure]:
    bare = _bare(log, folder / "bare.db")
    threaded = _bare(log, folder / "threaded.db")
    thread = ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()

    async def ours() -> None:
        await log.append([_next(log)])

    async def on_the_spot() -> None:
        _insert(bare)

    async def through_a_thread() -> None:
        await loop.run_in_executor(thread, _insert, threaded)

    steps: list[Step] = [ours, on_the_spot, through_a_thread]
    mine, floor, floor_in_thread = await in_turn(steps, rounds=60, block=50, warm=4)
    thread.shutdown()
    bare.close()
    threaded.close()
    return [
        beside("event append, single", mine, floor, floor_name="bare sqlite3", ratio=1.6),
        compared("the same, as an event loop sees it", mine, floor_in_thread, peer_name="bare sqlite3 in a thread"),
    ]


async def _crowd(log: EventLog) -> Figure:
    async def submitter() -> None:
        nonlocal seq
        for _ in range(EACH):
            seq += 1
            await log.append([envelope(seq)])

    seq = log.last_seq
    start = time.perf_counter()
    await asyncio.gather(*(submitter() for _ in range(SUBMITTERS)))
    rate = SUBMITTERS * EACH / (time.perf_counter() - start)
    return Figure(
        name=f"event append, {SUBMITTERS} submitters",
        target="≥ 8,000 /s",
        measured=f"{rate:,.0f} /s",
        holds=rate >= 8000,
        numbers={"per_second": rate},
    )


def _next(log: EventLog) -> Envelope:
    return envelope(log.last_seq + 1)


def _bare(log: EventLog, path: Path) -> sqlite3.Connection:
    """Returns a connection to the same tables under the same pragmas."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    with sqlite3.connect(log.path) as source:
        for (statement,) in source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rootpage"):
            connection.execute(statement)
    source.close()
    return connection


_SAMPLE = row_from_envelope(replace(envelope(1), instance="0" * 36))
_STATEMENT = f"INSERT INTO events VALUES (NULL{', ?' * (len(EVENT_TABLE.columns) - 1)})"


def _insert(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    connection.execute(_STATEMENT, _SAMPLE[1:])
    connection.execute("COMMIT")
