"""What is told ahead is what the scheduler does."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specthread.domain import commands as c
from specthread.domain.condition import Condition
from specthread.domain.ids import TaskNumber
from specthread.domain.run_options import RunOptions
from specthread.plan.contention import Contention
from specthread.plan.estimate import Spread
from specthread.plan.graph import Node, graph_of
from specthread.plan.makespan import Rules, makespan
from specthread.plan.play import play
from support.simulation import START, Simulation, planned
from support.story import ADA

USES = ("database:test", "database:test (shared)", "api:github (shared)", "custom:printer")


@st.composite
def plans(draw):
    """Tasks that wait for earlier ones, use resources, and may be for the case of an earlier one's failure; no two sums of times are the same."""
    found = []
    for number in range(1, draw(st.integers(1, 9)) + 1):
        before = [str(each) for each in range(1, number)]
        depends = draw(st.lists(st.sampled_from(before), max_size=2, unique=True)) if before else []
        cases = draw(st.lists(st.sampled_from(before), max_size=1)) if before and draw(st.integers(0, 3)) == 0 else []
        outcome = draw(st.sampled_from(("failed", "merged", "skipped")))
        conditions = tuple(Condition(task=case, outcome=outcome, leaves=(TaskNumber(case),)) for case in cases)
        depends = [each for each in depends if each not in cases]
        uses = tuple(draw(st.lists(st.sampled_from(USES), max_size=2, unique_by=lambda each: each.partition(" ")[0])))
        estimate = sqrt(draw(st.sampled_from((2, 3, 5, 7, 11, 13, 17, 19)))) + number / 1000
        found.append(planned(str(number), *depends, uses=uses, conditions=conditions, estimate=estimate))
    return found


@settings(max_examples=50)
@given(plans(), st.integers(1, 4))
def test_each_task_begins_when_the_scheduler_lets_it_begin_if_nothing_fails(plan, places):
    world = Simulation()
    world.add("a", plan, max_parallel=places)
    told = play(world.spectask("a"), {task.number: Spread(*[task.estimate] * 3) for task in plan}, places, {})
    length = world.play(lambda task: task.estimate)
    began = {session.task: (session.started - START).total_seconds() for session in world.spectask("a").sessions.values()}
    assert {number: span[0] for number, span in told.spans.items()} == pytest.approx(began, abs=1e-4)
    assert told.seconds.low == pytest.approx(length, abs=1e-4)


def test_one_at_a_time_tasks_begin_by_their_number():
    world = Simulation()
    plan = [planned("1", estimate=1.0), planned("2", estimate=2.0), planned("3", "2", estimate=5.0)]
    world.add("a", plan, options=RunOptions(mode="sequential"))
    told = play(world.spectask("a"), {task.number: Spread(*[task.estimate] * 3) for task in plan}, 1, {})
    assert [told.spans[number][0] for number in "123"] == [0, 1, 3]


def alike(count: int, mode: str):
    names = [str(number) for number in range(count)]
    return graph_of(Node(id=name) for name in names), dict.fromkeys(names, 1.0), {name: {"api:github": mode} for name in names}


@pytest.mark.parametrize(("mode", "sharers", "length"), [("exclusive", {}, 6), ("shared", {}, 1), ("shared", {"api:github": 2}, 3)])
def test_a_resource_is_shared_by_as_many_as_it_bears(mode, sharers, length):
    graph, durations, needs = alike(6, mode)
    assert makespan(graph, durations, 6, rules=Rules(needs=needs, sharers=sharers)).length == length


def test_many_that_wait_for_one_resource_are_not_all_tried_each_time(monkeypatch):
    tried = []
    begins = Contention.begins
    monkeypatch.setattr(Contention, "begins", lambda self, turn: tried.append(turn) or begins(self, turn))
    graph, durations, needs = alike(500, "exclusive")
    assert makespan(graph, durations, 6, rules=Rules(needs=needs)).length == 500
    assert len(tried) <= 3 * 500


def test_who_waits_for_a_place_holds_none_and_goes_before_what_is_new():
    world = Simulation()
    plan = [planned("1", estimate=6.0), planned("2", estimate=5.0), planned("3", estimate=8.0), planned("4", "2", estimate=20.0)]
    name = world.add("a", plan, max_parallel=2)
    world.schedule()
    run = next(session.id for session in world.at_work() if session.task == "3")
    world.give(c.PauseRun(spectask=name, run=run), ADA)
    world.schedule()
    world.give(c.ResumeRun(spectask=name, run=run), ADA)
    assert sorted(session.task for session in world.at_work()) == ["1", "2"]
    told = play(world.spectask(name), {task.number: Spread(*[task.estimate] * 3) for task in plan}, 2, {})
    assert told.spans == {"1": (0.0, 6.0), "2": (0.0, 5.0), "3": (5.0, 13.0), "4": (6.0, 26.0)}
