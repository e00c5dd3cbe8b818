from __future__ import annotations

from decimal import Decimal

import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.decide import HUMAN_COMMANDS
from specthread.domain.ids import RunId, TaskNumber
from specthread.domain.model import DAEMON
from specthread.domain.planned import task_order
from specthread.plan.capacity import Crowd
from specthread.plan.waiting import why_task_waiting, why_waiting
from support.situation import (
    GIVEN,
    approved,
    cancelled,
    done,
    failed,
    implementing,
    in_final_review,
    merging,
    planning,
    planning_failed,
    reviewing,
    verifying,
    waiting,
    working,
)
from support.story import ADA, FASTER, ID, TASKS, plan, ws

NEEDED = TASKS.replace(b"_Depends: 1, 2_", b"_Depends: 1, 2, 4_")


def why(story, identifier=ID) -> str:
    return why_waiting(story.state, identifier)


def why_task(story, number: str) -> str:
    return why_task_waiting(story.spectask, TaskNumber(number))


# --- what may start


def test_what_waits_for_nothing_starts_first_and_optional_tasks_do_not_start_by_themselves():
    assert implementing().ready() == ["1", "2"]


def test_a_task_starts_when_all_it_waits_for_is_merged_or_skipped():
    story = implementing()
    story.complete("1")
    assert story.ready() == ["2"]
    story.do(c.SkipTask(spectask=ID, task=TaskNumber("2")))
    assert story.ready() == ["3.1"]


def test_an_optional_task_starts_where_another_one_waits_for_it():
    story = reviewing()
    story.edit("tasks", NEEDED)
    story.approve()
    story.start()
    assert story.ready() == ["1", "2", "4"]
    assert why_task(story, "4") == "Begins in a moment."


@pytest.mark.parametrize(("places", "ready"), [(1, ["1"]), (2, ["1", "2"]), (9, ["1", "2"])])
def test_no_more_start_than_there_are_places(places, ready):
    assert implementing(max_parallel=places).ready() == ready


def test_a_session_at_work_holds_a_place_and_one_that_waits_for_a_human_holds_none():
    story = working(max_parallel=1)
    assert story.ready() == []
    story.do(reports.AskQuestion(spectask=ID, run=ws(1), question="q", kind="question", text="Which?"), DAEMON)
    assert story.ready() == ["2"]


@pytest.mark.parametrize("given", [reviewing, approved, cancelled, in_final_review, done], ids=lambda given: given.__name__)
def test_nothing_starts_outside_the_implementation(given):
    assert given().ready() == []


def test_numbers_are_ordered_as_people_read_them():
    assert sorted(["10", "2.1", "2", "2.10", "2.2", "1a"], key=task_order) == ["1a", "2", "2.1", "2.2", "2.10", "10"]


# --- why a SpecTask waits

SENTENCES = {
    "planning": "The planner writes the documents; so far none.",
    "reviewing": f"Waits for your approval of requirements, design, tasks: `specthread review {ID}`.",
    "approved": f"Approved; `specthread run {ID}` starts the work.",
    "implementing": "0 sessions at work, 0 of 5 tasks merged.",
    "working": "1 session at work, 0 of 5 tasks merged.",
    "waiting": "ws-1 asks you: Tabs or spaces?",
    "failed": f"Task 1 is blocked: ws-1 failed: no more ideas. `specthread retry {ID}/ws-1` tries again, `specthread skip {ID} 1` goes on without it.",
    "in final review": f"Everything is merged and verified; waits for you: `specthread accept {ID}`.",
    "done": "Done; accepted by Ada.",
    "cancelled": f"Cancelled: cancelled by Ada. `specthread resume {ID}` takes it up again.",
    "planning failed": f"Failed: the model refused the key. `specthread resume {ID}` takes it up again.",
}


@pytest.mark.parametrize("given", SENTENCES)
def test_a_spectask_says_what_it_waits_for(given):
    assert why(GIVEN[given]()) == SENTENCES[given]


def test_an_unknown_id_waits_for_nothing():
    story = working()
    assert [why(story, unknown) for unknown in ("nobody", "nobody/ws-1", f"{ID}/ws-9")] == ["", "", ""]


def test_a_revision_is_named_as_one():
    story = approved()
    story.request_changes()
    assert why(story) == "The planner revises the documents; turn 1."


def test_a_revision_of_running_work_waits_for_the_changed_documents():
    story = implementing()
    story.request_changes()
    story.write("requirements", FASTER)
    story.finish_planning()
    assert why(story) == f"Waits for your approval of requirements: `specthread review {ID}`."


