from __future__ import annotations

import itertools
import random
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.model import Refusal
from specthread.domain.names import spectask_of
from specthread.domain.state import apply
from specthread.plan.capacity import Capacity
from specthread.plan.locks import blockers, due, queue, stuck
from specthread.plan.schedule import ready
from support.lock_world import LockWorld, refused, run

A, B, C, D = run("one-aaaa", 1), run("one-aaaa", 2), run("two-bbbb", 1), run("two-bbbb", 2)
DB, API = "database:test", "api:github"
CAPACITY = Capacity(resources={API: 2, "custom:gpu": 1})
FEW = replace(CAPACITY, sessions=2, roles={"tester": 1})
"""So few places that all may be taken by those who stand in line."""


def test_of_two_that_wait_for_each_other_the_one_with_less_work_gives_way_at_once():
    world = LockWorld()
    world.ask(A, DB)
    world.ask(C, API)
    world.settle()
    world.work(A, 2)
    world.work(C, 5)
    world.ask(A, API)
    assert refused(world.settle()) == []
    world.ask(C, DB)
    assert refused(world.settle()) == [(A, "deadlock")]
    assert world.held(C) == {DB: "exclusive", API: "exclusive"}
    assert world.held(A) == {}
    assert world.log[-2].event.lost == (DB,)


def test_where_both_lose_the_same_the_one_that_asked_last_gives_way():
    world = LockWorld()
    world.ask(A, DB)
    world.ask(C, API)
    world.settle()
    world.ask(A, API)
    world.ask(C, DB)
    assert refused(world.settle()) == [(C, "deadlock")]


def test_two_that_share_and_both_want_it_alone_are_a_circle_too():
    world = LockWorld()
    world.ask(A, DB, "shared")
    world.ask(C, DB, "shared")
    world.settle()
    world.ask(A, DB, "exclusive")
    world.ask(C, DB, "exclusive")
    assert refused(world.settle()) == [(C, "deadlock")]
    assert world.held(A) == {DB: "exclusive"}


def test_a_circle_through_a_place_in_a_line_is_found():
    world = LockWorld()
    world.ask(A, DB, "shared")
    world.ask(B, API)
    world.settle()
    world.ask(C, DB, "exclusive")
    world.ask(B, DB, "shared")
    world.ask(A, API)
    assert refused(world.settle()) != []
    for _ in range(10):
        for each in (A, B, C):
            for resource in list(world.held(each)):
                world.release(each, resource)
        world.settle()
    assert not any(world.waits(each) for each in (A, B, C))


def test_a_circle_through_the_last_place_is_opened_and_everybody_ends():
    world = LockWorld(sessions=1, capacity=FEW)
    world.ask("two-bbbb/ws-1", API)
    world.settle()
    for parent in ("two-bbbb/ws-1", "three-cccc/ws-1"):
        world.rest(parent, world.spawn(parent, "backend"))
    for command in ready(world.state, FEW, world.now):
        world.give(command)
    world.ask("one-aaaa/ws-1", API, "shared")
    world.ask("three-cccc/ws-2", API, "shared")
    assert refused(world.settle()) == [("two-bbbb/ws-1", "deadlock")]
    assert world.everybody_can_end()


def test_who_waits_longer_comes_before_who_is_more_important_in_the_end():
    world = LockWorld()
    world.ask(A, DB)
    world.settle()
    world.ask(B, DB, priority=0)
    world.later(90)
    world.ask(C, DB, priority=1)
    world.ask(D, DB, priority=3)
    (lock,) = world.state.locks.values()
    assert [waiting.run for waiting in queue(lock, world.now)] == [D, B, C]
    world.later(3600)
    assert queue(lock, world.now)[0].run == D
    assert blockers(world.state.locks, C) == {DB: (A,)}


