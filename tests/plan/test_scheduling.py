"""What begins first among many SpecTasks, what is kept waiting, and the sentence that says why."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.decide import decide
from specthread.domain.ids import TaskNumber
from specthread.domain.model import DAEMON, Limits, Refusal
from specthread.domain.run_options import RunOptions
from specthread.plan.capacity import Capacity
from specthread.plan.lane import PRIORITY_SECONDS
from specthread.plan.waiting import tasks_for_a_yes, why_task_waiting, why_waiting
from specthread.views.progress import needs
from support.simulation import ADA, Simulation, planned
from support.situation import approved
from support.twenty_tasks import TWENTY, lower_bound, seconds


def why(world: Simulation, spectask: str, number: str = "") -> str:
    crowd = world.queue.crowd(world.capacity)
    if number:
        return why_task_waiting(world.spectask(spectask), TaskNumber(number), crowd)
    return why_waiting(world.state, spectask, crowd)


def free(count: int, **changes):
    """A plan of tasks that wait for nothing."""
    return [planned(str(number), **changes) for number in range(1, count + 1)]


def allow(world: Simulation, spectask: str, number: str) -> None:
    world.record(world.spectask(spectask).id, [e.TaskAllowed(task=TaskNumber(number), person="Ada")], ADA)


# --- the order


def test_the_task_with_the_longest_chain_behind_it_begins_first():
    world = Simulation()
    world.add("a", [*free(2), planned("3"), planned("4", "3"), planned("5", "4")], max_parallel=1)
    world.schedule()
    assert world.begun() == ["a/3"]


def test_what_takes_longest_by_its_estimates_begins_first_however_few_tasks_it_is():
    world = Simulation()
    world.add("a", [planned("1", estimate=60.0), planned("2", "1", estimate=60.0), planned("3", estimate=600.0)], max_parallel=1)
    world.schedule()
    assert world.begun() == ["a/3"]


def test_of_two_chains_of_one_length_the_lowest_number_begins_first():
    world = Simulation()
    world.add("a", free(12), max_parallel=3)
    world.schedule()
    assert world.begun() == ["a/1", "a/2", "a/3"]


@pytest.mark.parametrize(
    ("path", "begun"), [("src/", ["1", "3"]), ("src/a.py", ["1", "3"]), ("src/*.py", ["1", "3"]), ("other", ["1", "2"])]
)
def test_a_task_that_would_touch_files_of_one_at_work_lets_another_go_first(path, begun):
    world = Simulation()
    plan = [planned("1", files=("src/a.py",)), planned("2", files=(path,)), planned("3", files=("docs",))]
    world.add("a", plan, max_parallel=2)
    world.schedule()
    assert world.begun() == [f"a/{number}" for number in begun]


def test_where_nothing_else_is_left_tasks_with_the_same_files_work_together():
    world = Simulation()
    world.add("a", free(2, files=("src",)))
    world.schedule()
    assert world.begun() == ["a/1", "a/2"]


def test_spectasks_of_one_priority_take_turns():
    world = Simulation(Capacity(sessions=3))
    world.add("a", free(9))
    world.seconds += 1
    world.add("b", free(9))
    world.seconds += 1
    world.schedule()
    assert world.begun() == ["a/1", "b/1", "a/2"]


def test_a_higher_priority_goes_first_until_the_other_has_waited_long_enough():
    world = Simulation(Capacity(sessions=1))
    world.add("low", free(1), options=RunOptions(priority="low"))
    world.seconds += 5
    world.add("high", free(9), options=RunOptions(priority="high"))
    for _ in range(3):
        world.schedule()
        world.seconds += 60
        world.merge(world.at_work()[0].id)
    assert world.begun() == ["high/1", "high/2", "high/3"]
    world.seconds += PRIORITY_SECONDS["high"] - PRIORITY_SECONDS["low"]
    world.schedule()
    world.merge(world.at_work()[0].id)
    world.schedule()
    assert world.begun()[3:] == ["high/4", "low/1"]


def test_nobody_starves_in_ten_thousand_steps():
    world = Simulation(Capacity(sessions=3))
    names = itertools.count()
    for priority in ("low", "normal"):
        world.add(f"{priority}-early", free(20), options=RunOptions(priority=priority))
    last: dict[str, float] = {}
    longest = {"low-early": 0.0, "normal-early": 0.0}
    for step in range(10_000):
        if step % 10 == 0:  # there is always somebody of high priority in line
            world.add(f"high-{next(names)}", free(10), options=RunOptions(priority="high"))
        world.started.clear()
        world.schedule()
        for spectask, _ in world.started:
            if spectask in longest:
                longest[spectask] = max(longest[spectask], world.seconds - last.get(spectask, 0.0))
                last[spectask] = world.seconds
        world.seconds += 20
        world.merge(world.at_work()[0].id)
    over = {name: set(world.states(name).values()) for name in longest}
    assert over == {"low-early": {"merged"}, "normal-early": {"merged"}}
    spread = PRIORITY_SECONDS["high"] - PRIORITY_SECONDS["low"]
    # Behind those that came in meanwhile it still waits its turn, but no longer than they did.
    assert max(longest.values()) <= 2 * spread


def test_a_clock_that_goes_back_keeps_nobody_waiting():
    world = Simulation(Capacity(sessions=1))
    world.seconds = 90_000
    world.add("future", free(2))
    world.seconds = 0
    world.add("present", free(2), options=RunOptions(priority="low"))
    world.schedule()
    assert world.begun() == ["future/1"]


# --- the places


def test_never_more_work_than_the_spectask_the_daemon_the_role_and_the_agent_allow():
    world = Simulation(Capacity(sessions=5, roles={"tester": 1}, agents={"demo": 4}))
    world.add("a", [*free(3), planned("4", role="tester"), planned("5", role="tester")], max_parallel=2)
    world.add("b", free(9), max_parallel=9)
    world.schedule()
    assert len(world.at_work()) == 4
    assert sum(session.id.startswith("a/") for session in world.at_work()) == 2


def test_a_task_names_the_limit_it_waits_for():
    world = Simulation(Capacity(sessions=4, roles={"tester": 1}))
    world.add("a", [planned("1", role="tester"), planned("2", role="tester"), planned("3")])
    world.add("b", free(3), max_parallel=1)
    world.schedule()
    assert why(world, "a", "2") == "Waits for the limit of role tester (1 of 1 at work: ws-1)."
    assert why(world, "b", "2") == "Waits for a free place (1 of 1 at work)."
    assert why(world, "a") == "2 sessions at work, 0 of 3 tasks merged."


def test_a_task_names_whose_turn_comes_before():
    world = Simulation(Capacity(sessions=1))
    world.add("a", free(3))
    world.add("b", free(3), options=RunOptions(priority="high"))
    world.schedule()
    assert world.begun() == ["b/1"]
    assert why(world, "a", "1") == "Waits for its turn behind b (priority high): 1 of 1 at work in all SpecTasks."
    assert why(world, "a") == (
        "0 sessions at work, 0 of 3 tasks merged. Task 1: Waits for its turn behind b (priority high): 1 of 1 at work in all SpecTasks."
    )
    assert why(world, "b", "2") == "Waits for a free place (1 of 1 at work in all SpecTasks)."


def test_a_provider_that_takes_nobody_more_is_named_and_asked_anew_at_each_decision():
    agents = {"demo": 0}
    world = Simulation(Capacity(agents=agents))
    world.add("a", free(2))
    assert world.schedule() == ()
    assert why(world, "a", "1") == "Waits for the limit of agent demo (0 of 0 at work)."
    agents["demo"] = 1
    world.schedule()
    assert world.begun() == ["a/1"]
    assert why(world, "a", "2") == "Waits for the limit of agent demo (1 of 1 at work: ws-1)."


def test_sessions_of_a_paused_spectask_hold_no_place():
    world = Simulation(Capacity(sessions=1))
    world.add("a", free(2))
    world.schedule()
    world.give(c.PauseSpecTask(spectask=world.spectask("a").id), ADA)
    world.add("b", free(1))
    world.schedule()
    assert world.begun() == ["a/1", "b/1"]


def test_a_command_is_given_once_and_again_only_when_it_led_to_nothing():
    world = Simulation()
    world.add("a", free(1))
    (command,) = world.queue.take(world.capacity, world.now)
    assert world.queue.take(world.capacity, world.now) == ()
    world.queue.release(command, world.now)
    assert world.queue.take(world.capacity, world.now) == (command,)


def test_one_at_a_time_means_after_the_end_of_the_one_before():
    world = Simulation()
    world.add("a", [*free(2), planned("3"), planned("4", "3")], options=RunOptions(mode="sequential"))
    world.schedule()
    assert world.begun() == ["a/1"]
    world.give(reports.AskQuestion(spectask="a", run="a/ws-1", question="q", kind="question", text="Which?"))
    assert world.schedule() == ()
    assert why(world, "a", "2") == "Waits for ws-1 to end: one task at a time."


def test_sequential_work_never_has_two_sessions():
    world = Simulation()
    world.add("a", [*free(4), planned("5", "1", "2")], options=RunOptions(mode="sequential"))
    while world.schedule():
        (session,) = world.at_work()
        world.merge(session.id)
    assert world.begun() == ["a/1", "a/2", "a/3", "a/4", "a/5"]


# --- what a human chose


def test_only_tasks_of_the_chosen_roles_begin():
    world = Simulation()
    world.add("a", [planned("1", role="backend"), planned("2", role="writer")], options=RunOptions(roles=("backend",)))
    world.schedule()
    assert world.begun() == ["a/1"]
    said = "Only tasks of backend begin, and its role is writer: `specthread run a --agents backend,writer` lets it begin."
    assert why(world, "a", "2") == said
    world.merge("a/ws-1")
    assert why(world, "a") == f"0 sessions at work, 1 of 2 tasks merged. Task 2: {said}"
    assert [(need.kind, need.text) for need in needs(world.spectask("a"))] == [("run", said)]


def test_each_task_of_an_interactive_run_waits_for_a_yes():
    world = Simulation()
    world.add("a", [planned("1"), planned("2", "1"), planned("3")], options=RunOptions(interactive=True))
    assert world.schedule() == ()
    assert tasks_for_a_yes(world.spectask("a")) == ("1", "3")
    assert why(world, "a", "3") == "Waits for your yes: `specthread run a --task 3`."
    allow(world, "a", "3")
    world.schedule()
    assert world.begun() == ["a/3"]
    assert tasks_for_a_yes(world.spectask("a")) == ("1",)


def test_after_a_failure_nothing_new_begins_where_that_was_chosen():
    world = Simulation()
    world.add("a", free(3), options=RunOptions(fail_fast=True), max_parallel=2)
    world.schedule()
    world.fail("a/ws-1")
    assert world.schedule() == ()
    said = "No new task begins after task 1 failed (fail-fast): `specthread retry a/ws-1` or `specthread skip a 1` lets the others go on."
    assert why(world, "a", "3") == said
    assert why(world, "a") == f"1 session at work, 0 of 3 tasks merged. {said}"
    world.give(c.SkipTask(spectask="a", task="1"), ADA)
    world.schedule()
    assert world.begun()[-1] == "a/3"


def test_nothing_new_begins_when_the_money_is_spent():
    world = Simulation()
    world.add("a", free(2), max_parallel=1, stop_usd=2)
    world.schedule()
    world.spend("a/ws-1", "2.00")
    world.merge("a/ws-1")
    assert world.schedule() == ()
    said = "$2.00 of $2 is spent: `specthread run a --budget USD` raises the limit."
    assert why(world, "a", "2") == said
    assert [(need.kind, need.text) for need in needs(world.spectask("a"))] == [("run", said)]
    assert decide(world.state, reports.StartSession(spectask="a", task="2"), DAEMON).code == "not-ready"
    world.record(world.spectask("a").id, [e.BudgetRaised(stop_usd=5, person="Ada")], ADA)
    world.schedule()
    assert world.begun() == ["a/1", "a/2"]


def test_work_that_costs_nothing_begins_under_any_limit():
    world = Simulation()
    world.add("a", free(1), stop_usd=0)
    world.schedule()
    assert world.begun() == ["a/1"]


# --- makespan


def test_twenty_tasks_six_at_once_take_little_longer_than_no_plan_could_beat():
    world = Simulation()
    world.add("a", TWENTY, max_parallel=6)
    assert world.play(seconds) <= 1.05 * lower_bound(6)


def test_six_at_once_are_done_in_a_third_of_the_time_of_one_after_the_other():
    together, alone = Simulation(), Simulation()
    together.add("a", TWENTY)
    alone.add("a", TWENTY, options=RunOptions(mode="sequential"))
    assert alone.play(seconds) == sum(map(seconds, TWENTY))
    assert together.play(seconds) <= alone.seconds / 3


# --- what is refused


@pytest.mark.parametrize("bad", [Limits(max_parallel=0), Limits(stop_usd=Decimal(-1))])
def test_limits_under_which_nothing_works_are_refused(bad):
    story = approved()
    assert story.refused(c.StartImplementation(spectask=story.spectask.id, limits=bad)) == "bad-limit"


def test_a_role_that_no_task_has_is_refused():
    story = approved()
    answer = story.when(c.StartImplementation(spectask=story.spectask.id, limits=Limits(), options=RunOptions(roles=("poet",))))
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.hint) == ("unknown-role", "Its tasks have: implementer.")