@pytest.mark.parametrize("given", [reviewing, approved, implementing, in_final_review], ids=lambda given: given.__name__)
def test_what_git_does_not_hold_yet_is_being_recorded(given):
    story = given()
    story.edit("requirements", FASTER)
    story.git = False
    story.approve()
    assert why(story) == "Recording the approval in git…"


def test_a_start_that_git_does_not_hold_yet_is_being_recorded():
    story = approved()
    story.git = False
    story.start()
    assert why(story) == "Recording your decision in git…"


def test_an_acceptance_that_git_does_not_hold_yet_is_being_recorded():
    story = in_final_review()
    story.git = False
    story.do(c.AcceptSpecTask(spectask=ID, feature=None))
    assert why(story) == "Recording the acceptance in git…"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (approved, "requirements changed after approval: approve the present words to go on."),
        (implementing, "requirements changed after approval; tasks 2, 3.1, 4 wait for your approval."),
        (in_final_review, "requirements changed after approval: approve the present words, then accept."),
    ],
    ids=["approved", "implementing", "in final review"],
)
def test_a_changed_word_waits_for_approval(given, sentence):
    story = given()
    story.edit("requirements", FASTER)
    assert why(story) == sentence


def test_a_new_task_waits_for_approval_and_holds_nothing_else():
    story = implementing()
    story.edit("tasks", TASKS + b"- [ ] 5. More\n  - _Requirements: 1.1_\n  - _Check: pytest_\n")
    assert (why(story), story.ready()) == ("tasks changed after approval; the rest waits for your approval.", ["1", "2"])


@pytest.mark.parametrize("given", [approved, implementing, in_final_review], ids=lambda given: given.__name__)
def test_a_sync_is_told(given):
    story = given()
    story.do(c.SyncTarget(spectask=ID))
    assert why(story) == "main is being merged into the feature branch."


def test_the_last_publication_is_told():
    story = implementing()
    story.complete("1", "2", "3.1", "3.2")
    assert why(story) == "All tasks are merged; publishing the result…"


def test_a_needed_optional_task_that_failed_blocks():
    story = reviewing()
    story.edit("tasks", NEEDED)
    story.approve()
    story.start()
    story.complete("1", "2")
    story.give("4")
    story.do(c.CancelRun(spectask=ID, run=ws(3)))
    assert (
        why(story)
        == f"Task 4 is blocked: ws-3 cancelled: ended by a human. `specthread retry {ID}/ws-3` tries again, `specthread skip {ID} 4` goes on without it."
    )


def test_a_pause_and_a_trouble_come_before_everything_else():
    story = working()
    story.do(c.PauseSpecTask(spectask=ID))
    assert why(story) == f"Paused; `specthread resume {ID}` lets it go on."
    story.do(reports.ReportTrouble(spectask=ID, effect="WriteSpecs", reason="The disk is full.\nerrno 28"), DAEMON)
    assert why(story) == "In trouble: The disk is full."


def test_several_questions_are_counted():
    story = waiting()
    story.give("2")
    story.do(reports.AskQuestion(spectask=ID, run=ws(2), question="q2", kind="question", text="Which?\nA or B?"), DAEMON)
    assert why(story) == "ws-1 asks you: Tabs or spaces? (1 more wait)"
    story.git = False
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="Tabs"))
    assert why(story) == "ws-2 asks you: Which?"


def test_an_archived_spectask_says_so():
    story = done()
    story.log_turns()
    story.do(c.ArchiveSpecTask(spectask=ID))
    assert why(story) == "Archived."


# --- why a run waits


