from __future__ import annotations

from decimal import Decimal

import pytest

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import TaskNumber
from specthread.domain.model import DAEMON
from support.situation import (
    GIVEN,
    approved,
    cancelled,
    done,
    failed,
    implementing,
    in_final_review,
    planning,
    planning_failed,
    reviewing,
    verifying,
    working,
)
from support.story import FASTER, ID, TASKS, limits, oid, plan, ws

CANCEL, RESUME, PAUSE = c.CancelSpecTask(spectask=ID), c.ResumeSpecTask(spectask=ID), c.PauseSpecTask(spectask=ID)
MORE = TASKS + b"- [ ] 5. Add a flag\n  - _Requirements: 1.1_\n  - _Depends: none_\n  - _Check: pytest tests/test_flag.py_\n"


def test_asking_for_a_spec_starts_the_planner():
    story = planning()
    assert story.kinds()[:2] == ["SpecTaskCreated", "PlanningStarted"]
    assert (story.spectask.state, story.plan.state, story.spectask.owner.name) == ("planning", "starting", "Ada")


def test_the_whole_way_leads_to_done():
    states = [given().spectask.state for given in (planning, reviewing, approved, implementing, in_final_review, done)]
    assert states == ["planning", "spec_review", "approved", "implementing", "implementation_review", "done"]


# --- revising


