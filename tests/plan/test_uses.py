"""Tasks that name the same resource are not given to sessions at the same time."""

from __future__ import annotations

import pytest

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.decide import decide
from specthread.domain.ids import RunId, SpecTaskId, TaskNumber
from specthread.domain.model import DAEMON, Refusal
from specthread.domain.planned import planned_tasks
from specthread.plan.waiting import why_task_waiting
from support.simulation import Simulation, planned

ALONE, SHARED = "database:test", "database:test (shared)"


def why(world: Simulation, number: str) -> str:
    return why_task_waiting(world.spectask("a"), TaskNumber(number), world.queue.crowd(world.capacity))


@pytest.mark.parametrize(
    ("one", "two", "together"), [(ALONE, ALONE, False), (ALONE, SHARED, False), (SHARED, SHARED, True), (ALONE, "api:x", True)]
)
def test_one_that_needs_a_resource_alone_keeps_others_of_it_from_beginning(one, two, together):
    world = Simulation()
    world.add("a", [planned("1", uses=(one,)), planned("2", uses=(two,))])
    world.schedule()
    assert world.begun() == (["a/1", "a/2"] if together else ["a/1"])


def test_no_place_is_taken_by_waiting_and_the_sentence_says_who_has_it():
    world = Simulation()
    world.add("a", [planned("1", uses=(ALONE,)), planned("2", uses=(ALONE,)), planned("3")], max_parallel=2)
    world.schedule()
    assert world.begun() == ["a/1", "a/3"]
    assert why(world, "2") == "Waits for database:test, which ws-1 uses."


def test_another_begins_once_it_is_given_back_or_taken_back():
    world = Simulation()
    world.add("a", [planned(number, uses=(ALONE,)) for number in ("1", "2", "3")])
    world.schedule()
    one, two = RunId("a/ws-1"), RunId("a/ws-2")
    world.record(SpecTaskId("a"), [e.LockReleased(run=one, resource=ALONE)])
    world.schedule()
    assert world.begun() == ["a/1", "a/2"]
    assert why(world, "3") == "Waits for database:test, which ws-2 uses."
    world.record(SpecTaskId("a"), [e.LockReleased(run=two, resource=ALONE, reason="taken back by Ada")])
    world.record(SpecTaskId("a"), [e.LockGranted(run=one, resource=ALONE, mode="exclusive")])
    world.schedule()
    assert world.begun() == ["a/1", "a/2"]
    assert why(world, "3") == "Waits for database:test, which ws-1 uses."


def test_decide_looks_again():
    world = Simulation()
    world.add("a", [planned("1", uses=(ALONE,)), planned("2", uses=(ALONE,))])
    world.schedule()
    answer = decide(world.state, reports.StartSession(spectask=SpecTaskId("a"), task=TaskNumber("2")), DAEMON)
    assert isinstance(answer, Refusal)
    assert answer.code == "not-ready"


def test_the_next_begins_when_the_session_is_over_and_a_waiting_one_still_has_it():
    world = Simulation()
    world.add("a", [planned("1", uses=(ALONE,)), planned("2", uses=(ALONE,))])
    world.schedule()
    (one,) = world.at_work()
    world.record(SpecTaskId("a"), [e.QuestionAsked(run=one.id, question="q", kind="question", text="Which?")])
    world.schedule()
    assert world.begun() == ["a/1"]
    world.record(SpecTaskId("a"), [e.RunCancelled(run=one.id)])
    world.schedule()
    assert world.begun() == ["a/1", "a/2"]


def test_what_a_parent_uses_and_how_long_it_may_take_binds_those_below_it():
    text = b"""- [ ] 1. Move
  - _Uses: database:test_
  - _Timeout: 10m_
  - [ ] 1.1 Schema
    - _Uses: api:github (shared)_
  - [ ] 1.2 Rows
    - _Timeout: 20m_
- [ ] 2. Tell
"""
    plan = {task.number: task for task in planned_tasks(text, "specthread")}
    assert [plan[number].uses for number in ("1.1", "1.2", "2")] == [("database:test", "api:github (shared)"), ("database:test",), ()]
    assert [plan[number].timeout for number in ("1.1", "1.2", "2")] == [600, 1200, None]