def test_an_important_stream_starves_nobody():
    world = LockWorld(sessions=6)
    patient = world.runs[0]
    others = itertools.cycle(world.runs[1:])
    holder = next(others)
    world.ask(holder, DB, priority=5)
    world.settle()
    world.ask(patient, DB, priority=0)
    for _ in range(10_000):
        world.ask(next(others), DB, priority=5)
        world.later(1)
        world.release(holder, DB)
        world.settle()
        if world.held(patient):
            break
        holder = next(each for each in world.runs if world.held(each))
    assert world.held(patient)


def test_whatever_they_ask_for_everybody_gets_an_answer_in_the_end_and_the_log_tells_the_same():
    chance, longest = random.Random(7), 0
    world = LockWorld(sessions=3, capacity=CAPACITY)
    first, waiting = world.state, {}
    for step in range(10_000):
        who = chance.choice(world.runs)
        held = sorted(world.held(who))
        if not world.waits(who) and held and chance.random() < 0.6:
            world.release(who, chance.choice(held))
        elif not world.waits(who):
            mode = chance.choice(["shared", "exclusive"])
            world.ask(who, chance.choice([DB, API, "file:a.py", "custom:gpu"]), mode, priority=chance.randrange(6))
        world.later(1)
        world.settle()
        still = {(waits.run, waits.seq) for lock in world.state.locks.values() for waits in lock.waiting}
        waiting = {each: waiting.get(each, step) for each in still}
        longest = max(longest, max((step - since for since in waiting.values()), default=0))
    assert sum(lock.statistics.deadlocks for lock in world.state.locks.values()) > 50
    assert sum(lock.statistics.grants for lock in world.state.locks.values()) > 1_000
    assert longest < 1_000
    for envelope in world.log:
        first = apply(first, envelope)
    assert first == world.state


MODES = st.sampled_from(["shared", "exclusive"])
RESOURCES = st.sampled_from([DB, API, "file:a.py", "custom:gpu"])


