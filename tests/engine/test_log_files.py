from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from specthread.engine.log import EventLog, StoreError
from specthread.engine.log_check import check_log
from specthread.engine.log_files import back_up, repair, restore
from specthread.lost_log import is_lost
from support.event_strategy import envelope
from support.log_file import NOW, change, filled, opened, state_of
from support.long_log import make_long_log
from support.situation import GIVEN
from support.small_disk import read_only, small_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "events.db"


# --- checking ---------------------------------------------------------------------------------------------------------------


def test_a_whole_log_has_no_faults_and_is_not_changed_by_looking(path: Path):
    rows = filled(path)
    before = {part.name: part.read_bytes() for part in path.parent.iterdir()}
    report = check_log(path)
    assert (report.good, report.last, report.faults) == (len(rows), len(rows), ())
    assert {part.name: part.read_bytes() for part in path.parent.iterdir() if part.name in before} == before


async def test_a_log_is_checked_while_a_daemon_writes_it(path: Path):
    log = EventLog.open(path, host="box")
    rows = GIVEN["working"]().log
    await log.append(rows)
    assert check_log(path).faults == ()
    await log.pack(rows[0].spectask)
    assert check_log(path).good == len(rows)
    await log.close()


HARM = {
    "missing": ("DELETE FROM events WHERE seq = 9", 8, "Event 9 is missing; the next one is 10."),
    "unreadable": ("UPDATE events SET payload = '{' WHERE seq = 9", 8, "Event 9: The event log holds an event"),
    "a head that cannot be read": ("UPDATE events SET time = 'noon' WHERE seq = 9", 8, "Event 9: The event log holds event 9 with a head"),
    "of another life": (
        """UPDATE events SET kind = 'CommentAnswered', payload = '{"comment":"c","text":"t"}' WHERE seq = 9""",
        8,
        "Event 9: Event 9 (CommentAnswered) does not go with the events before it",
    ),
    "other words": (
        "UPDATE events SET payload = replace(CAST(payload AS TEXT), 'IyBEZXNpZ24', 'IyBEZXNpZ25') WHERE seq < 9",
        None,
        "is not the text",
    ),
    "without a name": ("DELETE FROM meta", None, "It does not say its format and its id."),
    "without a format": ("UPDATE meta SET value = 'x' WHERE name = 'format'", None, "It does not say its format."),
    "without what it says of itself": ("DROP TABLE meta", None, "no such table: meta"),
    "of another program": ("ALTER TABLE events DROP COLUMN payload", 0, "a row of 9 values"),
}


@pytest.mark.parametrize("name", list(HARM))
def test_a_damage_is_named_with_the_event_up_to_which_all_is_well(path: Path, name: str):
    rows = filled(path)
    statement, good, words = HARM[name]
    change(path, statement)
    report = check_log(path)
    assert report.good == (len(rows) if good is None else good)
    assert any(words in found for found in (*report.faults, *report.notices)), report


def test_a_damaged_page_is_named(path: Path):
    filled(path)
    with path.open("r+b") as file:
        file.seek(4096 * 6)
        file.write(b"\xa5" * 4096)
    report = check_log(path)
    assert report.faults[0].startswith("SQLite finds: ")


def test_a_newer_log_is_not_called_damaged_and_cannot_be_repaired(path: Path):
    filled(path)
    for statement in ("UPDATE events SET schema = 2 WHERE seq > 10", "UPDATE meta SET value = '9' WHERE name = 'format'"):
        change(path, statement)
        assert check_log(path).newer
        before = path.read_bytes()
        with pytest.raises(StoreError, match="is not damaged"):
            repair(path, now=NOW)
        assert path.read_bytes() == before


def test_where_there_is_no_log_a_sentence_says_so(path: Path):
    with pytest.raises(StoreError, match="There is no event log"):
        check_log(path)


@pytest.mark.parametrize("room", [0, 8192])
def test_a_whole_log_on_a_full_disk_is_not_called_damaged_and_stays_where_it_is(tmp_path: Path, room: int):
    with small_disk(tmp_path / "disk") as disk:
        path = disk.path / "events.db"
        rows = filled(path)
        disk.leave(room)
        for look in (check_log, lambda path: repair(path, now=NOW)):
            with pytest.raises(StoreError, match="disk") as told:
                look(path)
            assert "disk" in told.value.hint
            assert "--repair" not in told.value.hint
        disk.free()
        assert (check_log(path).good, check_log(path).faults) == (len(rows), ())


