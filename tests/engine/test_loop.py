import asyncio
import math
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from specthread.agents.retry import EFFECT
from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.events import CallFinished, ClockJumped
from specthread.domain.model import DAEMON, Limits, Refusal
from specthread.engine.effects import Effects
from specthread.engine.log import EventLog, StoreError
from specthread.engine.loop import Accepted, Loop
from specthread.engine.ports import StoreUnavailable, to_its_end
from support.engine_world import ADA
from support.situation import approved, working
from support.story import ID, finish


def create(name):
    return c.CreateSpecTask(spectask=name, prompt="Do it", repository="/r", base="0" * 40, target="main", agent="messages", limits=Limits())


def submission(name, key=""):
    return c.Submission(command=create(name), actor=ADA, key=key)


class FragileLog(EventLog):
    fault: Exception | None = None
    faults = math.inf
    """How many times it is at fault before it works again."""

    async def append(self, rows, answered=()):
        if self._is_at_fault() and self.fault:
            raise self.fault
        await super().append(rows, answered)

    async def reopen(self):
        if self._is_at_fault():
            raise StoreError("still broken")
        await super().reopen()

    def _is_at_fault(self):
        self.faults -= 1
        return bool(self.fault) and self.faults >= 0


@asynccontextmanager
async def served(path):
    log = FragileLog.open(path, host="test")
    loop = Loop(log, host="test", now=lambda: datetime.now(UTC), published=lambda _: None)
    loop.replay()
    task = asyncio.create_task(loop.run())
    try:
        yield loop
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await log.close()


@pytest.fixture
async def loop(tmp_path):
    async with served(tmp_path / "events.db") as loop:
        yield loop


async def test_a_command_is_durable_before_it_is_answered(loop):
    answer = await loop.submit(submission("one-aaaa"))
    assert isinstance(answer, Accepted)
    assert [envelope.seq for envelope in await loop._log.read()] == [envelope.seq for envelope in answer.envelopes]
    assert loop.visible is loop.head


async def test_one_key_sent_twice_at_once_makes_one_thing(loop):
    first, second = await asyncio.gather(loop.submit(submission("one-aaaa", "k")), loop.submit(submission("two-bbbb", "k")))
    assert first == second
    assert list(loop.visible.spectasks) == ["one-aaaa"]


async def test_a_key_whose_answer_was_lost_with_the_daemon_makes_nothing_when_it_is_sent_to_the_next(tmp_path):
    async with served(tmp_path / "events.db") as loop:
        first = await loop.submit(submission("one-aaaa", "k"))
    async with served(tmp_path / "events.db") as loop:
        assert await loop.submit(submission("two-bbbb", "k")) == first
        assert list(loop.visible.spectasks) == ["one-aaaa"]
        assert isinstance(await loop.submit(submission("two-bbbb", "another")), Accepted)


def pausing(name, key):
    return c.Submission(command=c.PauseSpecTask(spectask=name), actor=ADA, key=key)


async def test_one_key_for_two_spectasks_is_two_requests_also_for_the_next_daemon(tmp_path):
    async with served(tmp_path / "events.db") as loop:
        for name in ("one-aaaa", "two-bbbb"):
            await loop.submit(submission(name))
        first, other = await asyncio.gather(*(loop.submit(pausing(name, "k")) for name in ("one-aaaa", "two-bbbb")))
        assert [each.envelopes[0].spectask for each in (first, other)] == ["one-aaaa", "two-bbbb"]
    async with served(tmp_path / "events.db") as loop:
        assert [await loop.submit(pausing(name, "k")) for name in ("one-aaaa", "two-bbbb")] == [first, other]


async def test_keys_that_an_older_specthread_stored_answer_for_their_own_spectask_alone(tmp_path):
    async with served(tmp_path / "events.db") as loop:
        made = await loop.submit(submission("one-aaaa", "k"))
        await loop.submit(submission("two-bbbb"))
        first = await loop.submit(pausing("one-aaaa", "k"))
    with sqlite3.connect(tmp_path / "events.db") as database:
        rows = database.execute("SELECT command, key, first, last FROM answered").fetchall()
        database.execute("DROP TABLE answered")
        database.execute("CREATE TABLE answered (command TEXT, key TEXT, first BIGINT, last BIGINT, PRIMARY KEY (command, key))")
        database.executemany("INSERT INTO answered VALUES (?, ?, ?, ?)", rows)
    database.close()
    for _ in range(2):  # as it was stored, and as the first new key stores it anew
        async with served(tmp_path / "events.db") as loop:
            assert (await loop.submit(submission("six-dddd", "k")), await loop.submit(pausing("one-aaaa", "k"))) == (made, first)
            other = await loop.submit(pausing("two-bbbb", "k"))
            assert {envelope.spectask for envelope in other.envelopes} == {"two-bbbb"}


async def test_a_key_whose_stored_place_holds_no_event_is_one_that_was_never_sent(tmp_path):
    async with served(tmp_path / "events.db") as loop:
        await loop.submit(submission("one-aaaa"))
        await loop.submit(pausing("one-aaaa", "k"))
    with sqlite3.connect(tmp_path / "events.db") as database:
        database.execute("UPDATE answered SET first = 900, last = 900")
    database.close()
    async with served(tmp_path / "events.db") as loop:
        said = await loop.submit(pausing("one-aaaa", "k"))
        assert isinstance(said, Refusal)
        assert "paused already" in said.message


