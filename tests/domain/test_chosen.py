"""A human may let tasks run one by one; what one needs comes along, and nothing else begins."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.plan.waiting import unchosen_tasks, why_task_waiting, why_waiting
from specthread.views.progress import needs
from support.situation import approved, implementing
from support.story import ID


def start(story, *tasks):
    return story.do(c.StartImplementation(spectask=ID, limits=story.spectask.limits, tasks=tasks))


def test_one_task_that_is_started_runs_alone():
    story = approved()
    start(story, "2")
    assert story.spectask.state == "implementing"
    assert story.ready() == ["2"]
    assert why_task_waiting(story.spectask, "1") == "Waits until you start it."


def test_what_a_started_task_waits_for_comes_along():
    story = approved()
    (started,) = start(story, "3.1")
    assert started.tasks == ("1", "2", "3.1")
    assert story.ready() == ["1", "2"]


def test_when_the_started_tasks_are_done_the_others_wait_for_the_human():
    story = approved()
    start(story, "1")
    story.complete("1")
    assert story.ready() == []
    assert story.spectask.state == "implementing"
    assert unchosen_tasks(story.spectask) == ("2", "3.1", "3.2")
    assert why_waiting(story.state, ID) == "What you started is done; tasks 2, 3.1, 3.2 wait until you start them."
    assert [need.kind for need in needs(story.spectask)] == ["run"]


def test_a_later_task_joins_and_starting_without_a_name_starts_the_rest():
    story = approved()
    start(story, "1")
    start(story, "2")
    assert story.ready() == ["1", "2"]
    start(story)
    story.complete("1", "2")
    assert story.ready() == ["3.1"]


def test_an_optional_task_joins_what_runs_already():
    story = implementing()
    assert "4" not in story.ready()
    start(story, "4")
    assert "4" in story.ready()
    assert "1" in story.ready()


def test_what_runs_already_or_is_unknown_or_done_is_not_started_again():
    story = implementing()
    ask = {task: c.StartImplementation(spectask=ID, limits=story.spectask.limits, tasks=(task,)) for task in ("1", "9")}
    assert story.refused(ask["1"]) == "already-running"
    assert story.refused(ask["9"]) == "unknown-id"
    story.complete("1")
    assert story.refused(ask["1"]) == "wrong-state"
