"""Circles of waits that no line of a resource shows alone: who rests for others, or has no place, may hold what those wait for who go on before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specthread.domain import events as e
from specthread.domain.names import spectask_of
from specthread.domain.provider import ProviderState
from specthread.engine.provider_limits import capacity_left
from specthread.plan.capacity import Capacity
from specthread.plan.locks import due
from support.lock_world import LockWorld, refused, run

A, B, C, D = run("one-aaaa", 1), run("one-aaaa", 2), run("two-bbbb", 1), run("two-bbbb", 2)
FAR = run("three-cccc", 1)
DB, API = "database:test", "api:github"


def test_who_rests_for_somebody_that_waits_for_what_it_holds_gives_way_and_is_told():
    world = LockWorld()
    world.ask(A, DB)
    world.settle()
    world.ask(B, DB)
    assert world.settle() == []
    world.rest(A, B)
    refusal, told, granted = world.settle()
    assert refusal == e.LockRefused(run=A, resource=DB, cause="deadlock", lost=(DB,))
    assert isinstance(told, e.MessageSent)
    assert "You no longer hold" in told.text
    assert granted == e.LockGranted(run=B, resource=DB, mode="exclusive")
    assert world.statistics(DB).victims == (A,)


def test_who_asked_somebody_that_waits_for_what_it_holds_gives_way():
    world = LockWorld()
    world.ask(A, DB)
    world.settle()
    world.ask(B, DB)
    world.record(spectask_of(A), e.CoordinationSent(number=1, kind="question", sender=A, receivers=(B,), text="Where?"))
    world.record(spectask_of(A), e.SessionsAwaited(run=A, sessions=(), questions=(1,), call="call"))
    assert refused(world.settle()) == [(A, "deadlock")]
    assert world.held(B) == {DB: "exclusive"}


def test_who_rests_for_a_session_without_a_place_gives_way_where_those_with_one_wait_for_it():
    world = LockWorld(sessions=2)
    spectask = world.state.spectasks["one-aaaa"]
    limited = replace(spectask, limits=replace(spectask.limits, max_parallel=1))
    world.state = replace(world.state, spectasks=world.state.spectasks.set(spectask.id, limited))
    world.ask(A, DB)
    world.settle()
    world.ask(B, DB)
    world.rest(A, world.spawn(A))
    assert refused(world.settle()) == [(A, "deadlock")]


def test_who_rests_keeps_what_it_holds_while_those_it_rests_for_can_go_on():
    world = LockWorld()
    world.ask(A, DB)
    world.settle()
    world.ask(C, DB)
    world.rest(A, B)
    assert world.settle() == []


LIMITS = [Capacity(sessions=2), Capacity(roles={"backend": 2}), Capacity(agents={"demo": 2})]


@pytest.mark.parametrize("capacity", LIMITS)
def test_who_rests_for_a_session_without_a_place_gives_way_where_all_that_have_one_in_the_whole_daemon_wait_for_it(capacity):
    world = LockWorld(sessions=1, capacity=capacity)
    world.ask(A, DB)
    world.settle()
    world.ask(A, API)
    world.settle()
    world.ask(C, DB)
    world.rest(A, world.spawn(A, role="backend"))
    # One of those at work can go on, and then the session that waits for a place can, too.
    assert world.settle() == []
    world.ask(FAR, API)
    assert refused(world.settle()) == [(A, "deadlock")]
    assert world.held(C) == {DB: "exclusive"}
    assert world.held(FAR) == {API: "exclusive"}


def test_a_limit_that_is_not_reached_keeps_nobody_waiting():
    world = LockWorld(sessions=1, capacity=Capacity(sessions=3, roles={"tester": 1}, agents={"demo": 0}))
    world.ask(A, DB)
    world.settle()
    world.ask(C, DB)
    world.rest(A, world.spawn(A, role="backend"))
    assert world.settle() == []


def test_who_comes_back_without_what_its_task_uses_needs_that_as_much_as_a_place():
    world = LockWorld(sessions=1)
    world.plan(A, DB)
    world.ask(A, API)
    world.ask(C, DB)
    world.settle()
    world.ask(C, API)
    world.work(C, 3)
    assert world.settle() == []
    world.record("one-aaaa", e.RunPaused(run=A))
    assert world.settle() == []  # a person may let it go on, some day
    world.record("one-aaaa", e.PlaceAwaited(run=A))
    assert refused(world.settle()) == [(A, "deadlock")]
    assert world.held(C) == {DB: "exclusive", API: "exclusive"}


def test_what_somebody_rests_for_and_must_have_what_it_holds_is_given_up_without_anybody_in_line():
    world = LockWorld(sessions=2)
    world.plan(B, DB)
    world.ask(A, DB)
    world.settle()
    world.record("one-aaaa", e.RunPaused(run=B))
    world.rest(A, B)
    assert world.settle() == []
    world.record("one-aaaa", e.PlaceAwaited(run=B))
    assert refused(world.settle()) == [(A, "deadlock")]


def _short(state: ProviderState, chosen: Capacity) -> Capacity:
    class Short:
        def provider_state(self, _now):
            return state

    return capacity_left(chosen, {"demo": Short()}, LockWorld().now)  # type: ignore[dict-item]


def test_nobody_gives_way_because_a_provider_is_short_of_breath_while_it_may_still_answer_somebody():
    chosen = Capacity(agents={"demo": 8})
    short = _short(ProviderState(name="local", limit=1, most=8, reason="429"), chosen)
    assert (short.agents, short.strained) == ({"demo": 1}, {"demo"})
    assert _short(ProviderState(name="local", limit=8, most=8), chosen).strained == frozenset()
    world = LockWorld(sessions=1, capacity=short)
    world.change(FAR, agent="other")
    world.ask(A, DB)
    world.settle()
    world.ask(A, API)
    world.settle()
    world.ask(C, DB)
    world.rest(A, world.spawn(A, role="backend"))
    assert world.settle() == []
    # Nobody asks it anything any more, so it would never take more again.
    world.ask(FAR, API)
    assert refused(world.settle()) == [(A, "deadlock")]


def test_a_circle_that_nobody_can_open_does_not_hide_another_that_somebody_can():
    world = LockWorld()
    world.ask(A, "custom:gpu")
    world.ask(C, DB)
    world.ask(D, API)
    world.settle()
    world.ask(run("one-aaaa", 3), "custom:gpu")
    world.rest(A, B)
    world.rest(B, A)
    world.ask(C, API)
    world.ask(D, DB)
    assert [command.run for command in due(world.state, world.capacity, world.now)] == [D]


def test_what_is_kept_is_granted_to_nobody_else_but_to_who_could_not_go_on_otherwise():
    world = LockWorld(capacity=Capacity(sessions=9))
    world.ask(A, DB, "shared")
    world.ask(C, API)
    world.settle()
    world.keep("two-bbbb", DB, API)
    world.ask(B, DB, "shared")
    assert world.settle() == []
    # It holds what the task needs that it waits for; whoever comes after it is not in between.
    world.ask(C, DB, "shared")
    assert world.settle() != []
    assert (world.held(C), world.waits(B)) == ({API: "exclusive", DB: "shared"}, set())
    world.release(A, DB)
    world.ask(A, DB, "shared")
    world.settle()
    assert world.waits(A) == {DB}


@pytest.mark.parametrize(("places", "is_granted"), [(1, True), (2, False)])
def test_who_has_the_last_place_gets_what_is_kept_where_one_that_shares_it_waits_for_that_place(places, is_granted):
    world = LockWorld(sessions=1, capacity=Capacity(sessions=places))
    world.ask(A, DB, "shared")
    world.settle()
    world.record("three-cccc", e.RunPaused(run=FAR))
    world.record("one-aaaa", e.RunPaused(run=A))
    world.record("one-aaaa", e.PlaceAwaited(run=A))
    world.keep("two-bbbb", DB)
    world.ask(C, DB, "shared")
    assert bool(world.settle()) == is_granted
