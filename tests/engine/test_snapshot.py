from __future__ import annotations

import asyncio
import errno
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from immutables import Map

from specthread.domain import events as e
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.locks import Lock, ResourceKey
from specthread.domain.model import Actor, SpecTask, State
from specthread.domain.state import apply
from specthread.engine import snapshot
from specthread.engine.log import EventLog
from specthread.engine.replaying import replayed
from specthread.engine.snapshot import decode_state, encode_state, keep_snapshot, latest_state, snapshot_path
from specthread.engine.upkeep import Snapshots
from support import snapshot_writer
from support.event_strategy import values_of
from support.situation import GIVEN
from support.story import Story

TESTS = Path(__file__).parents[1]
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def again(state: State) -> State:
    return decode_state(list(encode_state(state)), state.sequence)


def told(story: Story) -> State:
    state = State()
    for envelope in story.log:
        state = apply(state, envelope)
    return state


@pytest.fixture
async def log(tmp_path: Path):
    log = EventLog.open(tmp_path / "events.db", host="box")
    yield log
    if log.broken != "The event log is closed.":
        await log.close()


@MANY
@given(values_of(SpecTask), st.integers(0, 2**40))
def test_any_state_comes_back_as_it_was(spectask: SpecTask, sequence: int):
    state = State(sequence=sequence, spectasks=Map({spectask.id: spectask}))
    assert again(state) == state


@pytest.mark.parametrize("name", GIVEN)
def test_every_situation_comes_back_as_it_was(name: str):
    state = told(GIVEN[name]())
    assert again(state) == state


@MANY
@given(st.dictionaries(st.tuples(st.text(max_size=9), st.text(max_size=9)), values_of(Lock), max_size=4))
def test_locks_come_back_as_they_were(locks: dict[ResourceKey, Lock]):
    state = State(sequence=7, locks=Map(locks))
    assert again(state) == state


async def test_who_holds_and_waits_for_what_survives_a_start_from_a_snapshot(log: EventLog):
    story, other = GIVEN["working"](), RunId("add-json-7k3f/ws-2")
    holder = next(iter(story.spectask.sessions))
    for event in (
        e.LockRequested(run=holder, resource="database:test", mode="exclusive"),
        e.LockGranted(run=holder, resource="database:test", mode="exclusive"),
        e.LockRequested(run=other, resource="database:test", mode="shared", seconds=60.0),
    ):
        story.record(event)
    await log.append(story.log)
    keep_snapshot(log, told(story))
    state, known = replayed(log)
    assert (state, known) == (told(story), story.log[-1].seq)
    (lock,) = state.locks.values()
    assert ([held.run for held in lock.held], [waiting.run for waiting in lock.waiting]) == ([holder], [other])


def test_a_name_that_is_not_unicode_comes_back():
    (spectask,) = told(GIVEN["done"]()).spectasks.values()
    odd = replace(spectask, owner=Actor(kind="human", name="J\udcf6rg"), prompt="half a pair \ud83d", sent_back=Map({"design": b"\xff\n"}))
    state = State(sequence=9, spectasks=Map({spectask.id: odd, SpecTaskId("b"): replace(spectask, id=SpecTaskId("b"))}))
    assert again(state) == state


def test_a_text_that_documents_approvals_and_versions_share_is_held_once():
    (spectask,) = again(told(GIVEN["done"]())).spectasks.values()
    assert spectask.versions[-1].contents["design"] is spectask.approvals["design"].content is spectask.documents["design"].content


@pytest.mark.parametrize("name", GIVEN)
async def test_a_snapshot_and_the_events_after_it_give_the_state_that_the_whole_log_gives(log: EventLog, name: str):
    story = GIVEN[name]()
    await log.append(story.log)
    whole = told(story)
    assert replayed(log) == (whole, 0)
    state = State()
    for envelope in story.log:
        state = apply(state, envelope)
        keep_snapshot(log, state)
        assert replayed(log) == (whole, envelope.seq)


async def test_a_start_reads_only_what_came_after_the_snapshot(log: EventLog):
    story = GIVEN["done"]()
    await log.append(story.log)
    keep_snapshot(log, told(story))
    log._connection.exec_driver_sql("UPDATE events SET payload = 'nobody reads this' WHERE seq < 10")
    log._connection.commit()
    assert replayed(log)[0] == told(story)


# --- what does not count --------------------------------------------------------------------------------------------------


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)


