from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from specthread.domain.events import ArchiveFinished, SpecTaskArchived
from specthread.engine.log import EventLog
from support.event_strategy import envelope
from support.situation import GIVEN


@pytest.fixture
def log(environ):
    """The event log of a SpecTask that is archived, in the state folder."""
    path = environ / "state" / "events.db"

    async def fill() -> None:
        log = EventLog.open(path, host="box")
        story = GIVEN["done"]()
        ends = (SpecTaskArchived(), ArchiveFinished())
        put_away = [envelope(len(story.log) + place, event, spectask=story.spectask.id) for place, event in enumerate(ends, start=1)]
        await log.append([replace(row, instance=log.instance) for row in (*story.log, *put_away)])
        await log.close()

    asyncio.run(fill())
    return path


def spoil(path):
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM events WHERE seq = 9")
    database.close()


def test_a_whole_log_is_called_whole(cli, log):
    said = cli("daemon", "check-log")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("The event log is whole: ")
    assert cli("daemon", "check-log", "--json").json["faults"] == []


def test_a_damage_is_told_with_the_ways_out_and_mended(cli, log):
    spoil(log)
    said = cli("daemon", "check-log")
    assert said.code == 1
    assert "Event 9 is missing; the next one is 10." in said.out
    assert "Events 1 to 8 are whole." in said.out
    assert "specthread daemon restore FILE" in said.out
    assert "specthread daemon check-log --repair" in said.out
    mended = cli("daemon", "check-log", "--repair", "--json")
    assert (mended.code, mended.json["events"]) == (0, 8)
    assert sqlite3.connect(f"{mended.json['former']}/events.db").execute("SELECT count(*) FROM events").fetchone()[0] > 8
    assert cli("daemon", "check-log").code == 0
    said = cli("daemon", "check-log", "--repair")
    assert said.out.startswith("The event log is whole: 8 events.")


@pytest.mark.parametrize("kind", ["text", "another database"])
def test_a_file_that_is_no_event_log_stays_where_it_is(cli, log, environ, kind):
    other = environ / "mine"
    other.mkdir()
    file = other / "photos.sqlite"
    if kind == "text":
        file.write_text("my notes")
    else:
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE photos (name TEXT)")
        database.close()
    before = file.read_bytes()
    assert "--repair" not in cli("daemon", "check-log", "--file", str(file)).out
    said = cli("daemon", "check-log", "--repair", "--file", str(file))
    assert said.code == 1
    assert "holds no event that can be read" in said.err
    assert [each.name for each in other.iterdir()] == [file.name]
    assert file.read_bytes() == before


def test_a_damaged_backup_is_mended_where_it_is(cli, log, environ):
    copy = environ / "copy.db"
    cli("daemon", "backup", str(copy))
    spoil(copy)
    assert f"check-log --repair --file {copy}" in cli("daemon", "check-log", "--file", str(copy)).out
    assert cli("daemon", "check-log", "--repair", "--file", str(copy), "--json").json["events"] == 8
    assert cli("daemon", "check-log", "--file", str(copy)).code == 0


def test_whose_packed_events_are_damaged_is_told_before_and_after_the_repair(cli, log):
    cli("daemon", "compact")
    with sqlite3.connect(log) as database:
        database.execute("UPDATE segments SET body = zeroblob(9)")
    database.close()
    said = cli("daemon", "check-log")
    assert "packed events of add-json-7k3f from number 1 on are damaged." in said.out
    assert "but for those of add-json-7k3f, which only a backup or git can give back." in said.out
    assert cli("daemon", "check-log", "--json").json["lost"] == ["add-json-7k3f"]
    assert "Nothing could be saved." in cli("daemon", "check-log", "--repair").out


def test_a_daemon_that_meets_a_damaged_log_says_what_to_do(program, log):
    spoil(log)
    said = program("list")
    assert said.code == 3
    assert "event 9 is missing" in said.err
    assert "specthread daemon check-log" in said.err


def test_a_log_of_which_nothing_can_be_saved_leads_to_git(program, log):
    (log.parent / "log-begun").touch()
    log.write_bytes(b"gone" * 1000)
    said = program("daemon", "check-log", "--repair")
    assert said.code == 0
    assert "Nothing could be saved." in said.out
    assert "specthread rebuild" in program("list").err


def test_one_goes_back_to_a_backup_that_a_running_daemon_made(program, log, environ):
    assert "The daemon runs" in program("daemon", "start").out
    copy = environ / "copy.db"
    said = program("daemon", "backup", str(copy))
    assert (said.code, said.err) == (0, "")
    assert f"specthread daemon restore {copy}" in said.out
    said = program("daemon", "restore", str(copy))
    assert said.code == 3
    assert "is open in process" in said.err
    before = program("list", "--archived", "--json").json
    program("daemon", "stop")
    log.unlink()
    said = program("daemon", "restore", str(copy))
    assert said.code == 0
    assert "specthread rebuild" in said.out
    assert program("list", "--archived", "--json").json == before


def test_the_history_of_an_archived_spectask_is_told_after_its_events_are_packed(program, log):
    before = program("history", "add-json", "--json").json["events"]
    said = program("daemon", "compact")
    assert (said.code, "is open in process" in said.err) == (3, True)
    program("daemon", "stop")
    said = program("daemon", "compact")
    assert "events of archived SpecTasks" in said.out
    with sqlite3.connect(log) as database:
        assert database.execute("SELECT count(*) FROM events").fetchone() == (0,)
    database.close()
    assert program("history", "add-json", "--json").json["events"][: len(before)] == before
    assert program("show", "add-json", "--json").json["state"] == "archived"
    program("daemon", "stop")
    assert program("daemon", "check-log").out.startswith("The event log is whole")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (("check-log",), "There is no event log"),
        (("check-log", "--repair"), "There is no event log"),
        (("backup", "copy.db"), "There is no event log"),
        (("restore", "copy.db"), "There is no event log"),
        (("compact",), "There is no event log"),
    ],
)
def test_where_there_is_no_log_each_verb_says_so_and_makes_none(cli, environ, line, sentence):
    said = cli("daemon", *line)
    assert said.code in {1, 3}
    assert sentence in said.err
    assert not (environ / "state" / "events.db").exists()


def test_a_backup_that_cannot_be_written_is_told(cli, log, environ):
    said = cli("daemon", "backup", str(environ / "no" / "folder.db"))
    assert said.code == 3
    assert "No such file" in said.err
    (environ / "copy.db").write_text("mine")
    said = cli("daemon", "backup", str(environ / "copy.db"))
    assert "is there already" in said.err
    assert (environ / "copy.db").read_text() == "mine"
