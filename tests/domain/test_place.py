"""Who comes back by an answer, a resume, a retry or the end of a wait asks for a place, and goes before what is new."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.model import DAEMON
from specthread.domain.run_options import RunOptions
from specthread.plan.capacity import Capacity
from specthread.plan.schedule import ready
from specthread.plan.waiting import why_waiting
from support.situation import approved, merging, waiting, working
from support.story import ADA, ID, limits, ws


def asks(number):
    return reports.AskQuestion(spectask=ID, run=ws(number), question=f"q{number}", kind="question", text="Tabs or spaces?")


def test_an_answer_is_kept_at_once_and_the_session_waits_for_its_place():
    story = working(max_parallel=1)
    story.do(asks(1), DAEMON)
    story.give("2")
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="Tabs"))
    assert (story.session(1).state, story.session(1).question.answer) == ("pending", "Tabs")
    assert why_waiting(story.state, ws(1)) == "Waits for a free place to go on (1 of 1 at work)."
    assert story.refused(reports.GivePlace(spectask=ID, session=ws(1)), DAEMON) == "not-ready"
    story.do(c.SayToRun(spectask=ID, run=ws(1), text="Four of them"))
    story.do(c.PauseRun(spectask=ID, run=ws(2)))
    # It goes before what is new.
    assert story.begins() == (reports.GivePlace(spectask=ID, session=ws(1)),)
    assert why_waiting(story.state, ws(1)) == "Goes on in a moment."
    story.come_back(1)
    assert story.session(1).state == "running"


def test_what_is_tried_again_goes_before_new_tasks_and_fail_fast_does_not_hold_it_up():
    story = approved()
    options = RunOptions(fail_fast=True)
    story.do(c.StartImplementation(spectask=ID, limits=limits(max_parallel=1), options=options))
    story.give("1")
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="no more ideas"), DAEMON)
    assert story.begins() == ()
    story.do(c.RetryRun(spectask=ID, run=ws(1)))
    assert story.begins() == (reports.GivePlace(spectask=ID, session=ws(1)),)


def test_one_at_a_time_what_is_tried_again_waits_for_the_end_of_the_other():
    story = approved()
    story.do(c.StartImplementation(spectask=ID, limits=limits(), options=RunOptions(mode="sequential")))
    story.give("1")
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="no more ideas"), DAEMON)
    story.give("2")
    story.do(c.RetryRun(spectask=ID, run=ws(1)))
    story.do(asks(2), DAEMON)
    assert story.begins() == ()
    assert why_waiting(story.state, ws(1)) == "Waits for ws-2 to end: one task at a time."
    story.do(c.CancelRun(spectask=ID, run=ws(2)))
    # Nor do two that are tried again wait for each other.
    story.do(c.RetryRun(spectask=ID, run=ws(2)))
    assert story.begins() == (reports.GivePlace(spectask=ID, session=ws(1)),)


def test_of_a_spectask_that_goes_on_as_many_come_back_as_there_are_places():
    story = working(max_parallel=2)
    story.give("2")
    story.do(c.PauseSpecTask(spectask=ID))
    story.do(c.ResumeSpecTask(spectask=ID))
    assert [story.session(number).state for number in (1, 2)] == ["pending", "pending"]
    # Elsewhere there is one place only.
    assert ready(story.state, Capacity(sessions=1), story.now) == (reports.GivePlace(spectask=ID, session=ws(1)),)


def test_a_session_that_works_when_the_daemon_dies_keeps_its_place_and_one_that_waits_for_its_place_goes_on_waiting():
    story = working(max_parallel=1)
    story.do(asks(1), DAEMON)
    story.give("2")
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="Tabs"))
    story.do(reports.InterruptRuns(spectask=ID), DAEMON)
    assert [story.session(number).state for number in (1, 2)] == ["pending", "interrupted"]
    assert story.begins() == ()


def test_a_merge_that_git_made_while_its_session_waits_for_a_place_counts():
    story = merging()
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    story.do(c.ResumeRun(spectask=ID, run=ws(1)))
    assert story.session().state == "pending"
    story.merged()
    assert (story.session().state, story.task("1").state) == ("completed", "merged")


def test_a_log_of_before_lets_a_session_go_on_at_once():
    story = waiting()
    story.record(e.QuestionAnswered(run=ws(1), question="q1", answer="Tabs", person="Ada"), ADA)
    story.record(e.RunResumed(run=ws(1)))
    assert story.session().state == "running"
    story.record(e.RunPaused(run=ws(1)))
    story.record(e.RunResumed(run=ws(1)))
    assert story.session().state == "running"
