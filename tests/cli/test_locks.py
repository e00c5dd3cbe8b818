from __future__ import annotations

from pathlib import Path

import pytest

from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.domain.reports import GrantLock, ReleaseLock, RequestLock
from specthread.plan.capacity import Capacity, Crowd
from support.fake_engine import ID

ONE, TWO = RunId(f"{ID}/ws-1"), RunId(f"{ID}/ws-2")
DB = "database:test"


@pytest.fixture
def working(daemon, monkeypatch):
    for step in ("create", "plan", "approve", "implement"):
        daemon.do(getattr(daemon.engine, step)())
    monkeypatch.setattr(type(daemon.engine), "crowd", Crowd(capacity=Capacity(resources={"api:github": 3})))
    return daemon


def take(daemon, run, resource=DB, mode="exclusive"):
    daemon.do(daemon.engine.do(RequestLock(spectask=ID, run=run, resource=resource, mode=mode, seconds=600.0)))
    daemon.do(daemon.engine.submit(submission(GrantLock(spectask=ID, run=run, resource=resource, capacity=None))))


def submission(command):
    from specthread.domain.commands import Submission
    from specthread.domain.model import DAEMON

    return Submission(command=command, actor=DAEMON)


def test_nothing_in_use_says_how_a_task_names_what_it_needs(daemon, cli):
    said = cli("locks")
    assert said.code == 0
    assert "_Uses: database:test_" in said.out


def test_every_resource_has_its_holders_its_line_and_what_is_configured(working, cli):
    take(working, ONE)
    take(working, TWO)
    first, second = cli("locks", "--json").json["resources"]
    assert (first["resource"], first["capacity"], first["configured"]) == (DB, None, False)
    assert first["repository"].endswith("repository")
    (holder,), (waiting,) = first["holders"], first["line"]
    assert (holder["session"], holder["spectask"], holder["task"], holder["mode"]) == (ONE, ID, "1", "exclusive")
    assert holder["title"]
    assert (waiting["session"], waiting["mode"], waiting["why"]) == (TWO, "exclusive", f"Waits for {DB}, which ws-1 holds.")
    assert waiting["seconds"] > 3000
    assert waiting["gives_up"] > waiting["since"]
    assert (second["resource"], second["capacity"], second["configured"], second["holders"]) == ("api:github", 3, True, [])


def test_the_page_says_it_in_words(working, cli):
    take(working, ONE)
    take(working, TWO)
    working.do(working.engine.do(ReleaseLock(spectask=ID, run=ONE, resource=DB)))
    working.do(working.engine.do(GrantLock(spectask=ID, run=TWO, resource=DB, capacity=None)))
    take(working, ONE)
    said = cli("locks").out
    for words in (
        f"held by {TWO} (task 2), alone, since",
        f"1. {ONE} (task 1) waits",
        "gives up at",
        "taken 2 times, held",
        "waited for once (median 2s, longest 2s)",
        "api:github  shared by 3 at most",
        "An agent waits 10m 00s where it names no time, and 1h 00m at most",
    ):
        assert words in said, said


def test_a_person_takes_a_resource_back_by_naming_both(working, cli):
    take(working, ONE)
    said = cli("locks", "release", DB, "ws-1", "-m", "I need it.")
    assert (said.code, said.err) == (0, "")
    assert "database:test was taken from ws-1: I need it." in said.out
    (resource,) = (each for each in cli("locks", "--json").json["resources"] if each["resource"] == DB)
    assert (resource["holders"], resource["statistics"]["taken_back"]) == ([], 1)
    again = cli("locks", "release", DB, "ws-1")
    assert again.code == 1
    assert again.err == "Nobody holds database:test.\n`specthread locks` shows who holds what.\n"


@pytest.mark.parametrize(
    ("resource", "session", "code", "words"),
    [
        ("printer", "ws-1", 1, "'printer' is no resource. Name it as kind:name"),
        (DB, "ws-9", 1, "There is no run ws-9."),
        (DB, "ws-2", 1, f"{TWO} does not hold {DB}; {ONE} does."),
        ("", "ws-1", 2, ""),
    ],
)
def test_what_cannot_be_taken_back_is_refused_in_a_sentence(working, cli, resource, session, code, words):
    take(working, ONE)
    said = cli("locks", "release", resource, session)
    assert said.code == code
    assert words in " ".join(said.err.split())


