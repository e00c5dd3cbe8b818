"""No task gets a place while somebody has what it uses, in whichever SpecTask and however they came to it."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

import pytest

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import RunId, SpecTaskId, TaskNumber
from specthread.domain.locks import NONE, hold_of, wait_of
from specthread.domain.run_options import RunOptions
from specthread.plan.capacity import Capacity
from specthread.plan.lane import PATIENCE_SECONDS
from specthread.plan.schedule import ready
from specthread.plan.waiting import why_task_waiting
from support.simulation import Simulation, planned
from support.story import ADA

DB = "database:test"
HOLDER = RunId("a/ws-1")


def why(world: Simulation, name: str, number: str) -> str:
    return why_task_waiting(world.spectask(name), TaskNumber(number), world.queue.crowd(world.capacity))


def test_two_spectasks_do_not_begin_tasks_with_the_same_resource_together():
    world = Simulation()
    world.add("a", [planned("1", uses=(DB,))])
    world.add("b", [planned("1", uses=(DB,)), planned("2")])
    world.schedule()
    assert world.begun() == ["a/1", "b/2"]
    assert why(world, "b", "1") == f"Waits for {DB}, which a/ws-1 uses."
    world.merge(HOLDER)
    world.schedule()
    assert world.begun() == ["a/1", "b/2", "b/1"]


def test_what_an_agent_took_or_stands_in_line_for_is_not_free():
    world = Simulation()
    world.add("a", [planned("1")])
    world.schedule()
    world.record(SpecTaskId("a"), [e.LockRequested(run=HOLDER, resource=DB, mode="exclusive")])
    world.add("b", [planned("1", uses=(DB,))])
    world.schedule()
    assert world.begun() == ["a/1"]
    world.record(SpecTaskId("a"), [e.LockGranted(run=HOLDER, resource=DB, mode="exclusive")])
    world.schedule()
    assert world.begun() == ["a/1"]
    assert why(world, "b", "1") == f"Waits for {DB}, which a/ws-1 uses."
    assert ready(world.state, world.capacity, world.now) == ()
    world.record(SpecTaskId("a"), [e.LockReleased(run=HOLDER, resource=DB)])
    world.schedule()
    assert world.begun() == ["a/1", "b/1"]


def test_no_more_begin_than_may_share_it():
    world = Simulation(Capacity(resources={"api:x": 2}))
    world.add("a", [planned(str(number), uses=("api:x (shared)",)) for number in range(1, 5)])
    world.schedule()
    assert world.begun() == ["a/1", "a/2"]
    assert why(world, "a", "3") == "Waits for api:x, which ws-1, ws-2 use."
    world.merge(HOLDER)
    world.schedule()
    assert world.begun() == ["a/1", "a/2", "a/3"]


def test_others_that_share_it_without_a_gap_do_not_keep_out_who_wants_it_alone():
    world = Simulation()
    world.add("a", [planned("1", uses=(f"{DB} (shared)",))])
    world.schedule()
    world.add("b", [planned("1", uses=(DB,)), planned("2", uses=(f"{DB} (shared)",))])
    world.add("c", [planned("1", uses=(f"{DB} (shared)",))])
    world.schedule()
    # What may share it does, as long as nobody has waited long; then nobody comes in between any more.
    assert world.begun() == ["a/1", "b/2", "c/1"]
    world.seconds += PATIENCE_SECONDS
    world.add("d", [planned("1", uses=(f"{DB} (shared)",)), planned("2")])
    world.schedule()
    assert world.begun() == ["a/1", "b/2", "c/1", "d/2"]
    assert why(world, "b", "1") == f"Waits for {DB}, which ws-1 uses."
    assert why(world, "d", "1") == f"Waits for {DB}, which task 1 of b gets next: it has waited longer."
    assert ready(world.state, world.capacity, world.now) == ()
    for run in (HOLDER, RunId("b/ws-1"), RunId("c/ws-1")):
        world.merge(run)
        world.schedule()
    assert world.begun() == ["a/1", "b/2", "c/1", "d/2", "b/1"]


@pytest.mark.parametrize("event", [e.RunCancelled(run=HOLDER), e.SpecTaskCancelled(person="Ada")])
def test_what_has_ended_claims_nothing(event):
    world = Simulation()
    world.add("a", [planned("1", uses=(DB,))])
    world.add("b", [planned("1", uses=(DB,))])
    world.schedule()
    world.record(SpecTaskId("a"), [event])
    world.schedule()
    assert world.begun() == ["a/1", "b/1"]


def test_a_retry_that_is_paused_before_it_began_claims_nothing():
    world = Simulation()
    world.add("a", [planned("1", uses=(DB,)), planned("2")], max_parallel=1)
    world.schedule()
    world.give(reports.FailRun(spectask=SpecTaskId("a"), run=HOLDER, reason="no more ideas"))
    world.schedule()
    world.give(c.RetryRun(spectask=SpecTaskId("a"), run=HOLDER), ADA)
    world.give(c.PauseRun(spectask=SpecTaskId("a"), run=HOLDER), ADA)
    world.add("b", [planned("1", uses=(DB,))])
    world.schedule()
    assert world.begun() == ["a/1", "a/2", "b/1"]
    world.merge(RunId("a/ws-2"))
    world.give(c.ResumeRun(spectask=SpecTaskId("a"), run=HOLDER), ADA)
    world.schedule()
    assert why(world, "a", "1") == f"Waits for {DB}, which b/ws-1 uses."


def _calls(act: Callable[[], object]) -> int:
    """Returns how many functions are called in it."""
    calls = 0

    def count(_frame: object, kind: str, _argument: object) -> None:
        nonlocal calls
        calls += kind == "call"

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return calls


def _calls_for_an_event(tasks: int) -> int:
    world = Simulation()
    world.add("a", [planned(str(number), uses=("api:x (shared)",)) for number in range(1, tasks + 1)], max_parallel=6)
    world.schedule()
    return _calls(lambda: world.record(SpecTaskId("a"), [e.RunReady(run=HOLDER)]))


def test_an_event_costs_the_same_however_many_tasks_share_what_its_run_uses():
    _calls_for_an_event(20)  # what is worked out once for a class of events counts for neither
    assert _calls_for_an_event(200) <= _calls_for_an_event(20) * 1.5


def _calls_for_the_next(spectasks: int, tasks: int, patience: float) -> int:
    world = Simulation(Capacity(sessions=5))
    for number in range(spectasks):
        world.add(f"{number:03}", [planned(str(task), uses=(DB,)) for task in range(1, tasks + 1)])
    world.schedule()
    world.seconds += patience
    run = world.at_work()[0].id
    world.merge(run)
    return _calls(world.schedule)


@pytest.mark.parametrize("patience", [0.0, PATIENCE_SECONDS])
@pytest.mark.parametrize(("few", "many"), [((20, 1), (300, 1)), ((1, 20), (1, 300))])
def test_the_next_to_have_a_resource_costs_the_same_however_many_tasks_wait_for_it(few, many, patience):
    _calls_for_the_next(*few, patience)
    assert _calls_for_the_next(*many, patience) <= _calls_for_the_next(*few, patience) * 1.5


def test_what_is_kept_for_a_task_is_not_taken_by_another_of_its_spectask():
    world = Simulation()
    world.add("a", [planned("1", uses=("api:x",))])
    world.schedule()
    world.add("b", [planned("1", uses=(DB, "api:x")), planned("2", uses=(DB,))], options=RunOptions(interactive=True))
    world.record(SpecTaskId("b"), [e.TaskAllowed(task=TaskNumber("1"), person="Ada")], ADA)
    world.seconds += PATIENCE_SECONDS
    world.schedule()
    world.record(SpecTaskId("b"), [e.TaskAllowed(task=TaskNumber("2"), person="Ada")], ADA)
    world.schedule()
    assert world.begun() == ["a/1"]


def test_who_comes_back_without_what_its_task_uses_gets_a_place_only_once_that_is_free():
    world = Simulation()
    world.add("a", [planned("1", uses=(DB,))])
    world.add("b", [planned("1")])
    world.schedule()
    world.record(SpecTaskId("a"), [e.RunReady(run=HOLDER)])
    world.take_up(HOLDER)
    world.grant()
    world.give(c.TakeBackLock(spectask=SpecTaskId("a"), run=HOLDER, resource=DB), ADA)
    other = RunId("b/ws-1")
    world.give(reports.RequestLock(spectask=SpecTaskId("b"), run=other, resource=DB, mode="exclusive"))
    world.grant()
    world.give(c.PauseRun(spectask=SpecTaskId("a"), run=HOLDER), ADA)
    world.give(c.ResumeRun(spectask=SpecTaskId("a"), run=HOLDER), ADA)
    assert world.schedule() == ()
    assert why(world, "a", "1") == f"Waits for {DB}, which {other} uses."
    assert ready(world.state, world.capacity, world.now) == ()
    world.give(reports.ReleaseLock(spectask=SpecTaskId("b"), run=other, resource=DB))
    assert world.schedule() == (reports.GivePlace(spectask=SpecTaskId("a"), session=HOLDER),)


def test_who_was_stopped_before_it_got_what_it_claims_comes_back_to_it():
    world = Simulation()
    world.add("a", [planned("1", uses=(DB,))])
    world.schedule()
    world.record(SpecTaskId("a"), [e.RunReady(run=HOLDER)])
    world.give(c.PauseRun(spectask=SpecTaskId("a"), run=HOLDER), ADA)
    world.give(c.ResumeRun(spectask=SpecTaskId("a"), run=HOLDER), ADA)
    assert world.schedule() == (reports.GivePlace(spectask=SpecTaskId("a"), session=HOLDER),)


def test_what_is_kept_does_not_lie_idle_while_a_person_is_waited_for():
    world = Simulation()
    world.add("a", [planned("1", uses=("api:x",))])
    world.add("b", [planned("1", uses=(f"{DB} (shared)",))])
    world.schedule()
    world.add("c", [planned("1", uses=(DB, "api:x"))])
    world.seconds += PATIENCE_SECONDS
    world.add("d", [planned("1", uses=(f"{DB} (shared)",))])
    world.give(reports.AskQuestion(spectask=SpecTaskId("a"), run=HOLDER, question="q", kind="question", text="Which?"))
    world.schedule()
    assert world.begun() == ["a/1", "b/1", "d/1"]
    world.give(c.AnswerQuestion(spectask=SpecTaskId("a"), run=HOLDER, question="", answer="This."), ADA)
    world.schedule()
    world.add("e", [planned("1", uses=(f"{DB} (shared)",))])
    world.schedule()
    assert world.begun() == ["a/1", "b/1", "d/1"]
    assert why(world, "e", "1") == f"Waits for {DB}, which task 1 of c gets next: it has waited longer."


def test_resources_are_kept_for_no_more_than_sixteen_at_once():
    world = Simulation()
    world.add("a", [planned(str(number), uses=(f"api:{number} (shared)",)) for number in range(20)], max_parallel=20)
    world.schedule()
    for number in range(20):
        world.seconds += 1
        world.add(f"b-{number:02}", [planned("1", uses=(f"api:{number}",))])
    world.seconds += PATIENCE_SECONDS
    world.schedule()
    kept = world.queue.crowd(world.capacity).kept
    assert [keeper for keeper, _ in kept.values()] == [f"b-{number:02} 1" for number in range(16)]


def test_agents_that_share_a_resource_one_after_the_other_keep_no_task_out_that_has_waited_long():
    world, chance, since, longest = Simulation(), random.Random(3), 0.0, 0.0
    world.add("a", [planned(str(number)) for number in range(1, 5)], max_parallel=4)
    world.schedule()
    sharing = [session.id for session in world.at_work()]
    world.add("b", [planned(str(number), uses=(DB,)) for number in range(1, 200)])
    for _ in range(10_000):
        world.seconds += 10
        who, lock = chance.choice(sharing), next(iter(world.state.locks.values()), NONE)
        # Whoever has it gives it back once another has it, too, or waits for it: so there is never a gap.
        if hold_of(lock, who) and (len(lock.held) > 1 or lock.waiting):
            world.give(reports.ReleaseLock(spectask=SpecTaskId("a"), run=who, resource=DB))
        elif not hold_of(lock, who) and not wait_of(lock, who):
            world.give(reports.RequestLock(spectask=SpecTaskId("a"), run=who, resource=DB, mode="shared"))
        world.grant()
        world.schedule()
        for run in (session.id for session in world.at_work() if session.id not in sharing):
            world.take_up(run)
            world.grant()
            if not world.lacking(run):
                longest, since = max(longest, world.seconds - since), world.seconds
                world.merge(run)
    assert max(longest, world.seconds - since) < PATIENCE_SECONDS * 2


def test_who_tries_again_does_not_wait_for_what_is_kept_since_others_may_rest_for_it():
    world = Simulation()
    world.add("b", [planned("1", uses=(f"{DB} (shared)",))])
    world.schedule()
    world.add("c", [planned("1", uses=(DB,))])
    world.seconds += PATIENCE_SECONDS / 2
    world.add("a", [planned("1", uses=(f"{DB} (shared)",))])
    world.schedule()
    world.seconds += PATIENCE_SECONDS / 2
    world.fail(HOLDER)
    world.give(c.RetryRun(spectask=SpecTaskId("a"), run=HOLDER), ADA)
    assert world.schedule() == (reports.GivePlace(spectask=SpecTaskId("a"), session=HOLDER),)
