from __future__ import annotations

from decimal import Decimal

import pytest

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.model import DAEMON
from support.situation import failed, implementing, merging, reviewing, verifying, working
from support.story import ID, TASKS, oid, ws


def conflict(number: int = 1, text: str = "a.py conflicts", cause: str = "conflict") -> reports.RejectMerge:
    return reports.RejectMerge(spectask=ID, session=ws(number), cause=cause, text=text, conflict_with=oid(0xFEA))


def boxes(story) -> dict[str, bool]:
    lines = [line.strip() for line in story.text("tasks").splitlines() if line.strip().startswith("- [")]
    return {line.split("] ")[1].split()[0].rstrip("."): line.startswith("- [x]") for line in lines if "]*" not in line}


# --- start and claim


def test_a_session_begins_at_the_feature_tip_of_that_moment():
    story = implementing()
    tip = story.spectask.feature
    session = story.give("1")
    assert (session.id, session.start, session.attempt, session.role) == (ws(1), tip, 1, "implementer")
    assert (story.task("1").state, story.task("1").session) == ("in_progress", ws(1))


def test_a_claim_is_believed_only_after_a_check():
    story = verifying()
    assert (story.session().state, story.task("1").state, story.session().claims) == ("verifying", "claimed", 1)
    story.checked()
    assert (story.session().state, story.task("1").state) == ("merging", "verified")
    assert story.session().verified_seq == story.log[-1].seq


def test_green_before_and_after_is_weak():
    story = verifying()
    story.checked(outcome="weak")
    assert (story.task("1").state, story.task("1").weak) == ("verified", True)


# --- sent back


@pytest.mark.parametrize("outcome", ["red", "no-work", "unexplained"])
def test_work_that_does_not_pass_goes_back_three_times_and_then_fails(outcome):
    story = verifying()
    for correction in (1, 2, 3):
        _, back = story.checked(outcome=outcome, text="2 failed\nsee below")
        assert (back.cause, back.text, story.session().send_backs) == ("check", "2 failed\nsee below", correction)
        assert (story.session().state, story.task("1").state) == ("running", "in_progress")
        story.claim()
    story.checked(outcome=outcome, text="2 failed\nsee below")
    assert (story.session().state, story.task("1").state) == ("failed", "blocked")
    assert story.session().reason == "the work did not pass verification after 3 corrections: 2 failed"


def test_a_failure_without_words_names_the_outcome():
    story = verifying()
    for _ in range(3):
        story.checked(outcome="red", text="")
        story.claim()
    story.checked(outcome="red", text="")
    assert story.session().reason.endswith("corrections: red")


def test_a_check_that_could_not_run_asks_and_goes_on_by_the_answer():
    story = verifying()
    _, asked = story.checked(outcome="cannot-run", text="exit 127")
    assert (story.session().state, asked.question, asked.text) == ("waiting", "check-1", "The check of task 1 could not run: exit 127")
    story.git = False
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="pytest is installed now"))
    assert story.session().state == "waiting"
    story.acknowledge()
    story.come_back()
    assert (story.session().state, story.session().send_backs) == ("running", 0)
    told = next(envelope.event for envelope in reversed(story.log) if isinstance(envelope.event, e.SessionSentBack))
    assert told.text == "The check could not run. A human says: pytest is installed now"
    story.claim()
    story.checked()
    assert story.session().state == "merging"


# --- merge


def test_a_conflict_lets_the_session_run_again_twice_and_then_fails():
    story = merging()
    for again in (1, 2):
        story.do(conflict(), DAEMON)
        session = story.session()
        assert (session.state, session.conflicts, session.conflict_with) == ("running", again, oid(0xFEA))
        story.claim()
        story.checked()
        assert story.session().conflict_with is None
    story.do(conflict(text=""), DAEMON)
    assert (story.session().state, story.task("1").state) == ("failed", "blocked")
    assert story.session().reason == "the work could not be merged after 2 further tries: conflict"


def test_a_red_check_of_the_merged_tree_counts_as_a_conflict_and_not_as_a_correction():
    story = merging()
    story.do(conflict(cause="merged-check"), DAEMON)
    assert (story.session().conflicts, story.session().send_backs) == (1, 0)


def test_a_merge_moves_the_feature_branch_and_frees_the_dependents():
    story = implementing()
    story.complete("1")
    assert story.ready() == ["2"]
    story.complete("2")
    assert story.ready() == ["3.1"]
    assert (story.session(2).state, story.session(2).merged) == ("completed", story.spectask.feature)
    assert story.task("2").merged == story.spectask.feature


def test_a_merge_of_a_session_that_was_paused_meanwhile_is_recorded():
    story = merging()
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    story.merged()
    assert (story.session().state, story.task("1").state) == ("completed", "merged")


# --- ticks


def test_boxes_are_ticked_by_merges_only_and_a_parent_with_its_last_leaf():
    story = implementing()
    nothing = {"1": False, "2": False, "3": False, "3.1": False, "3.2": False}
    for number in ("1", "2"):
        session = story.give(number).number
        story.claim(session)
        story.checked(session)
    assert boxes(story) == nothing
    story.merged(1)
    story.merged(2)
    assert boxes(story) == nothing | {"1": True, "2": True}
    story.complete("3.1")
    assert boxes(story) == nothing | {"1": True, "2": True, "3.1": True}
    story.complete("3.2")
    assert all(boxes(story).values())