def test_a_whole_log_in_a_folder_that_cannot_be_written_is_not_called_damaged(path: Path):
    filled(path)
    with read_only(path.parent), pytest.raises(StoreError, match="cannot be opened") as told:
        check_log(path)
    assert "folder" in told.value.hint


def test_a_log_that_cannot_be_opened_is_told_in_a_sentence(path: Path, tmp_path: Path):
    filled(path)
    deep = tmp_path / "/".join(["d" * 200] * 3)  # longer than a name that SQLite takes: root, too, is refused
    shutil.copytree(path.parent, deep)
    with pytest.raises(StoreError, match="cannot be opened"):
        check_log(deep / path.name)


# --- repairing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["missing", "unreadable", "a head that cannot be read", "of another life"])
def test_repair_keeps_what_is_whole_under_a_new_id_and_a_copy_of_all(path: Path, name: str):
    rows = filled(path)
    before, _, _ = opened(path)
    change(path, HARM[name][0])
    damaged = path.read_bytes()
    report, done = repair(path, now=NOW)
    assert (report.good, done.events) == (8, 8)
    assert (done.former / "events.db").read_bytes() == damaged
    instance, state, last = opened(path)
    assert (state, last) == (state_of(rows[:8]), 8)
    assert instance != before
    assert check_log(path).faults == ()
    assert repair(path, now=NOW)[1] is None


def test_what_stands_only_in_the_write_ahead_log_is_kept_by_a_repair(path: Path, tmp_path: Path):
    async def fill() -> None:
        log = EventLog.open(path, host="box")
        await log.append(GIVEN["working"]().log)
        log._connection.exec_driver_sql("UPDATE events SET payload = '{' WHERE seq = 12")
        log._connection.commit()
        shutil.copytree(path.parent, tmp_path / "killed")
        await log.close()

    asyncio.run(fill())
    killed = tmp_path / "killed" / "events.db"
    assert killed.with_name("events.db-wal").stat().st_size > 10_000
    _, done = repair(killed, now=NOW)
    assert done.events == 11
    assert {part.name for part in done.former.iterdir()} == {"events.db", "events.db-wal"}
    assert opened(killed)[2] == 11


def test_a_log_of_which_nothing_can_be_read_is_put_away_whole(path: Path):
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)
    report, done = repair(path, now=NOW)
    assert (report.good, done.events) == (0, 0)
    assert (done.former / "events.db").read_bytes() == b"not a database at all" * 100
    assert not path.exists()


def test_a_document_that_its_digest_does_not_name_is_told_and_keeps_nobody_from_a_backup(path: Path, tmp_path: Path):
    rows = filled(path)
    change(path, HARM["other words"][0])
    report, done = repair(path, now=NOW)
    assert (report.faults, len(report.notices), done) == ((), 1, None)
    back_up(path, tmp_path / "copy.db")
    assert restore(path, tmp_path / "copy.db", now=NOW).events == len(rows)


async def test_nothing_is_repaired_or_restored_under_a_running_daemon(path: Path):
    log = EventLog.open(path, host="box")
    await log.append([envelope(1)])
    with pytest.raises(StoreError, match="is open in process"):
        repair(path, now=NOW)
    back_up(path, path.with_name("copy.db"))
    with pytest.raises(StoreError, match="is no whole event log"):  # that one event has no SpecTask
        restore(path, path.with_name("copy.db"), now=NOW)
    await log.close()


class Killed(BaseException):
    """Ends the work at once, as a kill does."""


def kill_before_the_replacing(monkeypatch) -> None:
    real = Path.replace

    def replace_(self: Path, target: Path) -> Path:
        if self.name == "events.db.new":
            raise Killed
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace_)


def killed_log(path: Path, folder: Path) -> Path:
    """Makes a log whose events stand only in its write-ahead log, as after a kill, and returns where it is."""

    async def fill() -> None:
        log = EventLog.open(path, host="box")
        await log.append(GIVEN["working"]().log)
        shutil.copytree(path.parent, folder)
        await log.close()

    asyncio.run(fill())
    return folder / path.name


def test_a_restore_that_is_killed_leaves_the_former_log_whole(path: Path, tmp_path: Path, monkeypatch):
    killed = killed_log(path, tmp_path / "killed")
    back_up(killed, tmp_path / "copy.db")
    kill_before_the_replacing(monkeypatch)
    with pytest.raises(Killed):
        restore(killed, tmp_path / "copy.db", now=NOW)
    assert opened(killed)[2] == len(GIVEN["working"]().log)
    assert check_log(killed).faults == ()