class Locking(RuleBasedStateMachine):
    """Runs ask for resources, work, release, wait too long and end, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = LockWorld(sessions=1, capacity=FEW)
        self.world.plan(A, DB)
        self.world.plan(C, "custom:gpu")
        self.first = self.world.state

    def someone(self, data):
        spawned = [each.id for each in self.world.alive() if each.parent]
        return data.draw(st.sampled_from([*self.world.runs, *spawned]))

    @rule(data=st.data(), resource=RESOURCES, mode=MODES, priority=st.integers(0, 3))
    def ask(self, data, resource, mode, priority):
        self.world.ask(self.someone(data), resource, mode, priority)
        self.settle()

    @rule(data=st.data(), turns=st.integers(1, 5), seconds=st.integers(-50, 100))
    def work(self, data, turns, seconds):
        self.world.later(seconds)
        who = self.someone(data)
        self.world.record(
            spectask_of(who), e.CallFinished(run=who, call=1, turn=turns, reply={}, input_tokens=0, output_tokens=0, cost_usd=None)
        )

    @rule(data=st.data())
    def release(self, data):
        who = self.someone(data)
        for resource in sorted(self.world.held(who))[:1]:
            self.world.release(who, resource)
        self.settle()

    @rule(data=st.data())
    def wait_too_long(self, data):
        who = self.someone(data)
        for resource in sorted(self.world.waits(who))[:1]:
            self.world.give(reports.RefuseLock(spectask=spectask_of(who), run=who, resource=resource, cause="timeout"))
        self.settle()

    @rule(data=st.data())
    def rest_for_later_ones(self, data):
        who = self.someone(data)
        sessions = self.world.state.spectasks[spectask_of(who)].sessions
        later = [each.id for each in sessions.values() if each.number > sessions[who].number and each.ended is None]
        if later and data.draw(st.booleans()):
            later = later[-1:]
        if later and sessions[who].state == "running" and not self.world.waits(who):
            self.world.rest(who, *later)
            self.settle()

    @rule(data=st.data(), role=st.sampled_from(["backend", "tester"]))
    def spawn(self, data, role):
        who = self.someone(data)
        sessions = self.world.state.spectasks[spectask_of(who)].sessions
        if sessions[who].state == "running" and not self.world.waits(who) and len(sessions) < 6:
            self.world.rest(who, self.world.spawn(who, role))
            self.settle()

    @rule(data=st.data())
    def be_stopped_for_a_while(self, data):
        who = self.someone(data)
        session = self.world.state.spectasks[spectask_of(who)].sessions[who]
        if session.ended is None and session.state not in {"paused", "pending"}:
            self.world.record(spectask_of(who), e.RunPaused(run=who))
        elif session.state == "paused":
            self.world.record(spectask_of(who), e.PlaceAwaited(run=who))
        self.settle()

    @rule(data=st.data())
    def go_on(self, data):
        who = self.someone(data)
        if self.world.state.spectasks[spectask_of(who)].sessions[who].state == "waiting":
            self.world.record(spectask_of(who), e.PlaceAwaited(run=who))
            self.settle()

    @rule(resources=st.lists(RESOURCES, min_size=1, max_size=2, unique=True))
    def wait_long(self, resources):
        self.world.keep("two-bbbb", *resources)
        self.settle()

    @rule()
    def begin_at_last(self):
        self.world.kept = {}
        self.settle()

    @rule()
    def get_places(self):
        for command in ready(self.world.state, FEW, self.world.now):
            assert not isinstance(self.world.give(command), Refusal)
        self.settle()

    @precondition(lambda self: self.world.state.sequence > 30)
    @rule(data=st.data())
    def end(self, data):
        who = self.someone(data)
        self.world.record(spectask_of(who), e.RunCancelled(run=who))
        self.settle()
        assert not self.world.held(who)

    def settle(self):
        for command in due(self.world.state, FEW, self.world.now, self.world.kept):
            self.world.give(command)
        self.somebody_can_always_go_on()  # one look finds every circle and breaks it
        assert self.world.everybody_can_end()
        self.world.settle()
        assert due(self.world.state, FEW, self.world.now, self.world.kept) == ()

    @invariant()
    def nobody_holds_what_another_holds_alone(self):
        for (_, name), lock in self.world.state.locks.items():
            modes = [held.mode for held in lock.held]
            assert len({held.run for held in lock.held}) == len(modes)
            assert modes in ([], ["exclusive"]) or set(modes) == {"shared"}
            assert len(modes) <= FEW.resources.get(name, len(modes))

    @invariant()
    def somebody_can_always_go_on(self):
        assert stuck(self.world.state, FEW, self.world.now) == {}

    @invariant()
    def the_log_tells_the_same(self):
        state = self.first
        for envelope in self.world.log:
            state = apply(state, envelope)
        assert state.locks == self.world.state.locks


Locking.TestCase.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
TestLocking = Locking.TestCase


def test_a_lock_that_is_gone_meanwhile_is_not_granted_twice():
    world = LockWorld()
    world.ask(A, DB)
    (grant,) = due(world.state, world.capacity, world.now)
    world.give(grant)
    assert world.give(grant) == ()
    world.ask(C, DB)
    stale = reports.GrantLock(spectask=spectask_of(C), run=C, resource=DB, capacity=None)
    assert isinstance(world.give(stale), Refusal)


def test_of_several_that_share_up_to_a_capacity_any_one_may_make_room():
    world = LockWorld(capacity=Capacity(resources={API: 2}))
    world.ask(A, API, "shared")
    world.ask(B, API, "shared")
    world.settle()
    world.ask(C, DB)
    world.settle()
    world.ask(C, API, "shared")
    world.ask(A, DB)
    assert world.settle() == []
    world.ask(B, DB)
    assert refused(world.settle()) != []


def test_grants_come_in_the_order_of_the_names_in_every_process():
    world = LockWorld(sessions=6)
    for number, each in enumerate(world.runs[:12]):
        world.ask(each, f"custom:{11 - number:02}")
    names = [command.resource for command in due(world.state, world.capacity, world.now)]
    assert names == sorted(names)