@pytest.mark.parametrize(
    ("given", "run", "sentence"),
    [
        (planning, plan(), "Its worktree is being made."),
        (reviewing, plan(), "Finished."),
        (planning_failed, plan(), "Failed: the model refused the key."),
        (working, ws(1), "The agent works; turn 2."),
        (waiting, ws(1), f'Waits for your answer: Tabs or spaces? — `specthread answer {ws(1)} "…"`.'),
        (verifying, ws(1), "The daemon runs the check on the committed work."),
        (merging, ws(1), "Verified; its merge is being checked."),
        (failed, ws(1), "Failed: no more ideas."),
        (cancelled, ws(1), f"The SpecTask is cancelled: cancelled by Ada. `specthread resume {ID}` takes it up again."),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_run_says_what_it_waits_for(given, run, sentence):
    assert why(given(), run) == sentence


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (c.PauseRun(spectask=ID, run=ws(1)), f"Paused; `specthread resume {ws(1)}` lets it go on."),
        (c.CancelRun(spectask=ID, run=ws(1)), "Cancelled by a human."),
        (c.PauseSpecTask(spectask=ID), f"The SpecTask is paused; `specthread resume {ID}` lets it go on."),
        (reports.InterruptRuns(spectask=ID), "The daemon had stopped; it resumes by itself."),
        (reports.FailRun(spectask=ID, run=ws(1), reason=""), "Failed: no reason was given."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_run_says_what_was_done_to_it(command, sentence):
    story = working()
    story.do(command, ADA if type(command) in HUMAN_COMMANDS else DAEMON)
    assert why(story, ws(1)) == sentence


def test_an_answer_that_git_does_not_hold_yet_is_being_recorded():
    story = waiting()
    story.git = False
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="Tabs"))
    assert why(story, ws(1)) == "Recording your answer in git…"


def test_a_verified_session_whose_words_changed_waits_for_approval():
    story = merging()
    story.edit("design", b"# Design\n\nTwo functions.\n")
    assert why(story, ws(1)) == "Verified; waits for a new approval before it is merged."
    assert why_task(story, "1") == "Verified; waits for a new approval before it is merged."


def test_a_run_that_waits_for_money_says_how_much():
    story = working()
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=2, reserve_usd=Decimal(51)), DAEMON)
    assert "$51.00" in why(story, RunId(ws(1)))


# --- why a task waits


@pytest.mark.parametrize(
    ("given", "number", "sentence"),
    [
        (approved, "1", f"Waits for `specthread run {ID}`."),
        (implementing, "1", "Begins in a moment."),
        (implementing, "3.1", "Waits for tasks 1, 2."),
        (implementing, "3.2", "Waits for task 3.1."),
        (implementing, "4", "Optional: it is not started by itself."),
        (working, "1", "The agent works; turn 2."),
        (verifying, "1", "The daemon runs the check on the committed work."),
        (merging, "1", "Verified; its merge is being checked."),
        (
            failed,
            "1",
            f"ws-1 failed: no more ideas. `specthread retry {ID}/ws-1` tries again, `specthread skip {ID} 1` goes on without it.",
        ),
        (cancelled, "2", f"Cancelled: cancelled by Ada. `specthread resume {ID}` takes it up again."),
        (in_final_review, "1", "Merged."),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_task_says_what_it_waits_for(given, number, sentence):
    assert why_task(given(), number) == sentence


def test_a_task_says_what_a_human_did_to_it():
    story = implementing()
    story.do(c.SkipTask(spectask=ID, task=TaskNumber("1")))
    assert why_task(story, "1") == "Skipped."
    story.do(c.PauseSpecTask(spectask=ID))
    assert why_task(story, "2") == f"Paused; `specthread resume {ID}` lets it go on."


def test_a_task_says_that_its_words_changed():
    story = implementing()
    story.complete("2")
    story.edit("requirements", FASTER.replace(b"newline", b"line feed"))
    assert why_task(story, "1") == "Its approved words changed; waits for a new approval."
    story.approve()
    assert why_task(story, "2") == "Merged; a requirement behind it changed since."


def test_model_calls_that_fail_are_told_until_one_returns():
    story = working()
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=2, reserve_usd=None), DAEMON)
    story.do(reports.LoseCall(spectask=ID, run=ws(1), call=2, turn=2, reason="overloaded: HTTP 529."), DAEMON)
    said = "The agent waits: its model call failed once, last with “overloaded: HTTP 529”. It is tried again."
    assert why_waiting(story.state, ws(1)) == said
    story.call(ws(1))
    assert why_waiting(story.state, ws(1)) == "The agent works; turn 3."


# --- what the provider of model calls is waited for


HELD = "Waits for models.example: limit 3 of 6 after “overloaded”; tried again at 12:00:40."


def test_a_run_whose_call_waits_for_its_provider_says_so_and_so_does_a_spectask_that_has_nothing_else_at_work():
    story = working()
    working_runs = [session.id for session in story.spectask.sessions.values() if session.ended is None]
    held = dict.fromkeys(working_runs, HELD)
    assert why_waiting(story.state, working_runs[0], Crowd(held=held)) == HELD
    assert why_waiting(story.state, ID, Crowd(held=held)) == HELD
    assert why_waiting(story.state, ID, Crowd(held={RunId("other-1111/ws-1"): HELD})) == why(story)


def test_a_spectask_of_which_only_a_part_waits_says_what_is_at_work():
    story = implementing()
    for number in ("1", "2"):
        story.do(reports.StartSession(spectask=ID, task=TaskNumber(number)), DAEMON)
    one = next(iter(story.spectask.sessions))
    assert "2 sessions at work" in why_waiting(story.state, ID, Crowd(held={one: HELD}))