BAD = {
    "damaged": (spoil, "it is damaged"),
    "cut": (lambda path: os.truncate(path, path.stat().st_size // 2), "it is damaged"),
    "empty": (lambda path: path.write_bytes(b""), "it is damaged"),
    "no snapshot": (lambda path: path.write_bytes(b'{"a": 1}\nb'), "it is damaged"),
    "nested without end": (lambda path: path.write_bytes(b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}\nb"), "it is damaged"),
    "before all events": (lambda path: changed(path, sequence=-(2**70)), "it knows -"),
    "of another log": (lambda path: changed(path, instance="other"), "it is of another log"),
    "by other code": (lambda path: changed(path, code="0" * 64), "another Specthread made it"),
    "newer": (lambda path: changed(path, sequence=10_000), "it knows 10000 events"),
    "of another event": (lambda path: changed(path, tip="0" * 64), "is another one in the log"),
}


def changed(path: Path, **changes: object) -> None:
    import msgspec

    head, _, body = path.read_bytes().partition(b"\n")
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(head) | changes) + b"\n" + body)


@pytest.mark.parametrize("name", BAD)
async def test_a_snapshot_that_does_not_count_is_set_aside_and_costs_only_time(log: EventLog, name: str, capsys):
    story = GIVEN["working"]()
    await log.append(story.log)
    keep_snapshot(log, told(story))
    harm, reason = BAD[name]
    harm(snapshot_path(log.path))
    assert replayed(log) == (told(story), 0)
    assert reason in capsys.readouterr().out
    assert not snapshot_path(log.path).exists()
    assert snapshot_path(log.path).with_name("events.db.snapshot.aside").exists()
    keep_snapshot(log, told(story))
    assert replayed(log) == (told(story), story.log[-1].seq)


def test_the_code_that_folds_is_known_by_its_text(tmp_path: Path, monkeypatch):
    here = snapshot.folding_code()
    assert here == snapshot.folding_code.__wrapped__()
    (tmp_path / "state.py").write_text("changed")
    monkeypatch.setattr(snapshot, "files", lambda _: tmp_path)
    assert snapshot.folding_code.__wrapped__() != here


def test_killing_the_daemon_while_it_writes_a_snapshot_costs_nothing(tmp_path: Path):
    path = tmp_path / "events.db"
    story = GIVEN["working"]()

    async def begin() -> None:
        log = EventLog.open(path, host="box")
        await log.append(story.log)
        await log.close()

    asyncio.run(begin())
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    pick = random.Random(5)
    for _ in range(3):
        with subprocess.Popen([sys.executable, snapshot_writer.__file__, str(path)], stdout=subprocess.PIPE, env=environment) as child:
            for _ in range(pick.randint(1, 15)):
                child.stdout.readline()
            os.kill(child.pid, signal.SIGKILL)

        async def look() -> None:
            log = EventLog.open(path, host="box")
            try:
                assert latest_state(log).sequence >= log.last_seq - 1
                state, known = replayed(log)
                whole = State()
                for envelope in log.read_all():
                    whole = apply(whole, envelope)
                assert (state, known > 0) == (whole, True)
            finally:
                await log.close()

        asyncio.run(look())


# --- when one is kept -------------------------------------------------------------------------------------------------------


async def test_a_snapshot_is_kept_each_time_enough_has_happened(log: EventLog):
    story = GIVEN["done"]()
    await log.append(story.log)
    visible = State()
    keeper = Snapshots(log, lambda: visible, every=10)
    running = asyncio.create_task(keeper.run())
    for envelope in story.log[:25]:
        visible = apply(visible, envelope)
        keeper.look()
        while envelope.seq in {10, 20} and latest_state(log).sequence != envelope.seq:  # noqa: ASYNC110  the thread that writes says nothing
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert latest_state(log).sequence == 20


async def test_a_snapshot_that_cannot_be_kept_is_told_and_the_next_one_is(log: EventLog, capsys):
    story = GIVEN["done"]()
    await log.append(story.log)
    states = [State()]
    keeper = Snapshots(log, lambda: states[-1])
    in_the_way = snapshot_path(log.path).with_name("events.db.snapshot.new")
    in_the_way.mkdir()
    for envelope in story.log[:2]:
        states.append(apply(states[-1], envelope))
        await keeper.keep()
        in_the_way.rmdir() if in_the_way.exists() else None
    assert "no snapshot could be kept; the next start takes longer" in capsys.readouterr().out
    assert latest_state(log) == states[-1]


async def test_a_snapshot_that_does_not_fit_on_the_disk_leaves_nothing_there(log: EventLog, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            keep_snapshot(log, State())
    assert not list(log.path.parent.glob("*.snapshot*"))
