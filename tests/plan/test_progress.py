"""How much is done, and how long the rest takes: true in every state, whatever happens in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.ids import TaskNumber
from specthread.domain.model import DAEMON
from specthread.plan.capacity import Capacity, Crowd
from specthread.plan.estimate import GUESS, PLANNING_GUESS, Spread, history_of
from specthread.plan.progress import progress_of
from specthread.plan.remaining import remaining
from support.any_story import ANY_ORDER, play
from support.simulation import Simulation, planned
from support.situation import approved, implementing, planning, reviewing, working
from support.story import ID, TASKS, Story, check, oid, ws
from support.twenty_tasks import TWENTY, lower_bound, seconds

ESTIMATED = TASKS.replace(b"  - _Check: pytest tests/test_json.py_", b"  - _Check: pytest tests/test_json.py_\n  - _Estimate: 1h_").replace(
    b"  - _Check: pytest tests/test_cache.py_", b"  - _Check: pytest tests/test_cache.py_\n  - _Estimate: 3h_"
)


def percent_of(spectask, now) -> int:
    return progress_of(spectask, now)[0]


def phases_of(spectask, now):
    return progress_of(spectask, now)[1]


def percent(story: Story, later: float = 0) -> int:
    return percent_of(story.spectask, story.now + timedelta(seconds=later))


def phases(story: Story) -> dict[str, tuple[int, int, int]]:
    return {each.name: (each.percent, each.done, each.total) for each in phases_of(story.spectask, story.now)}


def estimated() -> Story:
    """Given a plan whose first task is estimated at one hour and its second at three."""
    story = reviewing()
    story.edit("tasks", ESTIMATED)
    story.approve()
    story.start()
    return story


# --- how much is done


def test_documents_count_when_they_are_written_and_more_when_they_are_approved():
    story = planning()
    assert percent(story) == 0
    story = reviewing()
    assert (percent(story), phases(story)["planning"]) == (6, (60, 0, 3))
    story.approve("requirements")
    assert (percent(story), phases(story)["planning"]) == (7, (73, 1, 3))
    story.approve("design", "tasks")
    assert (percent(story), phases(story)["planning"]) == (10, (100, 3, 3))


def test_the_whole_is_done_when_it_is_accepted_and_not_before():
    story = implementing()
    story.complete("1", "2", "3.1", "3.2")
    assert percent(story) == 95
    story.publish()
    assert (percent(story), phases(story)["tasks"], phases(story)["acceptance"]) == (97, (100, 4, 4), (50, 0, 1))
    story.do(c.AcceptSpecTask(spectask=ID, feature=story.spectask.feature))
    assert (percent(story), phases(story)["acceptance"]) == (100, (100, 1, 1))


def test_a_task_counts_for_what_is_estimated_under_it():
    story = estimated()
    story.complete("1")
    # One hour of 1 + 3 and twice the middle of what is written for the two that have no estimate.
    assert phases(story)["tasks"] == (int(100 / 10), 1, 4)
    story.complete("2")
    assert phases(story)["tasks"] == (40, 2, 4)


def test_a_task_at_work_counts_more_the_longer_its_agent_acts_and_never_whole():
    story = working()
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=1, reserve_usd=None), DAEMON)
    shares = [percent(story, later) for later in (0, 60, 600, 6_000, 600_000)]
    assert shares == sorted(shares)
    assert shares[0] < shares[2] < shares[-1] == int(10 + 85 * 0.9 / 4)
    story.claim()
    assert percent(story) == int(10 + 85 * 0.9 / 4)
    story.checked()
    assert percent(story) == int(10 + 85 * 0.9 / 4)


def test_what_was_done_stays_done_when_a_check_fails_or_a_merge_conflicts():
    story = working()
    story.claim()
    reached = percent(story)
    red = reports.FinishCheck(spectask=ID, session=ws(1), claim=1, verification=check("red"), text="red")
    story.do(red, DAEMON)
    assert story.spectask.tasks["1"].state == "in_progress"
    assert percent(story) == reached
    story.claim()
    story.checked()
    story.do(reports.RejectMerge(spectask=ID, session=ws(1), cause="conflict", text="x", conflict_with=oid(5)), DAEMON)
    assert percent(story) == reached


def test_a_session_that_waits_for_a_person_does_not_move_its_task():
    story = working()
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    assert percent(story, 60_000) == percent(story)


def test_an_optional_task_counts_once_it_is_chosen():
    story = implementing()
    assert phases(story)["tasks"][2] == 4
    story.do(c.StartImplementation(spectask=ID, limits=story.spectask.limits, tasks=(TaskNumber("4"),)))
    assert phases(story)["tasks"][2] == 5


def test_tasks_are_grouped_as_the_plan_groups_them():
    story = implementing()
    story.complete("1")
    (tasks,) = [phase for phase in phases_of(story.spectask, story.now) if phase.name == "tasks"]
    assert [(each.name, each.title, each.done, each.total) for each in tasks.phases] == [
        ("", "Implementation Plan", 1, 2),
        ("3", "Bring both together", 0, 2),
    ]


def test_a_plan_that_is_one_group_has_no_phases_below_its_tasks():
    world = Simulation()
    name = world.add("a", [planned("1"), planned("2")])
    assert [phase.phases for phase in phases_of(world.spectask(name), world.now)] == [(), (), ()]


# --- how long the rest takes


def left_of(story: Story, later: float = 0, crowd: Crowd | None = None):
    return remaining(story.state, story.spectask, story.now + timedelta(seconds=later), *filter(None, [crowd]))


def test_without_a_history_a_plan_takes_as_long_as_its_chain_of_guesses():
    made = left_of(implementing())
    assert (made.seconds, made.basis, made.until) == (GUESS.seconds.times(3), "guess", "acceptance")


def test_one_place_makes_it_longer_and_so_does_a_daemon_that_is_full():
    assert left_of(implementing(max_parallel=1)).seconds == GUESS.seconds.times(4)
    assert left_of(implementing(), crowd=Crowd(capacity=Capacity(sessions=1))).seconds == GUESS.seconds.times(4)


def test_what_people_wrote_counts_where_nothing_has_ended():
    made = left_of(estimated())
    assert made.seconds.likely == 3 * 3600 + 2 * GUESS.seconds.likely
    assert made.basis == "guess"


def test_ended_sessions_of_the_role_say_how_long_others_take():
    world = Simulation()
    world.add("old", [planned(str(number)) for number in range(1, 6)], max_parallel=5)
    world.play(lambda task: 100.0 * int(task.number))
    name = world.add("new", [planned("1"), planned("2", "1")])
    made = remaining(world.state, world.spectask(name), world.now)
    assert (made.basis, made.seconds) == ("history", pytest.approx((2 * 140, 2 * 300, 2 * 460)))


def test_what_is_under_way_takes_less_the_longer_it_is_under_way():
    story = working()
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=1, reserve_usd=None), DAEMON)
    ranges = [left_of(story, later).seconds for later in (0, 60, 400, 4_000)]
    assert ranges == sorted(ranges, reverse=True)
    assert all(each.high > 0 for each in ranges)


def test_the_planner_works_towards_a_review():
    story = planning()
    assert left_of(story, 30).seconds == PLANNING_GUESS
    story.do(reports.StartCall(spectask=ID, run=story.plan.id, turn=1, reserve_usd=None), DAEMON)
    made = left_of(story, 30)
    gone = 30 + (story.now - story.plan.active_since).total_seconds()
    assert (made.seconds, made.basis, made.until) == (Spread(*(each - gone for each in PLANNING_GUESS)), "guess", "review")


def test_a_night_in_which_a_session_waits_for_a_person_is_no_work():
    story = working()
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=1, reserve_usd=None), DAEMON)
    story.do(reports.AskQuestion(spectask=ID, run=ws(1), question="q", kind="question", text="Which?", choices=()), DAEMON)
    assert left_of(story, 30_000) == left_of(story)


@pytest.mark.parametrize("given_", [reviewing, approved])
def test_nothing_is_left_to_wait_for_where_nothing_goes_on(given_):
    assert left_of(given_()) is None


def test_the_clock_may_go_backwards():
    assert left_of(working(), -9_000_000).seconds == left_of(implementing()).seconds
    assert percent(working(), -9_000_000) == 10


@given(places=st.integers(1, 8), gone=st.floats(0, 5_000))
def test_the_range_holds_what_a_plan_takes_when_it_is_played(places, gone):
    """Twenty tasks that took before what they take now: the end lies in the range, which no schedule can beat."""
    world = Simulation()
    world.add("old", TWENTY, max_parallel=20)
    world.play(seconds)
    name = world.add("new", TWENTY, max_parallel=places)
    began = world.seconds
    made = remaining(world.state, world.spectask(name), world.now + timedelta(seconds=gone))
    taken = world.play(seconds) - began
    assert made.seconds.low <= taken <= made.seconds.high * 1.05
    assert made.seconds.high >= lower_bound(places)


def test_history_is_what_the_state_says_however_it_was_asked_before():
    world = Simulation()
    world.add("a", [planned(str(number)) for number in range(1, 8)], max_parallel=1)
    world.schedule()
    counts = []
    while world.at_work():
        before = world.state
        counts.append(history_of(world.state).estimate("demo", "implementer").sessions)
        world.seconds += 60
        world.merge(world.at_work()[0].id)
        world.schedule()
        assert history_of(before).estimate("demo", "implementer").sessions == counts[-1]
    assert counts == [0, 0, 0, 3, 4, 5, 6]


# --- whatever happens


@ANY_ORDER
@given(st.data())
def test_whatever_happens_the_figures_keep_what_they_promise(data):
    def judge(story: Story) -> None:
        later = data.draw(st.sampled_from([0.0, 30.0, 5_000.0, -5_000.0]))
        now = story.now + timedelta(seconds=later)
        for spectask in story.state.spectasks.values():
            whole = percent_of(spectask, now)
            assert 0 <= whole <= 100
            assert progress_of(spectask, now, 0) == (whole, ())
            assert (whole == 100) == (spectask.state == "done" or (spectask.state == "archived" and spectask.accepted_by != ""))
            for phase in (each for top in phases_of(spectask, now) for each in (top, *top.phases)):
                assert 0 <= phase.percent <= 100
                assert 0 <= phase.done <= phase.total
                assert (phase.percent == 100) == (0 < phase.total == phase.done)
            made = remaining(story.state, spectask, now)
            assert made is None or 0 <= made.seconds.low <= made.seconds.likely <= made.seconds.high

    play(data, judge)


STATES = ("open", "in_progress", "claimed", "verified", "merged", "blocked", "skipped")


@given(
    states=st.lists(st.sampled_from(STATES), min_size=1, max_size=12),
    optional=st.sets(st.integers(1, 12)),
    later=st.floats(0, 1e6),
    data=st.data(),
)
def test_a_task_that_is_verified_never_takes_the_whole_back(states, optional, later, data):
    world = Simulation()
    plan = [planned(str(number), optional=number in optional) for number in range(1, len(states) + 1)]
    spectask = world.spectask(world.add("a", plan, max_parallel=12))
    world.schedule()
    spectask, now = world.spectask("a"), world.now + timedelta(seconds=later)
    for number, state in enumerate(states, 1):
        spectask = with_state(spectask, str(number), state)
    for number in data.draw(st.permutations([number for number, state in enumerate(states, 1) if str(number) in counted(spectask)])):
        for state in ("verified", "merged") if spectask.tasks[str(number)].state not in {"merged", "skipped"} else ():
            after = with_state(spectask, str(number), state)
            assert percent_of(spectask, now) <= percent_of(after, now) < 100
            spectask = after


def with_state(spectask, number, state):
    return replace(spectask, tasks=spectask.tasks.set(TaskNumber(number), replace(spectask.tasks[TaskNumber(number)], state=state)))


def counted(spectask):
    """The tasks that count already: one that may be left out adds to the work when somebody begins it."""
    return {number for number, task in spectask.tasks.items() if not task.plan.optional or task.state not in {"open", "blocked"}}
