from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.ids import RunId, SpecTaskId, TaskNumber
from specthread.domain.model import DAEMON, Limits, Refusal
from specthread.domain.run import Spend, WorkSession
from specthread.domain.run_options import RunOptions
from specthread.plan.capacity import Capacity
from specthread.plan.estimate import GUESS, Spread, history_of
from specthread.views.dry_run import Surroundings, forecast
from support.situation import approved, cancelled, implementing, reviewing, working
from support.story import ADA, FASTER, ID, TASKS, two_phases, ws

NOTHING_AMISS = Surroundings()


def told(story, *tasks, around=NOTHING_AMISS, places=6, after=0.0, **limits):
    command = c.StartImplementation(
        spectask=ID, limits=Limits(max_parallel=places, **limits), tasks=tuple(TaskNumber(each) for each in tasks)
    )
    now = story.spectask.updated + timedelta(seconds=after)
    return forecast(story.state, story.spectask, command, ADA, around, now)


def codes(forecast, *, stops: bool) -> list[str]:
    return [ask.code for ask in forecast.asks if ask.stops is stops]


def with_history(story, *minutes: int, role="implementer", usd: str = "0.50", unknown: int = 0):
    """The state of a story in which another SpecTask has ended sessions that took so long."""
    start = story.spectask.created
    sessions = {
        RunId(f"old-aaaa/ws-{number}"): WorkSession(
            id=RunId(f"old-aaaa/ws-{number}"),
            number=number,
            state="completed",
            agent=story.spectask.agent,
            role=role,
            started=start,
            ended=start + timedelta(minutes=each),
            turn=each,
            task=TaskNumber("1"),
            start="a" * 40,
            spend=Spend(cost_usd=Decimal(usd), unknown_calls=unknown),
        )
        for number, each in enumerate(minutes, 1)
    }
    old = replace(story.spectask, id=SpecTaskId("old-aaaa"), sessions=type(story.spectask.sessions)(sessions))
    return replace(story.state, spectasks=story.state.spectasks.set(old.id, old))


def test_an_approved_plan_could_run_and_is_told_in_the_order_it_would_begin():
    run = told(approved())
    assert (run.could_run, run.asks) == (True, ())
    assert run.waves == (("1", "2"), ("3.1",), ("3.2",))
    assert [each.task.number for each in run.tasks] == ["1", "2", "3.1", "3.2"]
    assert [each.begins for each in run.tasks] == [0, 0, 480, 960]
    assert {each.source for each in run.tasks} == {"guess"}
    assert run.seconds == GUESS.seconds.times(3)
    assert run.usd is not None
    assert run.usd.likely == pytest.approx(4 * GUESS.usd.likely)


def test_one_place_takes_as_long_as_all_tasks_together():
    assert told(approved(), places=1).seconds == GUESS.seconds.times(4)
    assert told(approved(), places=1).speed_up == 1


def test_chosen_tasks_bring_what_they_wait_for_and_no_others():
    assert [each.task.number for each in told(approved(), "3.1").tasks] == ["1", "2", "3.1"]


@pytest.mark.parametrize(("given", "code"), [(reviewing, "not-approved"), (cancelled, "ended")], ids=["reviewing", "cancelled"])
def test_what_the_rules_refuse_stops_it(given, code):
    run = told(given())
    assert code in codes(run, stops=True)
    assert not run.could_run


def test_a_pause_stops_it():
    story = approved()
    story.do(c.PauseSpecTask(spectask=ID))
    assert codes(told(story), stops=True) == ["paused"]


def test_a_plan_that_nobody_approved_yet_is_told_all_the_same():
    assert [each.task.number for each in told(reviewing()).tasks] == ["1", "2", "3.1", "3.2"]


@pytest.mark.parametrize(
    ("wrong", "told_of"), [(b"_Depends: 9_", "There is no task 9"), (b"_Depends: 3_", "wait for each other in a circle")]
)
def test_what_no_approval_would_take_stops_it(wrong, told_of):
    story = reviewing()
    story.edit("tasks", story.spectask.documents["tasks"].content.replace(b"_Depends: none_", wrong, 1))
    found = told(story)
    assert codes(found, stops=True) == ["not-approved", "lint-errors"]
    assert told_of in found.asks[1].text


def test_changed_words_stop_it():
    story = approved()
    story.edit("requirements", FASTER)
    assert codes(told(story), stops=True) == ["not-approved"]


@pytest.mark.parametrize("chosen", ["9", "none"])
def test_a_task_that_does_not_exist_stops_it_with_a_sentence(chosen):
    run = told(approved(), chosen)
    assert codes(run, stops=True) == ["unknown-id"]
    assert f"no task {chosen}" in run.asks[0].text


