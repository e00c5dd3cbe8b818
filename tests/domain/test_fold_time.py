"""The time of an agent: nothing of what stops a SpecTask as a whole counts as its work, whoever or whatever stopped it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import TaskNumber
from specthread.domain.model import DAEMON
from specthread.domain.state import State, apply
from specthread.plan.estimate import GUESS
from specthread.plan.progress import progress_of
from specthread.plan.remaining import remaining, task_seconds
from support.family import let_back, rest_for, settle, spawn
from support.situation import planning, working
from support.story import ID, Story, finish, plan, ws

HOUR = 3_600.0


def calling(number: int = 1) -> Story:
    """Given a session whose agent has acted for some seconds, and does."""
    story = working()
    story.do(reports.StartCall(spectask=ID, run=ws(number), turn=2, reserve_usd=None), DAEMON)
    return story


def using_tools(story: Story) -> Story:
    """Given an agent that uses two tools, one after the other."""
    reply = {"content": [{"kind": "tool_use", "id": name, "name": "shell", "input": {"command": "make"}} for name in ("a", "b")]}
    story.do(replace(finish(ws(1), 2, 2), reply=reply), DAEMON)
    return story


def acted(story: Story) -> float:
    session = story.session()
    return session.worked + ((story.now - session.active_since).total_seconds() if session.active_since else 0)


def left(story: Story) -> float:
    """Returns what is left of the session's task, or of the planning."""
    if story.spectask.state == "planning":
        found = remaining(story.state, story.spectask, story.now)
        assert found is not None
        return found.seconds.likely
    return task_seconds(story.spectask, TaskNumber("1"), GUESS, story.now).likely


def replayed(story: Story) -> State:
    state = State()
    for envelope in story.log:
        state = apply(state, envelope)
    return state


def pause(story: Story) -> None:
    story.do(c.PauseSpecTask(spectask=ID))


def cancel(story: Story) -> None:
    story.do(c.CancelSpecTask(spectask=ID))


def fail(story: Story) -> None:
    """The planner of a revision gives up while sessions work."""
    story.request_changes()
    story.do(reports.FailRun(spectask=ID, run=plan(2), reason="no more ideas"), DAEMON)


@pytest.mark.parametrize("stop", [pause, cancel, fail])
@pytest.mark.parametrize("about", [lambda story: story, using_tools])
def test_what_passes_while_a_spectask_is_stopped_is_no_work(stop, about):
    story = about(calling())
    stop(story)
    before, percent = acted(story), progress_of(story.spectask, story.now)[0]
    assert story.session().doing == ""
    story.passed += HOUR
    assert (acted(story), progress_of(story.spectask, story.now)[0]) == (before, percent)
    # What a tool did is journalled all the same, and starts no clock.
    story.do(reports.FinishTool(spectask=ID, run=ws(1), turn=2, tool_use_id="a", content="ok"), DAEMON)
    story.passed += HOUR
    story.do(c.ResumeSpecTask(spectask=ID))
    story.come_back()
    story.passed += HOUR
    assert acted(story) == before
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=3, reserve_usd=None), DAEMON)
    story.passed += 7
    assert acted(story) == before + 7
    assert replayed(story) == story.state


def test_the_time_that_is_left_does_not_pass_while_a_spectask_or_a_session_is_paused():
    story = calling()
    pause(story)
    before = left(story)
    story.passed += HOUR
    assert left(story) == before
    story.do(c.ResumeSpecTask(spectask=ID))
    story.passed += HOUR
    story.come_back()
    assert left(story) == before
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    story.passed += HOUR
    assert left(story) == before


def test_the_planner_does_not_act_while_its_spectask_is_paused():
    story = planning()
    story.do(reports.StartCall(spectask=ID, run=plan(), turn=1, reserve_usd=None), DAEMON)
    pause(story)
    before, worked = left(story), story.plan.worked
    story.passed += HOUR
    story.do(c.ResumeSpecTask(spectask=ID))
    assert (left(story), story.plan.worked, story.plan.active_since) == (before, worked, None)


def test_an_agent_does_not_act_while_it_waits_for_other_sessions():
    story = working()
    child = spawn(story)
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=2, reserve_usd=None), DAEMON)
    using_tools(story)
    rest_for(story, 1)
    before = acted(story)
    story.passed += HOUR
    assert acted(story) == before
    story.do(c.CancelRun(spectask=ID, run=ws(child)))
    settle(story)
    let_back(story)
    assert story.session().state == "running"
    assert acted(story) == before


@pytest.mark.parametrize("about", [lambda story: story, using_tools])
def test_what_passes_while_no_daemon_runs_is_no_work_however_often_it_dies(about):
    story = about(calling())
    story.passed += 60
    before, alive = acted(story), story.now
    for _ in range(2):
        story.passed += HOUR
        story.do(reports.InterruptRuns(spectask=ID, alive=alive), DAEMON)
        assert acted(story) == before
        # Going on, it says of one of two tools that it was cut off, and dies again.
        story.do(reports.FinishTool(spectask=ID, run=ws(1), turn=2, tool_use_id="a", content="interrupted"), DAEMON)
        alive = story.now
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=3, reserve_usd=None), DAEMON)
    story.passed += 7
    assert acted(story) == pytest.approx(before + 7, abs=3)
    assert replayed(story) == story.state


def test_an_old_log_that_does_not_tell_when_the_daemon_died_counts_what_its_spectask_tells():
    story = calling()
    before = acted(story)
    story.passed += HOUR
    story.record(e.RunInterrupted(run=ws(1)))
    assert acted(story) == before


@pytest.mark.parametrize("seconds", [3_600, -3_600])
def test_what_a_clock_jumps_is_no_work(seconds):
    story = calling()
    story.passed += 60
    before, rest = acted(story), left(story)
    story.passed += seconds
    story.do(reports.NoteClockJump(spectask=ID, seconds=seconds), DAEMON)
    assert (acted(story), left(story)) == (before + 1, rest - 1)
    assert replayed(story) == story.state


def test_a_clock_that_jumps_while_nobody_acts_is_not_told():
    assert working().do(reports.NoteClockJump(spectask=ID, seconds=3_600), DAEMON) == ()
