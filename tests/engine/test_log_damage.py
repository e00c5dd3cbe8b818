"""Damage of many kinds to an event log: a start and a check tell it in words, and a repair keeps what is whole."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from specthread.domain.events import ArchiveFinished, SpecTaskArchived
from specthread.domain.ids import SpecTaskId
from specthread.domain.state import State
from specthread.engine import log_check
from specthread.engine.answered import Answered, last_answered
from specthread.engine.compared import compared
from specthread.engine.log import EventLog, StoreError
from specthread.engine.log_check import check_log
from specthread.engine.log_files import back_up, repair, restore
from specthread.engine.replaying import replayed
from specthread.engine.snapshot import keep_snapshot
from support.event_strategy import envelope
from support.log_file import NOW, change, filled, opened, state_of
from support.long_log import make_long_log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "events.db"


TYPES = {
    "schema": ("'x'", "x'ff'", "1.5"),
    "kind": ("x'ff'", "CAST(x'52ff' AS TEXT)"),
    "instance": ("x'ff'", "CAST(x'ff' AS TEXT)"),
    "host": ("x'ff'",),
    "actor": ("5", "'x'"),
    "time": ("x'ff'", "'2026-03-01T09:00:00'"),
    "spectask": ("x'ff'", "''"),
    "payload": ("5", "x'ff'"),
}


@pytest.mark.parametrize(("column", "value"), [(column, value) for column, values in TYPES.items() for value in values])
@pytest.mark.parametrize("seq", [9, "(SELECT max(seq) FROM events)"])
def test_a_value_of_another_type_is_told_by_the_start_and_the_check_and_mended(path: Path, column: str, value: str, seq: object):
    rows = filled(path)
    change(path, f"UPDATE events SET {column} = {value} WHERE seq = {seq}")
    with pytest.raises(StoreError) as told:
        opened(path)
    assert "check-log" in told.value.hint
    good = 8 if seq == 9 else len(rows) - 1
    report, done = repair(path, now=NOW)
    assert (report.good, done.events, report.newer) == (good, good, False)
    assert opened(path)[1] == state_of(rows[:good])


def test_a_newer_schema_before_events_of_this_one_is_damage(path: Path):
    filled(path)
    change(path, "UPDATE events SET schema = 257 WHERE seq = 9")
    assert repair(path, now=NOW)[1].events == 8


@pytest.mark.parametrize("statement", ["UPDATE meta SET value = x'ff'", "UPDATE meta SET value = 5.5 WHERE name = 'format'"])
def test_what_a_log_says_of_itself_may_be_of_another_type(path: Path, statement: str):
    rows = filled(path)
    change(path, statement)
    with pytest.raises(StoreError, match="it does not say"):
        opened(path)
    assert repair(path, now=NOW)[1].events == len(rows)
    assert opened(path)[1] == state_of(rows)


SEGMENT_HARM = [
    *(f"UPDATE segments SET {each}" for each in ("last = 'x'", "spectask = x'ff'", "digest = 5", "body = 'x'", "body = 5", "events = 'x'")),
    "ALTER TABLE segments RENAME COLUMN body TO other",
    "DROP TABLE segments",
]


@pytest.mark.parametrize("statement", SEGMENT_HARM)
def test_packed_events_that_are_not_as_they_were_written_are_told_and_the_file_is_kept(path: Path, statement: str):
    rows = filled(path)

    async def pack() -> None:
        log = EventLog.open(path, host="box")
        await log.pack(rows[0].spectask)
        await log.append([replace(envelope(len(rows) + 1), spectask=rows[0].spectask)])
        await log.close()

    asyncio.run(pack())
    change(path, statement)
    damaged = path.read_bytes()
    with pytest.raises(StoreError):
        opened(path)
    report, done = repair(path, now=NOW)
    assert (report.good, done.events) == (0, 0)
    assert (done.former / path.name).read_bytes() == damaged


def packed_log(path: Path) -> list:
    """Makes a log of three SpecTasks, the first of which was archived last and is packed, and returns its events."""
    make_long_log(path, spectasks=3, events=1_200)

    async def pack() -> list:
        log = EventLog.open(path, host="box")
        put_away = [envelope(log.last_seq + 1, SpecTaskArchived()), envelope(log.last_seq + 2, ArchiveFinished())]
        await log.append([replace(row, instance=log.instance, spectask=SpecTaskId("task-0000")) for row in put_away])
        rows = list(log.read_all())
        await log.pack("task-0000")
        await log.close()
        return rows

    return asyncio.run(pack())


DAMAGED = "UPDATE segments SET body = CAST(substr(body, 1, 500) || x'00' || substr(body, 502) AS BLOB)"


async def test_a_damaged_segment_costs_the_events_of_its_own_spectask_alone(path: Path, tmp_path: Path):
    rows = await asyncio.to_thread(packed_log, path)
    others = [row for row in rows if row.spectask != "task-0000"]
    spectasks = state_of(rows).spectasks.delete(SpecTaskId("task-0000"))
    change(path, DAMAGED)
    report = check_log(path)
    assert (report.good, report.last, report.lost) == (others[-1].seq, len(rows), {"task-0000"})
    assert report.faults == (f"{len(rows) - len(others)} packed events of task-0000 from number 1 on are damaged.",)
    _, done = repair(path, now=NOW)
    assert done.events == others[-1].seq
    assert (check_log(path).good, check_log(path).faults) == (others[-1].seq, ())
    log = EventLog.open(path, host="box")
    assert (list(log.read_all()), log.last_seq, log.is_restored) == (others, others[-1].seq, True)
    assert list(log.read_all(since=others[9].seq)) == others[10:]
    assert await log.read(spectask="task-0000") == ()
    assert replayed(log)[0].spectasks == spectasks
    keep_snapshot(log, replayed(log)[0])
    later = replace(envelope(log.last_seq + 1, SpecTaskArchived()), instance=log.instance, spectask=SpecTaskId("task-0001"))
    await log.append([later])
    await log.pack("task-0001")
    assert list(log.read_all()) == [*others, later]
    assert replayed(log)[1] == others[-1].seq
    back_up(path, tmp_path / "copy.db")
    await log.close()
    assert restore(path, tmp_path / "copy.db", now=NOW).events == later.seq
    log = EventLog.open(path, host="box")
    assert list(log.read_all()) == [*others, later]
    await log.close()


def test_a_hole_for_lost_events_hides_no_other_loss(path: Path):
    rows = packed_log(path)
    change(path, DAMAGED)
    change(path, "DELETE FROM events WHERE seq = 600")
    report = check_log(path)
    assert (report.good, report.last, report.lost) == (0, len(rows), frozenset())
    assert report.faults[-1] == "More events than those are missing from number 1 on."


def test_what_comes_after_a_repair_with_lost_events_is_checked_as_ever(path: Path):
    packed_log(path)
    change(path, DAMAGED)
    repair(path, now=NOW.replace(hour=8))
    change(path, "DELETE FROM events WHERE seq = 600")
    assert check_log(path).faults[-1] == "Event 600 is missing; the next one is 601."
    with pytest.raises(StoreError, match="event 600 is missing"):
        opened(path)
    assert repair(path, now=NOW)[1].events == 599


@pytest.mark.parametrize("harm", ["", DAMAGED])
def test_a_log_is_checked_while_events_are_appended_whatever_it_lost(path: Path, monkeypatch, harm: str):
    packed_log(path)
    change(path, DAMAGED)
    if not harm:
        repair(path, now=NOW)
        opened(path)
    before, real = check_log(path), log_check.folded

    def folded(state: State, row):
        if not state.sequence:
            last = "(SELECT max(seq) FROM events)"
            for _ in range(3):
                change(
                    path,
                    f"INSERT INTO events SELECT {last} + 1, instance, 1, host, actor, time, spectask, run, kind, payload FROM events WHERE seq = {last}",
                )
        return real(state, row)

    monkeypatch.setattr(log_check, "folded", folded)
    assert check_log(path) == before


def test_a_segment_that_holds_nothing_costs_nothing(path: Path):
    rows = filled(path)
    change(path, "CREATE TABLE segments AS SELECT 1 AS first, 2 AS last, 'x' AS spectask, 1 AS events, x'01' AS digest, x'00' AS body")
    with pytest.raises(StoreError, match="packed events from number 1 on are damaged"):
        opened(path)
    assert repair(path, now=NOW)[1].events == len(rows)
    assert opened(path)[1] == state_of(rows)


ANSWERED_HARM = [
    "DROP TABLE answered; CREATE TABLE answered (a)",
    "UPDATE answered SET first = 'x'",
    "UPDATE answered SET key = x'ff'",
    "UPDATE answered SET command = CAST(x'ff' AS TEXT)",
    "INSERT INTO meta VALUES (x'ff', 'x')",
]


@pytest.mark.parametrize("statement", ANSWERED_HARM)
async def test_what_stands_beside_the_events_keeps_no_log_from_being_opened_and_written(path: Path, statement: str):
    key = Answered(command="c", spectask="s", key="k", first=1, last=1)
    log = EventLog.open(path, host="box")
    await log.append([envelope(1)], [key])
    await log.close()
    with sqlite3.connect(path) as database:
        database.executescript(statement)
    database.close()
    log = EventLog.open(path, host="box")
    assert log.ask(last_answered) == ((key,) if "meta" in statement else ())
    assert log.ask(compared) == frozenset()
    await log.append([envelope(2)], [replace(key, key="l", first=2, last=2)])
    await log.reopen()
    await log.append([envelope(3)], [replace(key, key="m", first=3, last=3)])
    if "CAST" not in statement:  # there nothing can be read before that row is gone
        assert [each.key for each in log.ask(last_answered)][-2:] == ["l", "m"]
    await log.close()