@pytest.mark.parametrize(
    ("given", "back"),
    [(reviewing, "spec_review"), (approved, "approved"), (implementing, "implementing"), (in_final_review, "implementing")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_revision_without_a_changed_word_goes_back_by_itself(given, back):
    story = given()
    story.request_changes()
    assert story.spectask.state == "revising"
    story.finish_planning()
    assert story.spectask.state == back


@pytest.mark.parametrize(
    ("given", "waits", "back", "version"),
    [
        (reviewing, "spec_review", "approved", 1),
        (approved, "revising", "approved", 2),
        (implementing, "revising", "implementing", 2),
        (in_final_review, "revising", "implementing", 2),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_revision_waits_for_approval_and_goes_back_to_where_it_came_from(given, waits, back, version):
    story = given()
    story.request_changes()
    story.write("requirements", FASTER)
    story.finish_planning()
    assert story.spectask.state == waits
    story.approve()
    assert (story.spectask.state, story.spectask.versions[-1].number) == (back, version)


def test_a_revision_that_was_sent_back_once_more_still_knows_where_it_came_from():
    story = implementing()
    story.request_changes()
    story.write("requirements", FASTER)
    story.finish_planning()
    story.request_changes()
    story.finish_planning()
    story.approve()
    assert story.spectask.state == "implementing"


def test_a_human_who_takes_the_changed_words_back_needs_no_new_approval():
    story = implementing()
    before = story.spectask.documents["requirements"].content
    story.request_changes()
    story.write("requirements", FASTER)
    story.finish_planning()
    story.edit("requirements", before)
    assert story.spectask.state == "implementing"


def test_changes_after_the_implementation_open_new_tasks_and_lead_to_review_again():
    story = in_final_review()
    story.request_changes("Add a flag")
    story.write("tasks", MORE)
    story.finish_planning()
    story.approve()
    assert story.ready() == ["5"]
    story.complete("5")
    story.publish()
    assert story.spectask.state == "implementation_review"


def test_a_revision_that_failed_is_taken_up_where_it_was():
    story = implementing()
    story.request_changes("Faster")
    story.do(reports.FailRun(spectask=ID, run=plan(2), reason="no answer"), DAEMON)
    assert story.spectask.state == "failed"
    story.do(RESUME)
    assert (story.spectask.state, story.plan.id, story.plan.purpose, story.plan.message) == ("revising", plan(3), "revise", "Faster")
    story.write("requirements", FASTER)
    story.finish_planning()
    story.approve()
    assert story.spectask.state == "implementing"


# --- pause, failure, cancellation


def test_a_pause_stops_starting_and_a_resume_goes_on():
    story = implementing()
    story.do(PAUSE)
    assert (story.spectask.paused, story.ready()) == (True, [])
    story.do(RESUME)
    assert (story.spectask.paused, story.ready()) == (False, ["1", "2"])


@pytest.mark.parametrize("given", ["reviewing", "approved", "working", "in final review"])
def test_a_cancelled_spectask_is_resumed_to_the_state_before(given):
    story = GIVEN[given]()
    before = story.spectask.state
    story.do(CANCEL)
    assert (story.spectask.state, story.spectask.reason) == ("cancelled", "cancelled by Ada")
    story.do(RESUME)
    assert (story.spectask.state, story.spectask.reason) == (before, "")


def test_planning_that_was_cancelled_goes_on_in_the_same_run():
    story = planning()
    story.do(CANCEL)
    assert story.do(RESUME) == (e.SpecTaskResumed(),)
    assert (story.spectask.state, story.plan.id) == ("planning", plan(1))


def test_planning_that_failed_starts_again_on_resume():
    story = planning_failed()
    assert (story.spectask.state, story.spectask.reason) == ("failed", "the model refused the key")
    story.do(RESUME)
    assert (story.spectask.state, story.plan.id, story.plan.state) == ("planning", plan(2), "starting")


def test_a_cancelled_planner_fails_the_spectask_until_it_is_resumed():
    story = planning()
    story.do(c.CancelRun(spectask=ID, run=plan()))
    assert (story.spectask.state, story.spectask.reason) == ("failed", "planning was cancelled")
    story.do(RESUME)
    assert story.spectask.state == "planning"


def test_documents_that_were_ready_are_not_planned_anew_on_resume():
    story = implementing()
    story.request_changes()
    story.write("requirements", FASTER)
    story.finish_planning()
    story.do(CANCEL)
    assert story.do(RESUME) == (e.SpecTaskResumed(),)
    story.approve()
    assert story.spectask.state == "implementing"


def test_a_planner_that_fails_after_the_cancellation_leaves_it_cancelled():
    story = planning()
    story.do(CANCEL)
    story.do(reports.FailRun(spectask=ID, run=plan(), reason="late"), DAEMON)
    assert story.spectask.state == "cancelled"
    story.do(RESUME)
    assert (story.spectask.state, story.plan.id) == ("planning", plan(2))


def test_an_approval_recorded_after_the_cancellation_is_kept_for_the_resume():
    story = reviewing()
    story.git = False
    story.approve()
    story.do(CANCEL)
    story.acknowledge()
    assert (story.spectask.state, len(story.spectask.versions)) == ("cancelled", 1)
    story.do(RESUME)
    assert story.spectask.state == "approved"


def test_a_spectask_that_failed_as_a_whole_is_resumed():
    story = working()
    story.record(e.SpecTaskFailed(reason="the repository is gone"))
    assert (story.spectask.state, story.spectask.reason) == ("failed", "the repository is gone")
    story.do(RESUME)
    assert story.spectask.state == "implementing"


@pytest.mark.parametrize("given", [done, cancelled, planning_failed], ids=lambda given: given.__name__)
def test_what_has_ended_is_archived_once(given):
    story = given()
    story.log_turns()
    story.do(c.ArchiveSpecTask(spectask=ID))
    assert story.spectask.state == "archived"
    assert story.refused(c.ArchiveSpecTask(spectask=ID)) == "already-archived"
    assert story.refused(RESUME) == "ended"


def test_what_is_done_while_paused_stays_done():
    story = in_final_review()
    story.do(PAUSE)
    story.do(c.AcceptSpecTask(spectask=ID, feature=None))
    assert story.spectask.state == "done"
    assert story.refused(RESUME) == "ended"


# --- skipping, limits


@pytest.mark.parametrize("given", [implementing, failed], ids=lambda given: given.__name__)
def test_a_skipped_task_lets_its_dependents_start(given):
    story = given()
    for number in ("1", "2"):
        story.do(c.SkipTask(spectask=ID, task=TaskNumber(number)))
    assert (story.task("1").state, story.ready()) == ("skipped", ["3.1"])


def test_new_limits_take_the_place_of_the_old_ones_while_it_runs():
    story = implementing()
    story.start(max_parallel=1, stop_usd=Decimal(7), user_set=True)
    assert (story.spectask.limits.max_parallel, story.ready()) == (1, ["1"])


# --- the end


def test_everything_merged_is_published_before_it_is_reviewed():
    story = implementing()
    story.complete("1", "2", "3.1", "3.2")
    assert story.spectask.state == "implementing"
    story.publish()
    assert (story.spectask.state, story.spectask.final) == ("implementation_review", story.spectask.feature)


@pytest.mark.parametrize("shown", [None, "whole", "short"])
def test_an_acceptance_is_bound_to_the_commit_that_was_looked_at(shown):
    story = in_final_review()
    tip = story.spectask.final
    feature = {None: None, "whole": tip, "short": tip[:38]}[shown]
    assert story.do(c.AcceptSpecTask(spectask=ID, feature=feature)) == (e.SpecTaskAccepted(feature=tip, person="Ada"),)
    assert (story.spectask.state, story.spectask.accepted_by) == ("done", "Ada")


def test_it_is_done_when_git_holds_the_acceptance():
    story = in_final_review()
    story.git = False
    story.do(c.AcceptSpecTask(spectask=ID, feature=None))
    assert story.spectask.state == "implementation_review"
    story.acknowledge()
    assert story.spectask.state == "done"


def test_a_publication_that_comes_too_late_moves_only_the_branch():
    story = implementing()
    story.complete("1", "2", "3.1", "3.2")
    story.edit("requirements", FASTER)
    story.publish()
    assert (story.spectask.state, story.spectask.final) == ("implementing", None)
    story.approve()
    story.publish()
    assert story.spectask.state == "implementation_review"
    assert story.do(reports.FinishFinal(spectask=ID, feature=story.spectask.feature), DAEMON) == ()


# --- sync


def test_a_sync_moves_the_feature_branch_and_nothing_starts_meanwhile():
    story = implementing()
    story.do(c.SyncTarget(spectask=ID))
    assert story.ready() == []
    assert story.refused(reports.StartSession(spectask=ID, task=TaskNumber("1")), DAEMON) == "not-running"
    story.do(reports.FinishSync(spectask=ID, feature=oid(5)), DAEMON)
    assert (story.spectask.feature, story.spectask.syncing, story.ready()) == (oid(5), False, ["1", "2"])


def test_a_sync_that_does_not_merge_says_why_until_the_next():
    story = implementing()
    before = story.spectask.feature
    story.do(c.SyncTarget(spectask=ID))
    story.do(reports.FinishSync(spectask=ID, feature=None, reason="main conflicts in a.py."), DAEMON)
    assert (story.spectask.feature, story.spectask.trouble) == (before, "main conflicts in a.py.")
    story.do(c.SyncTarget(spectask=ID))
    assert story.spectask.trouble == ""


def test_a_sync_in_the_final_review_is_published_and_looked_at_again():
    story = in_final_review()
    looked_at = story.spectask.final
    story.do(c.SyncTarget(spectask=ID))
    assert story.refused(c.AcceptSpecTask(spectask=ID, feature=None)) == "already-running"
    story.do(reports.FinishSync(spectask=ID, feature=oid(5)), DAEMON)
    assert story.spectask.state == "implementing"
    story.publish()
    assert story.refused(c.AcceptSpecTask(spectask=ID, feature=looked_at)) == "stale-version"
    story.do(c.AcceptSpecTask(spectask=ID, feature=None))


def test_a_sync_that_ends_after_the_cancellation_is_published_on_resume():
    story = in_final_review()
    story.do(c.SyncTarget(spectask=ID))
    story.do(CANCEL)
    story.do(reports.FinishSync(spectask=ID, feature=oid(5)), DAEMON)
    story.do(RESUME)
    assert story.spectask.state == "implementing"
    story.publish()
    assert story.spectask.state == "implementation_review"


# --- troubles


def test_a_trouble_is_told_once_and_until_it_is_over():
    story = working()
    bad = reports.ReportTrouble(spectask=ID, effect="WriteSpecs", reason="the disk is full")
    assert story.do(bad, DAEMON) == (e.EffectFailed(effect="WriteSpecs", reason="the disk is full"),)
    assert story.do(bad, DAEMON) == ()
    story.do(reports.ReportTrouble(spectask=ID, effect="MergeSessions", reason="git is gone"), DAEMON)
    assert story.spectask.trouble == "git is gone"
    story.do(reports.ReportTrouble(spectask=ID, effect="MergeSessions", reason=""), DAEMON)
    assert story.spectask.trouble == "the disk is full"
    story.do(reports.ReportTrouble(spectask=ID, effect="WriteSpecs", reason=""), DAEMON)
    assert story.spectask.trouble == ""


def test_work_that_broke_under_a_run_fails_the_run():
    story = verifying()
    story.do(reports.ReportTrouble(spectask=ID, effect="VerifyClaim ws-1", reason="a fault", run=ws(1)), DAEMON)
    assert (story.session().state, story.session().reason, story.task("1").state) == ("failed", "a fault", "blocked")


def test_new_limits_are_checked():
    story = approved()
    assert story.refused(c.StartImplementation(spectask=ID, limits=limits(stop_usd=Decimal("NaN")))) == "bad-limit"


def test_nothing_is_archived_before_git_holds_it():
    assert done().refused(c.ArchiveSpecTask(spectask=ID)) == "recording"
    story = working()
    story.log_turns()
    story.git = False
    story.do(c.CancelSpecTask(spectask=ID))
    assert story.refused(c.ArchiveSpecTask(spectask=ID)) == "recording"