async def test_a_key_whose_events_could_not_be_stored_is_forgotten_with_them(tmp_path):
    async with served(tmp_path / "events.db") as loop:
        await loop.submit(submission("one-aaaa", "k"))
        loop._log.fault = StoreError("The disk is full.")
        assert isinstance(await loop.submit(submission("two-bbbb", "other")), Refusal)
        loop._log.fault = None
        assert isinstance(await loop.submit(submission("three-cccc", "other")), Accepted)
    async with served(tmp_path / "events.db") as loop:
        answer = await loop.submit(submission("four-dddd", "other"))
        assert {envelope.spectask for envelope in answer.envelopes} == {"three-cccc"}


async def test_a_refused_key_may_be_tried_again(loop):
    loop._log.fault = StoreError("the disk is full")
    refused = await loop.submit(submission("one-aaaa", "k"))
    assert isinstance(refused, Refusal)
    loop._log.fault = None
    assert isinstance(await loop.submit(submission("one-aaaa", "k")), Accepted)


@pytest.mark.parametrize("fault", [StoreError("full"), TypeError("a bug")])
async def test_a_batch_that_cannot_be_stored_never_happened_and_the_writer_goes_on(loop, fault):
    before = loop.visible
    loop._log.fault = fault
    answers = await asyncio.gather(*(loop.submit(submission(f"spec-{n:04}")) for n in range(5)))
    assert {answer.code for answer in answers} == {"store-unavailable"}
    assert loop.head is loop.visible is before
    loop._log.fault = None
    assert isinstance(await loop.submit(submission("one-aaaa")), Accepted)


async def test_what_could_not_begin_on_a_full_disk_begins_when_there_is_room_though_nobody_asks(tmp_path, monkeypatch):
    monkeypatch.setattr("specthread.engine.loop.RETRY_SECONDS", 0.0)
    given = approved()
    given.start()
    begun = asyncio.Event()
    log = FragileLog.open(tmp_path / "events.db", host="test")
    await log.append([replace(envelope, instance=log.instance) for envelope in given.log])
    loop = Loop(log, host="test", now=lambda: datetime.now(UTC), published=lambda _: begun.set())
    loop.replay()
    log.fault, log.faults = StoreError("the disk is full"), 2
    task = asyncio.create_task(loop.run())
    loop.begin_scheduling()
    await begun.wait()
    assert {session.task for session in loop.visible.spectasks[ID].sessions.values()} == {"1", "2"}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await log.close()


async def test_a_listener_that_breaks_costs_nobody_an_answer(loop):
    def broken(_):
        raise RuntimeError("a bug in a listener")

    loop._published = broken
    assert isinstance(await loop.submit(submission("one-aaaa")), Accepted)
    assert isinstance(await loop.submit(submission("two-bbbb")), Accepted)


async def test_an_effect_waits_before_it_tries_again_also_when_nothing_can_be_reported(loop):
    await loop.submit(submission("one-aaaa"))
    tries, waits = [], []
    enough = asyncio.Event()

    async def perform(effect):
        tries.append(effect)
        raise OSError("no space left")

    async def sleep(seconds):
        waits.append(seconds)
        if len(waits) >= 9:
            enough.set()
            await asyncio.get_running_loop().create_future()

    async def report(_):
        raise StoreUnavailable("read-only")

    kinds = {type(effect): perform for effect in _wanted(loop)}
    effects = Effects(
        perform=kinds, give_back={}, retry=EFFECT, visible=lambda: loop.visible, report=report, report_nowait=lambda _: None, sleep=sleep
    )
    effects.reconcile("one-aaaa")
    await asyncio.wait_for(enough.wait(), 10)
    await effects.stop()
    assert len(tries) == len(waits)
    assert max(waits) > min(waits)


def _wanted(loop):
    from specthread.domain.react import wanted

    return wanted(loop.visible.spectasks["one-aaaa"])


async def test_work_that_must_not_stop_half_way_survives_being_cancelled_again_and_again():
    gate, done = asyncio.Event(), []

    async def work():
        await gate.wait()
        done.append(True)

    task = asyncio.create_task(to_its_end(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done


async def test_hours_in_which_the_machine_was_suspended_are_noted_before_what_came_after_them(tmp_path):
    given = working()
    log = FragileLog.open(tmp_path / "events.db", host="test")
    await log.append([replace(envelope, instance=log.instance) for envelope in given.log])
    clock = SimpleNamespace(now=given.now, awake=0.0)
    loop = Loop(log, host="test", now=lambda: clock.now, awake=lambda: clock.awake, published=lambda _: None)
    loop.replay()
    task = asyncio.create_task(loop.run())

    def passes(seconds, *, slept=0.0):
        clock.now += timedelta(seconds=seconds + slept)
        clock.awake += seconds

    async def gives(command):
        assert isinstance(await loop.submit(c.Submission(command=command, actor=DAEMON)), Accepted)

    run = given.session().id
    before = given.session().worked
    await gives(reports.StartCall(spectask=ID, run=run, turn=2, reserve_usd=None))
    passes(20)
    await gives(finish(run, 2, 2))
    await gives(reports.StartCall(spectask=ID, run=run, turn=3, reserve_usd=None))
    passes(20, slept=9 * 3600)
    log.fault = StoreError("the disk is full")
    assert (await loop.submit(c.Submission(command=finish(run, 3, 3), actor=DAEMON))).code == "store-unavailable"
    log.fault = None
    await gives(finish(run, 3, 3))
    assert loop.visible.spectasks[ID].sessions[run].worked == before + 40
    assert [type(each.event) for each in log.read_all()][-2:] == [ClockJumped, CallFinished]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await log.close()