def test_a_restore_that_is_killed_over_a_log_that_cannot_be_read_leaves_none_which_a_start_tells(path: Path, tmp_path: Path, monkeypatch):
    filled(path)
    back_up(path, tmp_path / "copy.db")
    path.write_bytes(b"gone" * 1000)
    with monkeypatch.context() as patched:
        kill_before_the_replacing(patched)
        with pytest.raises(Killed):
            restore(path, tmp_path / "copy.db", now=NOW)
    (path.parent / "log-begun").touch()
    assert is_lost(path.parent)
    restore(path, tmp_path / "copy.db", now=NOW)
    assert check_log(path).faults == ()


@pytest.mark.parametrize("name", ["without a name", "without a format", "without what it says of itself"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_log_that_does_not_say_what_it_is_keeps_all_its_events_in_a_repair(path: Path, name: str, *, packed: bool):
    rows = filled(path)

    async def pack() -> None:
        log = EventLog.open(path, host="box")
        await log.pack(rows[0].spectask)
        await log.close()

    if packed:
        asyncio.run(pack())
    change(path, HARM[name][0])
    report, done = repair(path, now=NOW)
    assert len(report.faults) == 1
    assert done.events == len(rows)
    assert opened(path)[1] == state_of(rows)


@pytest.mark.parametrize("statement", ["DELETE FROM meta", "DELETE FROM meta WHERE name = 'instance'", HARM["without a format"][0]])
def test_a_log_that_does_not_say_what_it_is_is_not_opened_and_not_kept_locked(path: Path, statement: str):
    filled(path)
    change(path, statement)
    for _ in range(2):
        with pytest.raises(StoreError, match="is damaged: it does not say") as told:
            EventLog.open(path, host="box")
        assert "check-log" in told.value.hint


def test_nothing_is_left_beside_a_log_that_was_replaced(path: Path):
    filled(path)
    change(path, HARM["missing"][0])
    _, done = repair(path, now=NOW)
    assert {part.name for part in path.parent.iterdir()} == {"events.db", "events.db.lock", done.former.name}


@pytest.mark.parametrize("share", [0.6, 1.3])
def test_a_repair_or_restore_that_the_full_disk_stops_leaves_all_as_it_was(tmp_path: Path, share: float):
    with small_disk(tmp_path / "disk", "8m") as disk:
        path = disk.path / "state" / "events.db"
        make_long_log(path, spectasks=4, events=1_500)
        shutil.copy(path, tmp_path / "copy.db")
        change(path, "DELETE FROM events WHERE seq = 1200")
        damaged = path.read_bytes()
        disk.leave(int(len(damaged) * share) + 65_536)
        for replacing in (lambda: repair(path, now=NOW), lambda: restore(path, tmp_path / "copy.db", now=NOW)):
            with pytest.raises((OSError, StoreError), match=r"disk|No space left"):
                replacing()
            assert [part.name for part in path.parent.iterdir() if not part.name.endswith((".lock", "-wal", "-shm"))] == [path.name]
            assert path.read_bytes() == damaged
        disk.free()
        _, done = repair(path, now=NOW)
        assert (done.former / path.name).read_bytes() == damaged


def test_a_repair_that_is_killed_while_it_copies_leaves_nothing_that_is_taken_for_a_copy(path: Path, monkeypatch):
    filled(path)
    change(path, HARM["missing"][0])

    def killed(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", killed)
        with pytest.raises(Killed):
            repair(path, now=NOW)
    assert not list(path.parent.glob("*damaged*"))
    _, done = repair(path, now=NOW)
    assert {part.name for part in path.parent.iterdir()} == {"events.db", "events.db.lock", done.former.name}


def test_a_kept_copy_stands_whatever_comes_of_a_second_repair_in_the_same_second(path: Path):
    filled(path)
    change(path, HARM["missing"][0])
    _, done = repair(path, now=NOW)
    kept = (done.former / path.name).read_bytes()
    change(path, "DELETE FROM events WHERE seq = 5")
    with pytest.raises(OSError, match="not empty"):
        repair(path, now=NOW)
    assert (done.former / path.name).read_bytes() == kept
    assert {part.name for part in path.parent.iterdir() if not part.name.endswith(("-wal", "-shm"))} == {
        "events.db",
        "events.db.lock",
        done.former.name,
    }


def test_a_write_ahead_log_without_its_log_is_kept_by_a_restore(path: Path, tmp_path: Path):
    filled(path)
    back_up(path, tmp_path / "copy.db")
    path.unlink()
    path.with_name("events.db-wal").write_bytes(b"what is left")
    done = restore(path, tmp_path / "copy.db", now=NOW)
    assert (done.former / "events.db-wal").read_bytes() == b"what is left"
