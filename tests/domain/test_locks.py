from __future__ import annotations

from dataclasses import replace

import pytest

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.commands import CancelRun, CancelSpecTask, PauseRun, PauseSpecTask, TakeBackLock
from specthread.domain.ids import Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.locks import KEPT_WAITS, MOST_REMEMBERED
from specthread.domain.model import DAEMON, Refusal
from specthread.domain.names import spectask_of
from specthread.plan.capacity import Capacity
from specthread.plan.locks import queue
from specthread.spec.resource import MOST_USED
from support.lock_world import LockWorld, run
from support.story import ADA

A, B, C = run("one-aaaa", 1), run("one-aaaa", 2), run("two-bbbb", 1)
FAR = run("three-cccc", 1)
DB = "database:test"


@pytest.fixture
def world():
    return LockWorld()


def test_the_first_gets_it_and_the_next_waits_until_it_is_released(world):
    world.ask(A, DB)
    world.ask(C, DB)
    world.settle()
    assert (world.held(A), world.held(C), world.waits(C)) == ({DB: "exclusive"}, {}, {DB})
    world.release(A, DB)
    world.settle()
    assert (world.held(A), world.held(C)) == ({}, {DB: "exclusive"})


def test_a_resource_belongs_to_a_repository_unless_it_is_an_agent_or_an_api(world):
    world.ask(A, DB)
    world.ask(FAR, DB)
    world.settle()
    world.ask(A, "api:github")
    world.ask(FAR, "api:github")
    world.settle()
    assert world.held(FAR) == {DB: "exclusive"}
    assert world.waits(FAR) == {"api:github"}


def test_many_share_it_up_to_its_capacity_and_one_alone_shuts_out_all(world):
    world.capacity = Capacity(resources={"api:github": 2})
    for each in (A, B, C):
        world.ask(each, "api:github", "shared")
    world.settle()
    assert world.held(A) == world.held(B) == {"api:github": "shared"}
    assert world.waits(C) == {"api:github"}
    world.release(A, "api:github")
    world.settle()
    assert world.held(C) == {"api:github": "shared"}


def test_nobody_is_served_past_one_that_stands_in_front(world):
    world.ask(A, DB, "shared")
    world.settle()
    world.ask(B, DB, "exclusive")
    world.ask(C, DB, "shared")
    world.settle()
    assert (world.held(B), world.held(C)) == ({}, {})
    world.release(A, DB)
    world.settle()
    assert (world.held(B), world.held(C)) == ({DB: "exclusive"}, {})


def test_who_shares_it_may_have_it_alone_once_the_others_are_gone(world):
    world.ask(A, DB, "shared")
    world.ask(B, DB, "shared")
    world.settle()
    world.ask(C, DB, "exclusive")
    world.ask(A, DB, "exclusive")
    world.settle()
    assert world.held(A) == {DB: "shared"}
    world.release(B, DB)
    world.settle()
    assert (world.held(A), world.held(C)) == ({DB: "exclusive"}, {})


def test_asking_for_what_one_has_or_waits_for_changes_nothing(world):
    world.ask(A, DB)
    assert world.ask(A, DB) == ()
    world.settle()
    assert world.ask(A, DB, "shared") == ()
    assert world.held(A) == {DB: "exclusive"}


@pytest.mark.parametrize("resource", ["", "db", "disk:x", "database:", "database: x", "database:x ", "file:a\nb", "custom:" + "x" * 201])
def test_what_is_no_resource_is_refused(world, resource):
    refusal = world.ask(A, resource)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "unknown-resource"
    assert "kind:name" in refusal.hint


def test_nobody_takes_more_than_fits_and_nobody_releases_what_another_holds(world):
    for number in range(MOST_USED):
        world.ask(A, f"custom:{number}")
        assert world.ask(A, "custom:other").code == "waits-already"
        world.settle()
    assert world.ask(A, "custom:more").code == "too-many-locks"
    assert world.release(B, "custom:1").code == "not-held"


@pytest.mark.parametrize("end", ["run-cancelled", "spectask-cancelled", "failed"])
def test_whoever_ends_holds_nothing_any_more(world, end):
    world.ask(A, DB)
    world.ask(A, "file:a.py", "shared")
    world.settle()
    world.ask(C, DB)
    if end == "run-cancelled":
        world.give(CancelRun(spectask=spectask_of(A), run=A), ADA)
    elif end == "spectask-cancelled":
        world.give(CancelSpecTask(spectask=spectask_of(A)), ADA)
    else:
        world.record(spectask_of(A), e.RunFailed(run=A, reason="it broke"))
    world.settle()
    assert (world.held(A), world.held(C)) == ({}, {DB: "exclusive"})