def test_the_tick_is_the_daemons_and_keeps_every_other_byte():
    story = implementing()
    story.complete("1")
    (tick,) = [envelope.event for envelope in story.log if isinstance(envelope.event, e.DocumentEdited) and envelope.event.kind == "tick"]
    assert (tick.author, tick.content) == ("Specthread", TASKS.replace(b"- [ ] 1.", b"- [x] 1."))


def test_a_box_that_a_human_ticked_already_is_left_as_it_is():
    story = implementing()
    story.edit("tasks", TASKS.replace(b"- [ ] 1.", b"- [X] 1."))
    story.complete("1")
    assert (story.task("1").state, "- [X] 1." in story.text("tasks")) == ("merged", True)


def test_a_child_is_found_under_its_parent_however_it_is_numbered():
    story = reviewing()
    outline = TASKS.replace(b"3.1 Wire", b"5.1 Wire").replace(b"3.2 Write", b"5.2 Write").replace(b"Depends: 3.1", b"Depends: 5.1")
    story.edit("tasks", outline)
    story.approve()
    story.start()
    story.complete("1", "2", "5.1")
    assert not boxes(story)["3"]
    story.complete("5.2")
    assert boxes(story)["3"]


# --- another try


def test_a_retry_goes_on_in_the_same_place_with_the_next_attempt():
    story = failed()
    start = story.session().start
    story.complete("2")
    (started,) = story.do(c.RetryRun(spectask=ID, run=ws(1)))
    assert (started.attempt, started.start, started.fresh) == (2, start, False)
    session = story.session()
    assert (session.state, session.number, story.task("1").state) == ("pending", 1, "in_progress")
    story.come_back()
    assert story.session().state == "starting"
    assert (session.first_turn, session.turn, session.spend.calls) == (2, 1, 1)


def test_a_fresh_retry_starts_at_the_feature_tip():
    story = failed()
    story.complete("2")
    (started,) = story.do(c.RetryRun(spectask=ID, run=ws(1), fresh=True))
    assert (started.start, started.fresh) == (story.spectask.feature, True)


def test_a_retry_knows_what_is_merged_into_its_files_unless_it_begins_afresh():
    for fresh in (False, True):
        story = merging()
        story.do(conflict(), DAEMON)
        story.do(reports.FailRun(spectask=ID, run=ws(1), reason="the model is away"), DAEMON)
        story.do(c.RetryRun(spectask=ID, run=ws(1), fresh=fresh))
        assert story.session().conflict_with == (None if fresh else oid(0xFEA))


def test_a_retry_has_its_own_corrections_and_conflicts():
    story = merging()
    story.do(conflict(), DAEMON)
    story.claim()
    story.checked(outcome="red")
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="stuck", stuck=True), DAEMON)
    assert story.session().state == "stuck"
    story.do(c.RetryRun(spectask=ID, run=ws(1)))
    session = story.session()
    assert (session.conflicts, session.send_backs, session.claims, session.verification) == (0, 0, 2, None)


def test_turns_and_calls_are_numbered_on_in_a_retry():
    story = failed()
    story.do(c.RetryRun(spectask=ID, run=ws(1)))
    story.come_back()
    story.call(ws(1))
    calls = [envelope.event.call for envelope in story.log if isinstance(envelope.event, e.CallStarted)]
    assert (calls, story.session().turn) == ([1, 2], 2)


def test_a_call_that_was_open_when_the_session_ended_stays_charged_in_the_retry():
    story = working()
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=2, reserve_usd=Decimal(3)), DAEMON)
    story.do(c.CancelRun(spectask=ID, run=ws(1)))
    lost, _ = story.do(c.RetryRun(spectask=ID, run=ws(1)))
    assert isinstance(lost, e.CallLost)
    spend = story.session().spend
    assert (spend.cost_usd, spend.reserved_usd, story.session().open_call) == (Decimal(3), Decimal(0), 0)


def test_a_cancelled_session_blocks_its_task_until_it_is_tried_again():
    story = working()
    story.do(c.CancelRun(spectask=ID, run=ws(1)))
    assert (story.session().state, story.task("1").state, story.ready()) == ("cancelled", "blocked", ["2"])
    story.do(c.RetryRun(spectask=ID, run=ws(1)))
    assert story.task("1").state == "in_progress"


def test_a_session_is_tried_again_while_other_words_are_revised():
    story = failed()
    story.request_changes()
    story.do(c.RetryRun(spectask=ID, run=ws(1)))
    story.come_back()
    assert story.session().state == "starting"


def test_nothing_is_tried_again_in_the_final_review():
    story = implementing()
    story.give("4")
    story.do(c.CancelRun(spectask=ID, run=ws(1)))
    story.complete("1", "2", "3.1", "3.2")
    story.publish()
    assert story.spectask.state == "implementation_review"
    assert story.refused(c.RetryRun(spectask=ID, run=ws(1))) == "wrong-state"


def test_a_corrected_check_settles_the_question_of_a_check_that_could_not_run():
    story = verifying()
    story.checked(outcome="cannot-run")
    assert story.session().state == "waiting"
    story.edit("tasks", TASKS.replace(b"pytest tests/test_json.py", b"python -m pytest tests/test_json.py"))
    story.approve()
    story.come_back()
    assert (story.session().state, story.session().question) == ("running", None)


def test_another_task_that_changes_leaves_such_a_question_open():
    story = verifying()
    story.checked(outcome="cannot-run")
    story.edit("tasks", TASKS.replace(b"tests/test_cache.py", b"tests/test_the_cache.py"))
    story.approve()
    assert story.session().state == "waiting"