def test_what_the_world_lacks_stops_it():
    around = Surroundings(hindrance=Refusal(code="no-key", message="There is no key.", hint="Set one."))
    assert [(ask.code, ask.hint, ask.stops) for ask in told(approved(), around=around).asks] == [("no-key", "Set one.", True)]


def test_an_unknown_price_stops_it_only_where_a_person_set_a_limit():
    around = Surroundings(unpriced=("local-model",))
    run = told(approved(), around=around)
    assert (run.usd, codes(run, stops=False), run.could_run) == (None, ["price-unknown"], True)
    assert codes(told(approved(), around=around, user_set=True), stops=True) == ["price-unknown"]


def test_a_model_that_costs_nothing_is_told_as_that():
    assert told(approved(), around=Surroundings(is_free=True)).usd == Spread(0, 0, 0)


def test_a_limit_that_may_not_reach_is_told_before():
    run = told(approved(), stop_usd=Decimal(1))
    assert (codes(run, stops=False), run.could_run) == (["budget"], True)
    assert codes(told(approved(), stop_usd=Decimal(0)), stops=True) == ["budget"]


def test_uncommitted_changes_are_told_where_a_task_works_in_those_files():
    story = reviewing()
    story.edit("tasks", TASKS.replace(b"  - _Depends: 1, 2_", b"  - _Depends: 1, 2_\n  - _Files: src/deep/_"))
    story.approve()
    run = told(story, around=Surroundings(dirty=("elsewhere.txt", "src/deep/a.py")))
    assert codes(run, stops=False) == ["dirty-overlap"]
    assert "src/deep/a.py" in run.asks[0].text
    assert "elsewhere" not in run.asks[0].text


def test_settings_that_do_not_count_yet_are_told():
    run = told(approved(), around=Surroundings(unheard="What specthread.toml asks for does not count."))
    assert (codes(run, stops=False), run.could_run) == (["not-allowed"], True)


def test_what_ended_sessions_took_counts_in_place_of_a_guess():
    story = approved()
    story.state = with_history(story, 10, 20, 30)
    run = told(story)
    assert {each.source for each in run.tasks} == {"3 ended sessions"}
    assert run.tasks[0].seconds == pytest.approx((720, 1200, 1680))
    assert run.tasks[0].usd == pytest.approx((0.5, 0.5, 0.5))


def test_too_few_sessions_and_unknown_costs_are_not_made_into_figures():
    story = approved()
    assert history_of(with_history(story, 10, 20)).estimate(story.spectask.agent, "implementer") == GUESS
    unpriced = history_of(with_history(story, 10, 20, 30, unknown=1)).estimate(story.spectask.agent, "implementer")
    assert (unpriced.usd, unpriced.sessions, unpriced.turns.likely) == (None, 3, 20)
    assert history_of(with_history(story, 1, 2, 3)).estimate(story.spectask.agent, "tester").sessions == 3


def test_work_under_way_counts_with_what_is_left_of_it():
    story = working()
    run = told(story, after=60.0, stop_usd=Decimal(40))
    first = next(each for each in run.tasks if each.task.number == story.spectask.sessions[ws(1)].task)
    assert first.begins == 0
    assert first.seconds.likely < GUESS.seconds.likely


def test_what_runs_already_is_refused_as_it_would_be():
    story = implementing()
    command = c.StartImplementation(spectask=ID, limits=story.spectask.limits)
    run = forecast(story.state, story.spectask, command, ADA, Surroundings(), story.spectask.updated)
    assert codes(run, stops=True) == ["already-running"]


# --- what the real run would do


def task(number: str, depends: str = "none", *labels: str) -> str:
    facts = ("_Requirements: 1.1, 1.2, 2.1_", f"_Depends: {depends}_", *labels, f"_Check: pytest tests/t{number}.py_")
    return f"- [ ] {number}. Task {number}\n" + "".join(f"  - {fact}\n" for fact in facts)


def with_plan(*tasks: str):
    story = reviewing()
    story.edit("tasks", ("# Implementation Plan\n\n" + "".join(tasks)).encode())
    story.approve()
    return story


def begins(run) -> dict[str, float | None]:
    return {each.task.number: each.begins for each in run.tasks}


def run_of(story, **options):
    command = c.StartImplementation(spectask=ID, limits=Limits(), options=RunOptions(**options))
    return forecast(story.state, story.spectask, command, ADA, NOTHING_AMISS, story.spectask.updated)