@pytest.mark.parametrize("whole", [False, True])
def test_whoever_is_paused_keeps_what_it_holds_and_stands_in_no_line(world, whole):
    world.ask(A, DB)
    world.settle()
    world.ask(B, DB)
    world.ask(C, DB)
    for each in (A, B):
        world.give(PauseRun(spectask=spectask_of(each), run=each), ADA)
    if whole:
        world.give(PauseSpecTask(spectask=SpecTaskId("two-bbbb")), ADA)
    assert world.held(A) == {DB: "exclusive"}
    assert world.waits(A) == world.waits(B) == set()
    assert world.waits(C) == (set() if whole else {DB})
    assert world.ask(A, "api:y").code == "wrong-state"


def test_statistics_tell_who_waited_and_a_clock_that_was_set_back_makes_no_time_negative(world):
    world.ask(A, DB)
    world.settle()
    assert (world.statistics(DB).grants, world.statistics(DB).waits) == (1, 0)
    world.ask(B, DB)
    world.later(30)
    world.release(A, DB)
    world.settle()
    known = world.statistics(DB)
    assert (known.grants, known.waits, known.longest, known.recent, known.held) == (2, 1, 30.0, (30.0,), 30.0)
    world.ask(A, DB)
    world.later(-100)
    world.release(B, DB)
    world.settle()
    known = world.statistics(DB)
    assert (known.grants, known.waits, known.longest, known.recent, known.held) == (3, 2, 30.0, (30.0, 0.0), 30.0)


def test_those_who_share_it_at_once_did_not_wait(world):
    world.ask(A, DB, "shared")
    world.ask(B, DB, "shared")
    world.settle()
    assert (world.statistics(DB).grants, world.statistics(DB).waits) == (2, 0)


def test_statistics_tell_timeouts_and_who_gave_way(world):
    world.ask(A, DB)
    world.settle()
    world.ask(B, DB)
    world.give(reports.RefuseLock(spectask=spectask_of(B), run=B, resource=DB, cause="timeout"))
    world.ask(C, "api:github")
    world.settle()
    world.ask(A, "api:github")
    world.ask(C, DB)
    world.settle()
    assert world.statistics(DB).timeouts == 1
    assert (world.statistics(DB).deadlocks, world.statistics(DB).victims) == (1, (C,))


def test_what_is_remembered_of_waits_is_bounded(world):
    world.ask(A, DB)
    world.settle()
    for number in range(KEPT_WAITS + 10):
        now, next_ = (A, B) if number % 2 == 0 else (B, A)
        world.ask(next_, DB)
        world.later(number)
        world.release(now, DB)
        world.settle()
    known = world.statistics(DB)
    assert (known.waits, len(known.recent), known.recent[-1], known.longest) == (110, KEPT_WAITS, 109.0, 109.0)


# --- a person takes it back --------------------------------------------------------------------------------------------


def take_back(world, who, resource=DB, why="", by=ADA):
    return world.give(TakeBackLock(spectask=spectask_of(who), run=who, resource=resource, why=why), by)


def test_a_person_takes_a_resource_back_the_agent_is_told_and_the_next_one_gets_it(world):
    world.ask(A, DB)
    world.settle()
    world.ask(C, DB)
    released, told = take_back(world, A, why="The migration hangs.")
    world.settle()
    assert (world.held(A), world.held(C)) == ({}, {DB: "exclusive"})
    assert released == e.LockReleased(run=A, resource=DB, reason="The migration hangs.")
    assert (told.run, told.source) == (A, "Ada")
    assert "Ada took database:test from you" in told.text
    assert "Reason: The migration hangs." in told.text
    assert (world.statistics(DB).taken_back, world.state.spectasks[spectask_of(A)].sessions[A].without) == (1, (DB,))
    world.release(C, DB)
    world.ask(A, DB)
    world.settle()
    assert world.state.spectasks[spectask_of(A)].sessions[A].without == ()


def test_it_can_be_taken_from_one_that_is_paused(world):
    world.ask(A, DB)
    world.settle()
    world.give(PauseRun(spectask=spectask_of(A), run=A), ADA)
    take_back(world, A)
    assert world.held(A) == {}


