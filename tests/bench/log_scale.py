"""Years of work in one log: how a daemon starts on a million events, what it holds in memory beside 64 live runs, and what an overview costs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.measure import Figure, at_most, beside
from bench.streaming_daemon import FOR_EVER
from specthread import shim
from specthread.domain.state import State, apply
from specthread.engine.log import EventLog
from specthread.engine.snapshot import keep_snapshot
from specthread.engine.upkeep import SNAPSHOT_EVENTS
from support.git_fixture import make_repository
from support.long_log import make_long_log
from support.rpc_client import Caller, calling

EVENTS = 1_000_000
SPECTASKS = 500
FEW = 10
LIVE = 64
STARTS = 3
LISTS = 40
MEGABYTE = 1_000_000
MEMORY_LIMIT = 200
LIST_LIMIT_MS = 10


def figures() -> list[Figure]:
    """Returns the figures of a long log beside those of a short one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["HOME"] = name  # the user's git config has no part in this
        repository = make_repository(folder / "project", {"README.md": "# Project\n"})
        few, many = folder / "few", folder / "many"
        make_long_log(few / "events.db", spectasks=FEW, events=FEW * 200, repository=str(repository))
        make_long_log(many / "events.db", spectasks=SPECTASKS, events=EVENTS, repository=str(repository))
        folded, events = _fold(many / "events.db")
        short = [_start(few) for _ in range(STARTS)]
        long = [_start(many) for _ in range(STARTS)]
        memory, lists = asyncio.run(_full(many, repository))
        _, few_lists = asyncio.run(_full(few, None))
    return [
        Figure(
            name=f"start without a snapshot, {events:,} events",
            measured=f"{folded:.1f} s, {events / folded:,.0f} events/s",
            numbers={"seconds": folded},
        ),
        beside(
            f"daemon start, {events:,} events, snapshot and {SNAPSHOT_EVENTS // 2:,} after it",
            long,
            short,
            floor_name=f"start, {FEW} SpecTasks",
            ratio=1.5,
        ),
        Figure(
            name=f"daemon memory, {SPECTASKS} SpecTasks and {LIVE} live runs",
            target=f"≤ {MEMORY_LIMIT} MB",
            measured=f"{memory:.0f} MB",
            holds=memory <= MEMORY_LIMIT,
            numbers={"megabytes": memory},
        ),
        at_most(f"list of {SPECTASKS} SpecTasks beside {LIVE} live runs", lists, limit=LIST_LIMIT_MS, tail=False),
        beside(
            f"list: {SPECTASKS} SpecTasks beside {FEW}, for each",
            [each / SPECTASKS for each in lists],
            [each / FEW for each in few_lists],
            floor_name="each of ten",
            ratio=1.2,
        ),
    ]


def _fold(path: Path) -> tuple[float, int]:
    """Folds the whole log and leaves a snapshot of what was true half the usual distance before its end; returns seconds and events."""
    log = EventLog.open(path, host="bench")
    try:
        state, kept = State(), False
        start = time.perf_counter()
        for envelope in log.read_all():
            state = apply(state, envelope)
            if not kept and state.sequence >= log.last_seq - SNAPSHOT_EVENTS // 2:
                keep_snapshot(log, state)
                kept = True
        return time.perf_counter() - start, state.sequence
    finally:
        log.discard()


def _start(state: Path) -> float:
    """Returns the milliseconds until a daemon on this state folder answers; it is killed, so that the next one has as much to do."""
    start = time.perf_counter()
    with _daemon(state) as process:
        taken = (time.perf_counter() - start) * 1000
        process.kill()
    return taken


@contextmanager
def _daemon(state: Path) -> Iterator[subprocess.Popen[bytes]]:
    environ = {**os.environ, "SPECTHREAD_STATE": str(state)}
    process = subprocess.Popen([sys.executable, "-m", "bench.streaming_daemon", str(state)], env=environ)
    try:
        while (link := shim.connect(shim.socket_path(str(state)))) is None:
            time.sleep(0.005)
        link.close()
        yield process
    finally:
        process.terminate()
        process.wait()


async def _full(state: Path, repository: Path | None) -> tuple[float, list[float]]:
    """Returns a daemon's megabytes and how long its overview takes, beside live runs where a repository is given."""
    with _daemon(state) as process:
        async with calling(shim.socket_path(str(state))) as caller:
            for number in range(LIVE if repository else 0):
                await caller.call("new", path=str(repository), prompt=f"Stream {number}. {FOR_EVER}")
            lists = [await _list(caller) for _ in range(LISTS)]
            await asyncio.sleep(5 if repository else 0)  # the runs are to have been at work for a while
            return psutil.Process(process.pid).memory_info().rss / MEGABYTE, lists[1:]


async def _list(caller: Caller) -> float:
    start = time.perf_counter()
    await caller.call("list")
    return (time.perf_counter() - start) * 1000
