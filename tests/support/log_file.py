"""Event logs on the disk: filled with a story, opened as a start does, and changed as damage would."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from specthread.domain.state import State, apply
from specthread.engine.log import EventLog
from specthread.engine.replaying import replayed
from support.situation import GIVEN

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def filled(path: Path, name: str = "working") -> list:
    """Makes a log of a story's events, and returns them."""

    async def fill() -> list:
        log = EventLog.open(path, host="box")
        rows = [replace(row, instance=log.instance) for row in GIVEN[name]().log]
        await log.append(rows)
        await log.close()
        return rows

    return asyncio.run(fill())


def state_of(rows) -> State:
    """Returns the state that events make."""
    state = State()
    for row in rows:
        state = apply(state, row)
    return state


def opened(path: Path):
    """Returns the id of a log, the state that a start makes of it, and its last number."""
    log = EventLog.open(path, host="box")
    try:
        return log.instance, replayed(log)[0], log.last_seq
    finally:
        log.discard()


def change(path: Path, statement: str) -> None:
    """Changes a log by one statement."""
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()