def test_nothing_is_taken_from_who_does_not_have_it_and_the_sentence_says_why(world):
    assert take_back(world, A).message == "Nobody holds database:test."
    assert take_back(world, A, "printer").code == "unknown-resource"
    assert take_back(world, run("one-aaaa", 9)).code == "unknown-id"
    world.ask(C, DB)
    world.settle()
    world.ask(A, DB)
    assert take_back(world, A).message == "one-aaaa/ws-1 does not hold database:test; two-bbbb/ws-1 does. It stands in line for it."
    assert take_back(world, B).message == "one-aaaa/ws-2 does not hold database:test; two-bbbb/ws-1 does."
    world.give(CancelRun(spectask=spectask_of(C), run=C), ADA)
    assert take_back(world, C).message == "two-bbbb/ws-1 has ended and holds nothing any more."


def test_only_a_person_takes_a_resource_back(world):
    world.ask(A, DB)
    world.settle()
    assert take_back(world, A, by=DAEMON).code == "human-only"
    assert world.held(A) == {DB: "exclusive"}


def test_resources_that_nobody_uses_are_forgotten_in_the_end(world):
    world.ask(A, DB)
    world.settle()
    for number in range(MOST_REMEMBERED + 5):
        world.ask(B, f"custom:{number}")
        world.settle()
        world.release(B, f"custom:{number}")
    assert len(world.state.locks) == MOST_REMEMBERED
    assert world.held(A) == {DB: "exclusive"}


def test_a_planner_takes_nothing(world):
    plan = RunId("one-aaaa/plan-1")
    world.record(SpecTaskId("one-aaaa"), e.PlanningStarted(plan=plan, purpose="revise", message="More"))
    answer = world.ask(plan, DB)
    assert isinstance(answer, Refusal)
    assert answer.code == "not-a-session"


@pytest.mark.parametrize(("one", "other"), [("low", "normal"), ("normal", "high"), ("low", "high")])
def test_the_priority_of_a_spectask_counts_in_a_line_as_so_much_waiting(world, one, other):
    first, second = world.state.spectasks["one-aaaa"], world.state.spectasks["two-bbbb"]
    for spectask, priority in ((first, one), (second, other)):
        changed = replace(spectask, options=replace(spectask.options, priority=priority))
        world.state = replace(world.state, spectasks=world.state.spectasks.set(spectask.id, changed))
    asking = (A, C)
    world.ask(B, DB)
    world.settle()
    for each in asking:
        world.give(reports.RequestLock(spectask=spectask_of(each), run=each, resource=DB, mode="exclusive"))
        world.later(60)
    (lock,) = world.state.locks.values()
    assert [waiting.run for waiting in queue(lock, world.now)] == [C, A]


@pytest.mark.parametrize("ending", [None, "shared"])
def test_time_in_a_line_is_no_time_at_work(world, ending):
    begun = e.SessionStarted(session=B, task=TaskNumber("2"), attempt=2, role="backend", agent="demo", start=Oid("0"))
    called = e.CallStarted(run=B, call=1, turn=1, reserved_usd=None)
    asks = {"content": [{"kind": "tool_use", "id": "1", "name": "lock", "input": {}}]}
    finished = e.CallFinished(run=B, call=1, turn=1, reply=asks, input_tokens=1, output_tokens=1, cost_usd=None)
    for event in (begun, called, finished):
        world.record(SpecTaskId("one-aaaa"), event)
    world.ask(A, DB)
    world.settle()
    world.later(5)
    world.ask(B, DB)
    world.later(3600)
    world.record(SpecTaskId("one-aaaa"), e.MessageSent(run=B, after_turn=0, text="Hurry", source="Ada"))
    world.later(60)
    if ending:
        world.release(A, DB)
        world.settle()
    else:
        world.give(reports.RefuseLock(spectask=SpecTaskId("one-aaaa"), run=B, resource=DB, cause="timeout"))
    world.later(7)
    world.record(SpecTaskId("one-aaaa"), e.RunPaused(run=B))
    assert world.state.spectasks["one-aaaa"].sessions[B].worked == 12.0


def test_a_file_is_one_resource_however_its_path_is_written(world):
    world.ask(A, "file:./src/a.py")
    world.ask(B, "file:src/a.py")
    world.settle()
    assert (world.held(A), world.waits(B)) == ({"file:src/a.py": "exclusive"}, {"file:src/a.py"})
