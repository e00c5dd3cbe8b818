"""What a session holds before its first call: all that its task names, or it does not begin; and no time of it passes in a line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace

from immutables import Map

from specthread.agents.backend import RunEnd
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import Oid, SpecTaskId, TaskNumber
from specthread.domain.model import ImplementationTask, PlannedTask
from specthread.domain.names import spectask_of
from specthread.engine.locking import hold_what_it_uses
from specthread.engine.session_time import ended_in_time
from support.lock_world import LockWorld, run
from support.story import START

A, B = run("one-aaaa", 1), run("one-aaaa", 2)


@dataclass
class Loop:
    """The rules of locks behind the ports that a session's effect is given: what is due is carried out at once."""

    world: LockWorld
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def changes(self):
        return SimpleNamespace(wait_change=self._wait_change)

    def visible(self):
        return self.world.state

    async def submit(self, command):
        answer = self.world.give(command)
        self.world.settle()
        self.changed.set()
        return answer

    async def read_events(self, _, since, wanted):
        return tuple(each for each in self.world.log if each.seq > since and getattr(each.event, "run", None) == wanted)

    def spectask(self, spectask):
        return self.world.state.spectasks[spectask]

    def now(self):
        return self.world.now

    async def sleep(self, seconds):
        """Lets so much time pass at once, after everybody else has had their turn."""
        await turns()
        self.world.later(seconds)

    async def _wait_change(self, _, __):
        self.changed.clear()
        await self.changed.wait()


def using(*uses: str) -> Loop:
    """Returns a loop in whose first session works on a task with these resources."""
    world = LockWorld()
    spectask = world.state.spectasks[spectask_of(A)]
    task = PlannedTask(number=TaskNumber("1"), parent=None, title="One", uses=uses)
    tasks = Map({TaskNumber("1"): ImplementationTask(plan=task, state="in_progress", session=A)})
    world.state = replace(world.state, spectasks=world.state.spectasks.set(spectask.id, replace(spectask, tasks=tasks)))
    return Loop(world)


async def hold(loop: Loop) -> bool:
    spectask = loop.visible().spectasks[spectask_of(A)]
    return await hold_what_it_uses(loop, spectask, spectask.sessions[A])


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_gave_way_while_it_waited_asks_again_for_all_that_its_task_names():
    loop = using("database:a", "database:b")
    world = loop.world
    world.ask(B, "database:b")
    world.settle()
    world.work(B, 5)
    holding = asyncio.create_task(hold(loop))
    await turns()
    assert (world.held(A), world.waits(A)) == ({"database:a": "exclusive"}, {"database:b"})
    await loop.submit(reports.RequestLock(spectask=spectask_of(B), run=B, resource="database:a", mode="exclusive"))
    await turns()
    assert set(world.held(B)) == {"database:a", "database:b"}
    for resource in ("database:b", "database:a"):
        await loop.submit(reports.ReleaseLock(spectask=spectask_of(B), run=B, resource=resource))
        await turns()
    async with asyncio.timeout(5):
        assert await holding
    assert set(world.held(A)) == {"database:a", "database:b"}


async def test_more_than_one_session_may_hold_fails_it_with_a_sentence():
    loop = using(*(f"file:f{number}" for number in range(65)))
    assert not await hold(loop)
    session = loop.visible().spectasks[spectask_of(A)].sessions[A]
    assert session.state == "failed"
    assert session.reason == f"{A} holds or waits for 64 resources, which is the most. Release one first."


async def test_one_that_was_stopped_meanwhile_does_not_fail():
    loop = using("database:a")
    spectask = loop.visible().spectasks[spectask_of(A)]
    paused = replace(spectask, sessions=spectask.sessions.set(A, replace(spectask.sessions[A], state="paused")))
    loop.world.state = replace(loop.world.state, spectasks=loop.world.state.spectasks.set(spectask.id, paused))
    assert not await hold(loop)
    assert loop.visible().spectasks[spectask.id].sessions[A].state == "paused"


async def test_the_time_of_a_session_does_not_pass_while_it_stands_in_line():
    loop = using()
    world = loop.world
    started = e.SessionStarted(session=A, task=TaskNumber("1"), attempt=2, role="backend", agent="demo", start=Oid("0"))
    called = e.CallStarted(run=A, call=1, turn=1, reserved_usd=None)
    asks = {"content": [{"kind": "tool_use", "id": "1", "name": "lock", "input": {}}]}
    finished = e.CallFinished(run=A, call=1, turn=1, reply=asks, input_tokens=1, output_tokens=1, cost_usd=None)
    for event in (started, called, finished):
        world.record(SpecTaskId(spectask_of(A)), event)
    world.ask(B, "database:a")
    world.settle()
    world.later(20)
    session = loop.spectask(spectask_of(A)).sessions[A]

    async def works() -> RunEnd:
        await loop.submit(reports.RequestLock(spectask=spectask_of(A), run=A, resource="database:a", mode="exclusive"))
        await turns(5)
        world.later(3600)
        await loop.submit(reports.ReleaseLock(spectask=spectask_of(B), run=B, resource="database:a"))
        return RunEnd(kind="finished")

    async def hangs() -> RunEnd:
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(5):
        assert (await ended_in_time(loop, session, 60.0, works())).kind == "finished"
        assert (loop.spectask(spectask_of(A)).sessions[A].worked, loop.now() - START) == (20.0, timedelta(seconds=3620))
        over = await ended_in_time(loop, session, 60.0, hangs())
    assert (over.kind, over.reason.partition(";")[0]) == ("limit", "its time is over: it may take 60 seconds and was not done")
    assert loop.now() - START == timedelta(seconds=3660)


@dataclass
class Sleepy(Loop):
    """A loop whose machine sleeps for hours, the first time that somebody waits for the clock: after an agent has waited, and acts again."""

    slept: float = 9 * 3600.0

    async def submit(self, command):
        if self.slept and self.world.now - START > timedelta(seconds=60):
            self.world.give(reports.NoteClockJump(spectask=command.spectask, seconds=self.slept))
            self.slept = 0.0
        return await super().submit(command)

    async def sleep(self, seconds):
        if not self.slept:
            await super().sleep(seconds)
            return
        self.world.later(10)
        await self.submit(reports.LoseCall(spectask=spectask_of(A), run=A, call=1, turn=1, reason="overloaded"))
        self.world.later(40)
        await self.submit(reports.StartCall(spectask=spectask_of(A), run=A, turn=1, reserve_usd=None))
        self.world.later(seconds - 50 + self.slept)


async def test_a_machine_that_slept_costs_a_session_none_of_its_time():
    loop = Sleepy(using().world)
    await loop.submit(reports.StartCall(spectask=spectask_of(A), run=A, turn=1, reserve_usd=None))
    session = loop.spectask(spectask_of(A)).sessions[A]

    async def hangs() -> RunEnd:
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(5):
        over = await ended_in_time(loop, session, 60.0, hangs())
    assert (over.kind, loop.now() - START) == ("limit", timedelta(seconds=60 + 40, hours=9))
