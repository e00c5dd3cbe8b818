"""Tasks for one case only: they begin when it has come, and are passed over once it cannot come any more."""

from __future__ import annotations

import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.condition import Condition
from specthread.domain.decide import decide
from specthread.domain.ids import TaskNumber
from specthread.domain.model import DAEMON
from specthread.domain.planned import planned_tasks
from specthread.plan.dag import build_dag
from specthread.plan.judgement import judge
from specthread.plan.waiting import why_task_waiting, why_waiting
from specthread.spec.document import TASKS
from specthread.spec.spec import read_spec
from specthread.spec.tasks import parse_tasks
from support.simulation import ADA, Simulation, planned


def why(world: Simulation, spectask: str, number: str) -> str:
    return why_task_waiting(world.spectask(spectask), TaskNumber(number))


def when(task: str, outcome: str) -> tuple[Condition, ...]:
    return (Condition(task=task, outcome=outcome, leaves=(TaskNumber(task),)),)


def test_a_task_for_the_case_of_a_failure_begins_after_the_failure_and_not_before():
    world = Simulation()
    world.add("a", [planned("1"), planned("2", conditions=when("1", "failed")), planned("3", "2")])
    world.schedule()
    assert world.begun() == ["a/1"]
    assert why(world, "a", "2") == "Begins only when task 1 failed."
    world.fail("a/ws-1")
    world.schedule()
    assert world.begun() == ["a/1", "a/2"]


def test_a_task_whose_case_cannot_come_any_more_is_passed_over_and_what_waits_for_it_goes_on():
    world = Simulation()
    world.add("a", [planned("1"), planned("2", conditions=when("1", "failed")), planned("3", "2")])
    world.schedule()
    world.merge("a/ws-1")
    world.schedule()
    assert world.states("a") == {"1": "merged", "2": "skipped", "3": "in_progress"}
    assert why(world, "a", "2") == "Skipped by itself: it was only for the case “task 1 failed”, which cannot come any more."


def test_a_failed_task_whose_fallback_is_merged_says_that_and_how_to_go_on_without_it():
    world = Simulation()
    world.add("a", [planned("1"), planned("2", conditions=when("1", "failed"))])
    world.schedule()
    world.fail("a/ws-1")
    assert "`specthread skip a 1` goes on without it" in why(world, "a", "1")
    assert "is merged" not in why(world, "a", "1")
    world.schedule()
    world.merge("a/ws-2")
    assert "Task 2, for this case, is merged." in why(world, "a", "1")
    assert "Task 2, for this case, is merged." in why_waiting(world.state, "a")


def test_a_failure_that_a_human_gives_up_on_still_counts_as_one():
    world = Simulation()
    world.add("a", [planned("1"), planned("2", "9", conditions=when("1", "failed")), planned("9")])
    world.schedule()
    world.fail("a/ws-1")
    world.give(c.SkipTask(spectask="a", task="1"), ADA)
    world.merge("a/ws-2")
    world.schedule()
    assert world.begun() == ["a/1", "a/9", "a/2"]


@pytest.mark.parametrize(
    ("end", "states"),
    [("merge", {"1": "merged", "2": "in_progress", "3": "skipped"}), ("skip", {"1": "skipped", "2": "skipped", "3": "in_progress"})],
)
def test_a_condition_may_name_a_merge_or_a_skip(end, states):
    world = Simulation()
    world.add("a", [planned("1"), planned("2", conditions=when("1", "merged")), planned("3", conditions=when("1", "skipped"))])
    if end == "merge":
        world.schedule()
        world.merge("a/ws-1")
    else:
        world.give(c.SkipTask(spectask="a", task="1"), ADA)
    world.schedule()
    assert world.states("a") == states


def test_a_chain_of_conditions_is_passed_over_one_after_the_other():
    world = Simulation()
    plan = [
        planned("1"),
        planned("2", conditions=when("1", "failed")),
        planned("3", conditions=when("2", "failed")),
        planned("4", conditions=when("3", "skipped")),
    ]
    world.add("a", plan)
    world.schedule()
    world.merge("a/ws-1")
    world.schedule()
    assert world.states("a") == {"1": "merged", "2": "skipped", "3": "skipped", "4": "in_progress"}


def test_what_only_a_task_that_is_passed_over_needs_does_not_begin():
    world = Simulation()
    plan = [planned("1"), planned("2", optional=True), planned("3", "2", conditions=when("1", "failed"))]
    world.add("a", plan, max_parallel=1)
    world.schedule()
    world.merge("a/ws-1")
    assert [type(command).__name__ for command in world.schedule()] == ["PassOverTask"]
    assert world.states("a") == {"1": "merged", "2": "open", "3": "skipped"}


def test_passing_over_what_may_still_come_true_changes_nothing():
    world = Simulation()
    world.add("a", [planned("1"), planned("2", conditions=when("1", "failed"))])
    assert decide(world.state, reports.PassOverTask(spectask="a", task="2"), DAEMON) == ()


def test_a_condition_on_a_parent_is_about_its_leaves_and_binds_those_below_it():
    text = b"""- [ ] 1. Move
  - [ ] 1.1 Schema
  - [ ] 1.2 Rows
- [ ] 2. Go back
  - _When: task 1 failed_
  - [ ] 2.1 Restore
  - [ ] 2.2 Tell
- [ ] 3. Go on
"""
    plan = {task.number: task for task in planned_tasks(text, "specthread")}
    assert [str(each) for each in plan["2.2"].conditions] == ["task 1 failed"]
    assert plan["2.1"].conditions[0].leaves == ("1.1", "1.2")
    assert (plan["2.1"].depends, plan["2.2"].depends, plan["3"].depends) == ((), ("2.1",), ("2.2",))


def test_what_a_condition_names_is_waited_for_in_the_plan_too():
    text = b"- [ ] 1. a\n- [ ] 2. b\n  - _Depends: none_\n  - _When: task 1 failed_\n- [ ] 3. c\n  - _When: task 1 merged_\n  - _Depends: none_\n  - [ ] 3.1 d\n"
    dag = build_dag(parse_tasks(text).tasks)
    assert (dag.edges, dag.waves) == ((("1", "2"), ("1", "3.1")), (("1",), ("2", "3.1")))


def test_a_circle_through_a_condition_is_found_before_anybody_approves():
    text = (
        b"- [ ] 1. a\n  - _Depends: none_\n  - _When: task 2 failed_\n- [ ] 2. b\n  - _Depends: 1_\n- [ ] 3. c\n  - _When: task 3 failed_\n"
    )
    found = judge(read_spec({TASKS: text}))
    assert [problem.message.partition(".")[0].partition(": ")[2] for problem in found if problem.code == "plan/cycle"] == [
        "1 → 2 → 1",
        "3 → 3",
    ]
