from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from specthread.domain.events import Envelope, SpecTaskPaused
from specthread.domain.model import Actor
from specthread.engine.log import EventLog, StoreError
from specthread.engine.store import INSERT
from support import log_writer
from support.event_strategy import envelope

TESTS = Path(__file__).parents[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "events.db"


@pytest.fixture
async def log(path: Path):
    log = EventLog.open(path, host="box")
    yield log
    if log.broken != "The event log is closed.":
        await log.close()


def start_writer(path: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    return subprocess.Popen(
        [sys.executable, log_writer.__file__, str(path), *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )


async def stored(path: Path) -> list[int]:
    log = EventLog.open(path, host="box")
    seqs = [row.seq for row in log.read_all()]
    await log.close()
    return seqs


# --- what the log promises ------------------------------------------------------------------------------------------------


async def test_a_reopened_log_holds_what_was_appended_and_keeps_its_id(path: Path, log: EventLog):
    rows = [envelope(seq) for seq in range(1, 4)]
    await log.append(rows[:1])
    await log.append(rows[1:])
    instance = log.instance
    await log.close()
    again = EventLog.open(path, host="box")
    assert (again.instance, again.last_seq, list(again.read_all())) == (instance, 3, rows)
    await again.close()


async def test_two_logs_never_have_the_same_id(path: Path, log: EventLog):
    other = EventLog.open(path.with_name("other.db"), host="box")
    assert other.instance != log.instance
    await other.close()


async def test_appends_of_many_at_once_keep_their_order(log: EventLog):
    await asyncio.gather(*(log.append([envelope(seq), envelope(seq + 1)]) for seq in range(1, 401, 2)))
    assert [row.seq for row in log.read_all()] == list(range(1, 401)) == list(range(1, log.last_seq + 1))


async def test_a_number_out_of_order_is_refused_before_anything_is_written(log: EventLog):
    with pytest.raises(ValueError, match="the next event has number 1, not 2"):
        await log.append([envelope(2)])
    await log.append([envelope(1)])
    assert log.last_seq == 1


async def test_a_cancelled_caller_does_not_hold_up_those_who_share_its_transaction(log: EventLog):
    held = threading.Event()
    log._writer.submit(held.wait)
    waiting = [asyncio.create_task(log.append([envelope(seq)])) for seq in (1, 2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    held.set()
    await waiting[1]
    assert [row.seq for row in log.read_all()] == [1, 2]


async def test_reading_picks_by_spectask_by_run_by_number_and_by_count(log: EventLog):
    rows = [
        envelope(1, SpecTaskPaused(), spectask="a"),
        envelope(2, spectask="a", run="a/ws-1"),
        envelope(3, spectask="b", run="b/ws-1"),
        envelope(4, spectask="a", run="a/ws-2"),
        envelope(5, spectask="a", run="a/ws-1"),
    ]
    await log.append(rows)

    async def seqs(**where: object) -> list[int]:
        return [row.seq for row in await log.read(**where)]

    assert await seqs() == [1, 2, 3, 4, 5]
    assert await seqs(spectask="a") == [1, 2, 4, 5]
    assert await seqs(spectask="a", since=2) == [4, 5]
    assert await seqs(run="a/ws-1") == [2, 5]
    assert await seqs(run="a/ws-1", limit=1) == [2]
    assert await seqs(since=5) == []


async def test_a_reader_does_not_wait_for_the_writer(log: EventLog):
    await log.append([envelope(1)])
    reading = log.read_all()
    next(reading)  # a reader in the middle of its work
    await log.append([envelope(2)])
    assert len(await log.read()) == 2
    reading.close()


async def test_the_file_is_readable_only_by_its_owner(path: Path, log: EventLog):
    await log.append([envelope(1)])
    assert {entry.name: entry.stat().st_mode & 0o077 for entry in path.parent.iterdir()}.items() >= {
        "events.db": 0,
        "events.db-wal": 0,
    }.items()


async def test_the_log_is_synced_at_every_commit(log: EventLog):
    connection = log._connection
    assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")] == ["wal", 2]


# --- what may go wrong ------------------------------------------------------------------------------------------------------


async def test_a_second_opener_is_refused_and_told_who_has_the_log(path: Path, log: EventLog):
    with pytest.raises(StoreError, match=f"is open in process {os.getpid()} on box") as refused:
        EventLog.open(path, host="elsewhere")
    assert "specthread daemon stop" in refused.value.hint


def test_a_second_process_is_refused_until_the_first_is_dead(path: Path):
    with start_writer(path) as child:
        assert child.stdout.readline() == "1\n"
        with pytest.raises(StoreError, match=f"is open in process {child.pid} on child"):
            EventLog.open(path, host="box")
        child.kill()
    assert asyncio.run(stored(path))[0] == 1


@pytest.mark.parametrize("seed", range(5))
def test_what_was_acknowledged_survives_kill_9(path: Path, seed: int):
    with start_writer(path) as child:
        acknowledged = [int(child.stdout.readline()) for _ in range(random.Random(seed).randint(1, 300))]
        os.kill(child.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in child.stdout if line.endswith("\n")]
    seqs = asyncio.run(stored(path))
    assert seqs == list(range(1, len(seqs) + 1))
    assert set(acknowledged) <= set(seqs)


async def test_a_torn_write_ahead_log_opens_with_a_prefix_and_the_same_id(path: Path, log: EventLog, tmp_path: Path):
    for seq in range(1, 61):
        await log.append([envelope(seq)])
    wal = path.with_name("events.db-wal").stat().st_size
    cuts = sorted([0, 1, 31, wal - 1, wal, *random.Random(1).sample(range(wal), 12)])
    found = []
    for cut in cuts:
        copy = tmp_path / str(cut) / "events.db"
        shutil.copytree(path.parent, copy.parent)
        os.truncate(copy.with_name("events.db-wal"), cut)
        torn = EventLog.open(copy, host="box")
        seqs = [row.seq for row in torn.read_all()]
        assert (torn.instance, seqs) == (log.instance, list(range(1, len(seqs) + 1)))
        await torn.append([envelope(len(seqs) + 1)])
        await torn.close()
        found.append(len(seqs))
    assert found == sorted(found)
    assert (found[0], found[-2], found[-1]) == (0, 59, 60)


@pytest.mark.parametrize("size", [50_000, 120_000, 200_001])
def test_a_full_disk_refuses_loses_nothing_and_goes_on_when_there_is_room(path: Path, size: int):
    with start_writer(path, str(size)) as child:
        lines = child.stdout.read().splitlines()
    assert child.returncode == 0
    acknowledged = [int(line) for line in lines if line.isdecimal()]
    words = [line for line in lines if not line.isdecimal()]
    last = acknowledged[-2]
    cause = f"The event log {path} cannot be used: the disk does not take or give the data."
    assert words == [f"refused {cause}", f"readable {last} {last}", f"still {cause}"]
    assert asyncio.run(stored(path)) == acknowledged == list(range(1, last + 2))


async def test_rows_that_share_a_transaction_are_refused_together(path: Path, log: EventLog):
    await log.append([envelope(1)])
    change_tables(log, "CREATE TRIGGER fault BEFORE INSERT ON events WHEN NEW.seq = 3 BEGIN SELECT RAISE(ABORT, 'x'); END")
    held = threading.Event()
    log._writer.submit(held.wait)
    waiting = [asyncio.create_task(log.append([envelope(seq)])) for seq in (2, 3, 4)]
    await asyncio.sleep(0)
    held.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreError] * 3
    assert [row.seq for row in log.read_all()] == [1]


async def test_rows_behind_a_failed_transaction_are_refused_with_it_until_the_log_is_reopened(path: Path, log: EventLog):
    await log.append([envelope(1)])
    entered, go = threading.Event(), threading.Event()
    log._connection.connection.driver_connection.create_function("hold", 0, lambda: entered.set() or go.wait())
    change_tables(log, "CREATE TRIGGER fault BEFORE INSERT ON events WHEN NEW.seq = 2 BEGIN SELECT hold(); SELECT RAISE(ABORT, 'x'); END")
    waiting = [asyncio.create_task(log.append([envelope(2)]))]
    await asyncio.to_thread(entered.wait)
    waiting.append(asyncio.create_task(log.append([envelope(3)])))
    await asyncio.sleep(0)
    go.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreError] * 2
    with pytest.raises(StoreError, match="cannot be used"):
        await log.append([envelope(2)])
    change_tables(log, "DROP TRIGGER fault")
    await log.reopen()
    assert (log.broken, log.last_seq) == ("", 1)
    await log.append([envelope(2)])
    assert [row.seq for row in log.read_all()] == [1, 2]


async def test_a_log_that_still_cannot_be_written_stays_broken(log: EventLog):
    await log.append([envelope(1)])
    change_tables(log, "CREATE TRIGGER fault BEFORE UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'x'); END")
    log.broken = "The disk is full."
    with pytest.raises(StoreError):
        await log.reopen()
    assert log.broken == "The disk is full."
    change_tables(log, "DROP TRIGGER fault")
    await log.reopen()
    await log.append([envelope(2)])
    assert [row.seq for row in log.read_all()] == [1, 2]


def change_tables(log: EventLog, statement: str) -> None:
    with log._write_engine.begin() as connection:
        connection.exec_driver_sql(statement)


async def test_a_row_that_the_driver_cannot_take_is_refused_and_nobody_waits_for_ever(log: EventLog):
    with pytest.raises(StoreError, match="stopped because of a fault in Specthread"):
        await log.append([envelope(1, spectask="half a pair \ud83d")])
    await log.reopen()
    await log.append([envelope(1)])
    assert [row.spectask for row in log.read_all()] == ["add-json-7k3f"]


async def test_an_actor_whose_name_is_not_unicode_comes_back(log: EventLog):
    row = replace(envelope(1), actor=Actor(kind="human", name="J\udcf6rg"))
    await log.append([row])
    assert list(log.read_all()) == [row]


async def test_a_row_that_was_refused_but_reached_the_file_is_cut_off(path: Path, log: EventLog):
    await log.append([envelope(1)])
    log._connection.exec_driver_sql(INSERT, [log_row(envelope(2))])
    log._connection.commit()
    log.broken = "The disk said no after it had said yes."
    await log.reopen()
    assert [row.seq for row in log.read_all()] == [1]


def log_row(row: Envelope) -> tuple[object, ...]:
    from specthread.engine.store import row_from_envelope

    return row_from_envelope(row)


async def test_a_log_that_lost_acknowledged_rows_is_not_opened_again(path: Path, log: EventLog):
    await log.append([envelope(1), envelope(2)])
    log._connection.exec_driver_sql("DELETE FROM events WHERE seq = 2")
    log._connection.commit()
    log.broken = "x"
    with pytest.raises(StoreError, match="lost the events after number 1"):
        await log.reopen()
    assert log.broken == "x"


async def test_nothing_can_be_appended_to_a_closed_log(log: EventLog):
    await log.close()
    with pytest.raises(StoreError, match="The event log is closed"):
        await log.append([envelope(1)])


async def test_what_waits_is_stored_before_the_log_closes(path: Path, log: EventLog):
    waiting = asyncio.create_task(log.append([envelope(1)]))
    await asyncio.sleep(0)
    await log.close()
    await waiting
    assert await stored(path) == [1]


def test_a_log_of_a_newer_format_is_refused_and_left_alone(path: Path):
    asyncio.run(EventLog.open(path, host="box").close())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '3' WHERE name = 'format'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"has format 3; this Specthread reads up to format 2") as refused:
        EventLog.open(path, host="box")
    assert "install the newer Specthread" in refused.value.hint
    assert path.read_bytes() == before


async def test_an_event_of_a_newer_schema_is_refused_by_name(path: Path, log: EventLog):
    await log.append([envelope(1)])
    log._connection.exec_driver_sql("UPDATE events SET kind = 'SpecTaskTeleported', schema = 9")
    log._connection.commit()
    with pytest.raises(StoreError, match="SpecTaskTeleported"):
        list(log.read_all())
    with pytest.raises(StoreError, match="SpecTaskTeleported"):
        await log.read()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\x01" * 5000])
def test_a_file_that_is_no_event_log_is_refused_in_a_sentence(path: Path, content: bytes):
    path.parent.mkdir()
    path.write_bytes(content)
    for _ in range(2):  # the refusal lets go of the lock
        with pytest.raises(StoreError, match="cannot be used: the file is") as refused:
            EventLog.open(path, host="box")
        assert "specthread daemon check-log" in refused.value.hint
    assert path.read_bytes() == content


async def test_a_damaged_page_is_found_when_the_log_is_opened(path: Path, log: EventLog):
    for seq in range(1, 200):
        await log.append([envelope(seq)])
    await log.close()
    with path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xa5" * 4096)
    with pytest.raises(StoreError, match="damaged") as refused:
        EventLog.open(path, host="box")
    assert "specthread daemon check-log" in refused.value.hint


def test_a_folder_that_cannot_be_made_is_refused_in_a_sentence(tmp_path: Path):
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"cannot be opened: (File exists|Not a directory)"):
        EventLog.open(tmp_path / "state" / "events.db", host="box")


def test_a_lock_that_a_dead_process_left_behind_does_not_matter(path: Path):
    path.parent.mkdir()
    path.with_name("events.db.lock").write_text("process 1 on box that was killed long ago with a long name")
    log = EventLog.open(path, host="box")
    assert path.with_name("events.db.lock").read_text() == f"process {os.getpid()} on box"
    asyncio.run(log.close())