def test_a_session_that_has_ended_holds_nothing(working, cli):
    take(working, ONE)
    working.do(working.engine.do(reports.FailRun(spectask=ID, run=ONE, reason="It broke.")))
    assert f"{ONE} has ended and holds nothing any more." in cli("locks", "release", DB, ONE).err


# --- the cache -----------------------------------------------------------------------------------------------------------

KEY = f"read/{'a' * 40}/{'0' * 64}"


def filled(daemon):
    daemon.engine.cache.put(KEY, b"text")
    daemon.engine.cache.get(KEY)
    daemon.engine.cache.get("read/nothing")


def test_the_cache_is_shown_with_how_it_did(daemon, cli):
    filled(daemon)
    said = cli("daemon", "cache")
    assert "2 since the daemon started, 1 of them known (50%), 1 not" in said.out
    assert "of 105 MB" in said.out
    assert cli("daemon", "cache", "--json").json["hits"] == 1


def test_a_copy_is_taken_in_elsewhere_and_what_is_known_is_left(daemon, cli):
    filled(daemon)
    said = cli("daemon", "cache", "export", "copy.bin")
    assert said.out.startswith(f"{Path('copy.bin').absolute()} holds 1 value.")
    assert Path("copy.bin").stat().st_mode & 0o077 == 0
    assert "nothing was written" in cli("daemon", "cache", "export", "copy.bin").err
    assert cli("daemon", "cache", "import", "copy.bin").out.endswith("1 value was known already, too old or too large.\n")
    assert cli("daemon", "cache", "clear", "other/*").out == "0 values are forgotten.\n"
    assert cli("daemon", "cache", "clear").out == "1 value is forgotten.\n"
    taken = cli("daemon", "cache", "import", "copy.bin", "--json").json
    assert (taken["concerned"], taken["entries"]) == (1, 1)
    assert daemon.engine.cache.get(KEY) == b"text"


BAD = {
    "no cache": (b"hello", "it is no exported cache"),
    "empty": (b"", "it is no exported cache"),
    "cut": (lambda good: good[:-1], "it is no exported cache, or not whole"),
    "damaged": (lambda good: good.replace(b"text", b"tex!"), "it is damaged"),
    "newer": (lambda good: good.replace(b"\xa6format\x01", b"\xa6format\x09"), "it was made by a newer Specthread"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_not_as_it_was_exported_is_refused_in_a_sentence(daemon, cli, name):
    filled(daemon)
    cli("daemon", "cache", "export", "good.bin")
    made, words = BAD[name]
    Path("bad.bin").write_bytes(made if isinstance(made, bytes) else made(Path("good.bin").read_bytes()))
    cli("daemon", "cache", "clear")
    said = cli("daemon", "cache", "import", "bad.bin")
    assert said.code == 1
    assert words in " ".join(said.err.split())
    assert daemon.engine.cache.metrics.entries == 0


def test_a_key_that_follows_from_no_content_is_not_trusted_and_no_time_is_endless(daemon, cli):
    from specthread.engine.context_cache import Entry, encoded

    Path("bad.bin").write_bytes(encoded({"read/whatever": Entry(b"do as I say", 9e99)}))
    assert "is no key that follows from content" in cli("daemon", "cache", "import", "bad.bin").err
    for number, until in enumerate((float("inf"), 9e99, float("nan"))):
        Path(f"{number}.bin").write_bytes(encoded({KEY: Entry(b"old", until)}))
        cli("daemon", "cache", "import", f"{number}.bin")
    cache = daemon.engine.cache
    later = cache.clock() + cache.seconds + 60
    cache.clock = lambda: later
    assert cache.get(KEY) is None


@pytest.mark.parametrize("name", ["missing.bin", "folder"])
def test_a_file_that_cannot_be_read_is_told(daemon, cli, name):
    Path("folder").mkdir()
    said = cli("daemon", "cache", "import", name)
    assert said.code in {1, 3}
    assert said.err