def test_tasks_behind_one_whose_role_is_left_out_never_begin_and_that_is_asked():
    story = with_plan(task("1"), task("2", "1", "_Role: tester_"), task("3", "2", "_Role: tester_"), task("4", "none", "_Role: tester_"))
    run = run_of(story, roles=("tester",))
    assert begins(run) == {"4": 0, "2": None, "3": None}
    assert (codes(run, stops=False), run.seconds) == (["left-out"], GUESS.seconds)
    assert "never begin: 2, 3." in run.asks[0].text
    assert "--agents tester,implementer" in run.asks[0].hint


def test_a_run_in_which_nothing_would_begin_is_told_as_that():
    run = run_of(with_plan(task("1"), task("2", "1", "_Role: tester_")), roles=("tester",))
    assert (codes(run, stops=True), run.usd) == (["left-out"], Spread(0, 0, 0))


def test_tasks_that_need_the_same_thing_for_themselves_are_told_one_after_the_other():
    story = with_plan(*(task(str(number), "none", "_Uses: database:test_") for number in range(1, 7)))
    run = told(story)
    assert [each.begins for each in run.tasks] == [GUESS.seconds.likely * before for before in range(6)]
    assert run.speed_up == 1


def test_how_many_may_share_a_resource_counts():
    story = with_plan(*(task(str(number), "none", "_Uses: api:github (shared)_") for number in range(1, 5)))
    assert told(story).seconds == GUESS.seconds
    assert told(story, around=Surroundings(capacity=Capacity(resources={"api:github": 2}))).seconds == GUESS.seconds.times(2)


def test_the_limits_of_the_daemon_count_as_they_do_for_the_time_left():
    story = with_plan(*(task(str(number)) for number in range(1, 5)))
    assert told(story).seconds == GUESS.seconds
    for limit in (Capacity(sessions=2), Capacity(agents={story.spectask.agent: 2})):
        assert told(story, around=Surroundings(capacity=limit)).seconds == GUESS.seconds.times(2)


def test_a_task_for_the_case_of_a_failure_counts_only_where_things_go_badly():
    story = with_plan(task("1"), task("2", "none", "_When: task 1 failed_"), task("3", "2"))
    run = told(story)
    assert begins(run) == {"1": 0, "3": GUESS.seconds.likely, "2": None}
    assert [each.condition for each in run.tasks] == ["", "", "task 1 failed"]
    assert run.seconds == (GUESS.seconds.low * 2, GUESS.seconds.likely * 2, GUESS.seconds.high * 3)
    assert run.usd == pytest.approx((GUESS.usd.low * 2, GUESS.usd.likely * 2, GUESS.usd.high * 3))
    assert run.critical_path == ("1", "3")


def test_a_case_that_has_come_counts():
    story = with_plan(task("1"), task("2", "none", "_When: task 1 failed_"))
    story.start()
    story.give("1")
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="x"), DAEMON)
    assert begins(told(story))["2"] is not None


def test_an_interactive_run_says_that_it_would_ask_for_each_task_that_has_no_yes():
    story = with_plan(task("1"), task("2"))
    run = run_of(story, interactive=True)
    assert (codes(run, stops=False), run.could_run) == (["interactive"], True)
    assert "1, 2" in run.asks[0].text


def test_what_has_most_behind_it_begins_first():
    story = with_plan(task("1"), task("2"), task("3"), task("4"), task("5", "4"), task("6", "5"))
    run = told(story, places=2)
    story.start(max_parallel=2)
    assert {number for number, begin in begins(run).items() if begin == 0} == set(story.ready()) == {"1", "4"}
    assert run.seconds == GUESS.seconds.times(3)


def test_work_that_takes_longer_than_expected_is_not_told_as_unknown():
    story = with_plan(task("1"), task("2", "none", "_Estimate: 5h_"))
    story.start()
    story.give("1")
    run = told(story, after=7200.0, stop_usd=Decimal(40))
    assert run.critical_path == ("2",)


@pytest.mark.parametrize("limits", [{"places": 0}, {"places": -1}, {"stop_usd": Decimal("NaN")}, {"stop_usd": Decimal(-5)}])
def test_limits_that_no_run_can_have_are_told_with_a_sentence(limits):
    run = told(approved(), **limits)
    assert (run.could_run, run.tasks, len(run.asks)) == (False, (), 1)
    assert run.asks[0].text.endswith(".")


def test_a_plan_that_is_too_large_is_told_without_its_tasks():
    story = reviewing()
    story.edit("tasks", two_phases(520))
    run = told(story)
    assert (run.tasks, "more than 250,000 dependencies" in run.asks[-1].text) == ((), True)
