from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from specthread.domain.events import ArchiveFinished, SpecTaskArchived
from specthread.engine import log as log_module
from specthread.engine.log import EventLog, StoreError
from specthread.engine.packing import give_back_room
from specthread.engine.replaying import replayed
from specthread.engine.upkeep import pack_put_away
from support.event_strategy import envelope
from support.situation import GIVEN


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "events.db"


@pytest.fixture
async def log(path: Path, monkeypatch):
    monkeypatch.setattr(log_module, "SEGMENT_EVENTS", 7)  # several segments in a short story
    log = EventLog.open(path, host="box")
    yield log
    if log.broken != "The event log is closed.":
        await log.close()


def of(log, rows):
    """Returns events as this log gives them back."""
    return [replace(row, instance=log.instance) for row in rows]


def two_tasks(log):
    """Returns 60 events that belong to two SpecTasks in turn, of several runs."""
    return of(log, [envelope(seq, spectask="ab"[seq % 2], run=f"{'ab'[seq % 2]}/ws-{seq % 3}") for seq in range(1, 61)])


async def test_a_log_with_packed_events_reads_as_before(log: EventLog, path: Path):
    rows = two_tasks(log)
    await log.append(rows)
    assert await log.pack("a") == 30

    async def look(log: EventLog) -> None:
        assert list(log.read_all()) == rows
        assert list(log.read_all(since=31)) == rows[31:]
        assert await log.read(since=11, limit=10) == tuple(rows[11:21])
        for spectask in "ab":
            assert await log.read(spectask=spectask) == tuple(row for row in rows if row.spectask == spectask)
            assert await log.read(spectask=spectask, since=40, limit=3) == tuple(row for row in rows[40:] if row.spectask == spectask)[:3]
        assert await log.read(spectask="a", run="a/ws-1") == tuple(row for row in rows if row.event.run == "a/ws-1")

    await look(log)
    assert log._connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 30
    log._connection.rollback()
    await log.close()
    again = EventLog.open(path, host="box")
    await look(again)
    await again.close()


async def test_numbers_of_packed_events_are_never_given_again(log: EventLog, path: Path):
    await log.append([envelope(seq, spectask="a") for seq in range(1, 31)])
    await log.pack("a")
    await log.reopen()
    await log.append([envelope(31, spectask="b")])
    await log.close()
    again = EventLog.open(path, host="box")
    await again.append([envelope(32, spectask="a")])
    assert [row.seq for row in again.read_all()] == list(range(1, 33))
    assert await again.pack("a") == 1
    assert await again.pack("b") == 1
    assert again.digest_at(31) != b""
    await again.close()
    last = EventLog.open(path, host="box")
    assert last.last_seq == 32
    await last.close()


async def test_what_is_written_and_read_while_events_are_packed_is_whole(log: EventLog):
    rows = two_tasks(log)
    await log.append(rows)
    later = of(log, [envelope(seq, spectask="b") for seq in range(61, 101)])

    async def write() -> None:
        for row in later:
            await log.append([row])

    async def read() -> None:
        for _ in range(30):
            assert [row.seq for row in await log.read(limit=60)] == list(range(1, 61))

    await asyncio.gather(log.pack("a"), write(), read(), read())
    assert list(log.read_all()) == [*rows, *later]


async def test_a_few_events_stay_as_they_are(log: EventLog):
    await log.append(two_tasks(log)[:6])
    assert await log.pack("a", worth=4) == 0
    assert await log.pack("a", worth=3) == 3


async def test_packing_that_cannot_be_written_leaves_the_log_as_it_was(log: EventLog):
    rows = two_tasks(log)
    await log.append(rows)
    log._connection.exec_driver_sql("CREATE TRIGGER fault BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'x'); END")
    log._connection.commit()
    with pytest.raises(StoreError):
        await log.pack("a")
    assert list(log.read_all()) == rows
    await log.append([envelope(61)])


