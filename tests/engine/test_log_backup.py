from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from specthread.engine.log import EventLog, StoreError
from specthread.engine.log_check import check_log
from specthread.engine.log_files import back_up, restore
from specthread.engine.replaying import replayed
from specthread.engine.snapshot import keep_snapshot
from support.event_strategy import envelope
from support.log_file import NOW, change, filled, opened, state_of
from support.long_log import make_long_log
from support.situation import GIVEN
from support.small_disk import small_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "events.db"


async def test_a_backup_is_of_one_moment_while_events_are_appended(path: Path, tmp_path: Path):
    log = EventLog.open(path, host="box")
    rows = GIVEN["working"]().log
    await log.append(rows[:20])
    await log.pack(rows[0].spectask)

    async def write() -> None:
        for row in rows[20:]:
            await log.append([row])

    copies = [tmp_path / f"{number}.db" for number in range(4)]
    last, *_ = await asyncio.gather(asyncio.to_thread(lambda: [back_up(path, copy) for copy in copies]), write())
    for copy, events in zip(copies, last, strict=True):
        report = check_log(copy)
        assert (report.good, report.faults) == (events, ())
        assert not copy.with_name(f"{copy.name}-wal").exists()
        assert copy.stat().st_mode & 0o077 == 0
    await log.close()


def test_a_backup_never_takes_the_place_of_another_file_and_leaves_nothing_half_done(path: Path, tmp_path: Path):
    filled(path)
    (tmp_path / "there").write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        back_up(path, tmp_path / "there")
    with pytest.raises(FileNotFoundError):
        back_up(path, tmp_path / "no" / "folder")
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xa5" * 4096)
    with pytest.raises(StoreError):
        back_up(path, tmp_path / "bad")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["state", "there"]


def test_a_backup_that_the_full_disk_stops_leaves_nothing_behind(tmp_path: Path):
    with small_disk(tmp_path / "disk", "8m") as disk:
        path = disk.path / "state" / "events.db"
        make_long_log(path, spectasks=4, events=1_500)
        for room in (65_536, path.stat().st_size // 2, path.stat().st_size + 4096):
            disk.leave(room)
            with pytest.raises((OSError, StoreError), match=r"disk|No space left"):
                back_up(path, disk.path / "copy.db")
            assert {part.name for part in disk.path.iterdir()} == {"state", "ballast"}


def test_a_backup_that_was_killed_is_in_nobodys_way(path: Path, tmp_path: Path):
    filled(path)
    (tmp_path / "copy.db.new").write_text("half of one, or somebody's own")
    back_up(path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db.new").read_text() == "half of one, or somebody's own"
    assert check_log(tmp_path / "copy.db").faults == ()
    assert len(list(tmp_path.iterdir())) == 3


def test_a_backup_without_events_takes_the_place_of_nothing(path: Path, tmp_path: Path):
    EventLog.open(tmp_path / "empty.db", host="box").discard()
    rows = filled(path)
    with pytest.raises(StoreError, match="holds no events"):
        restore(path, tmp_path / "empty.db", now=NOW)
    assert opened(path)[2] == len(rows)


@pytest.mark.parametrize("packed", [False, True])
def test_a_restored_log_is_the_backup_under_a_new_id(path: Path, tmp_path: Path, *, packed: bool):
    rows = filled(path, "done")

    async def go_on() -> None:
        log = EventLog.open(path, host="box")
        if packed:
            await log.pack(rows[0].spectask)
        back_up(path, tmp_path / "copy.db")
        await log.append([replace(envelope(len(rows) + 1), spectask=rows[0].spectask)])
        keep_snapshot(log, replayed(log)[0])
        await log.close()

    asyncio.run(go_on())
    former, _, _ = opened(path)
    done = restore(path, tmp_path / "copy.db", now=NOW)
    assert opened(done.former / "events.db")[2] == len(rows) + 1
    instance, state, last = opened(path)
    assert (state, last) == (state_of(rows), len(rows))
    assert instance != former
    assert check_log(path).faults == ()
    log = EventLog.open(path, host="box")
    assert log.is_restored
    assert {row.instance for row in log.read_all()} == {log.instance_of(1)} == {former}
    log.discard()


def test_a_backup_is_restored_where_there_is_no_log_any_more(path: Path, tmp_path: Path):
    rows = filled(path)
    back_up(path, tmp_path / "copy.db")
    shutil.rmtree(path.parent)
    done = restore(path, tmp_path / "copy.db", now=NOW)
    assert done.former is None
    assert opened(path)[1] == state_of(rows)


def test_what_is_no_whole_log_is_not_restored(path: Path, tmp_path: Path):
    filled(path)
    before = path.read_bytes()
    bad = tmp_path / "bad.db"
    shutil.copy(path, bad)
    change(bad, "DELETE FROM events WHERE seq = 9")
    with pytest.raises(StoreError, match="Event 9 is missing"):
        restore(path, bad, now=NOW)
    (tmp_path / "text").write_text(json.dumps("a"))
    with pytest.raises(StoreError, match="the file is not an event log"):
        restore(path, tmp_path / "text", now=NOW)
    assert path.read_bytes() == before
