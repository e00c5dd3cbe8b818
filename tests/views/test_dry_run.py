from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from specthread.domain import commands as c
from specthread.domain.ids import RunId, SpecTaskId, TaskNumber
from specthread.domain.model import Limits, Refusal
from specthread.domain.run import Spend, WorkSession
from specthread.plan.estimate import GUESS, Spread, history_of
from specthread.views.dry_run import Surroundings, forecast
from support.situation import approved, cancelled, implementing, reviewing, working
from support.story import ADA, FASTER, ID, TASKS, ws

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