async def test_a_damaged_segment_is_told_and_not_read_as_something_else(log: EventLog):
    await log.append(two_tasks(log))
    await log.pack("a")
    log._connection.exec_driver_sql("UPDATE segments SET body = zeroblob(100) WHERE first = 2")
    log._connection.commit()
    with pytest.raises(StoreError, match="packed events from number 2 on are damaged") as told:
        list(log.read_all())
    assert "check-log" in told.value.hint


async def test_a_packed_log_is_refused_by_a_specthread_that_knows_no_segments(log: EventLog, path: Path):
    await log.append(two_tasks(log))
    meta = "SELECT value FROM meta WHERE name = 'format'"
    assert log._connection.exec_driver_sql(meta).scalar() == "1"
    log._connection.rollback()
    await log.pack("a")
    assert log._connection.exec_driver_sql(meta).scalar() == "2"


async def test_only_what_was_put_away_is_packed_and_each_once(log: EventLog):
    story = GIVEN["done"]()
    rows = list(story.log)
    for event in (SpecTaskArchived(), ArchiveFinished()):
        rows.append(envelope(len(rows) + 1, event, spectask=story.spectask.id))
    other = [envelope(len(rows) + 1 + place, item.event, spectask="other") for place, item in enumerate(story.log[:10])]
    await log.append([*rows, *other])
    rows = of(log, rows)
    state, _ = replayed(log)
    looked = {}
    assert await pack_put_away(log, state, looked, worth=5) == len(rows)
    assert await pack_put_away(log, state, looked, worth=5) == 0
    assert replayed(log)[0] == state
    assert log._connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 10


PACKER = """
import asyncio, sys
from pathlib import Path
from specthread.engine import log as module
module.SEGMENT_EVENTS = 1
async def main():
    log = module.EventLog.open(Path(sys.argv[1]), host="child")
    print("packing", flush=True)
    await log.pack("a")
asyncio.run(main())
"""


@pytest.mark.parametrize("milliseconds", [0, 3, 10, 30])
async def test_killing_the_daemon_while_it_packs_loses_nothing(log: EventLog, path: Path, milliseconds: int):
    rows = of(log, [envelope(seq, spectask="ab"[seq % 2]) for seq in range(1, 401)])
    await log.append(rows)
    await log.close()
    with subprocess.Popen([sys.executable, "-c", PACKER, str(path)], stdout=subprocess.PIPE) as child:  # noqa: ASYNC220  it is killed at once
        child.stdout.readline()
        await asyncio.sleep(milliseconds / 1000)  # any moment is one at which it may die
        os.kill(child.pid, signal.SIGKILL)
    again = EventLog.open(path, host="box")
    assert list(again.read_all()) == rows
    await again.close()


async def test_packing_that_was_cut_off_in_the_write_ahead_log_leaves_one_arrangement_or_the_other(
    log: EventLog, path: Path, tmp_path: Path
):
    rows = two_tasks(log)
    await log.append(rows)
    log._connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    log._connection.rollback()
    await log.pack("a")
    wal = path.with_name("events.db-wal").stat().st_size
    for cut in {0, 32, wal // 5, wal // 3, wal // 2, wal - 1, wal}:
        copy = tmp_path / str(cut) / "events.db"
        shutil.copytree(path.parent, copy.parent)
        os.truncate(copy.with_name("events.db-wal"), cut)
        torn = EventLog.open(copy, host="box")
        assert list(torn.read_all()) == rows
        await torn.close()


async def test_compacting_gives_room_back(log: EventLog, path: Path):
    rows = of(log, [envelope(seq, spectask="a") for seq in range(1, 2001)])
    await log.append(rows)
    await log.pack("a")
    await log.note(give_back_room)
    assert os.path.getsize(path) < 400_000  # noqa: PTH202, ASYNC240  nothing else happens here
    assert list(log.read_all()) == rows
    await log.close()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
