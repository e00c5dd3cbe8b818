"""A review of work that passed its checks, and how whatever ends it lets the session go on."""

from __future__ import annotations

import pytest

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.domain.model import DAEMON
from specthread.domain.react import RunReview, VerifyClaim, mergeable, wanted
from specthread.domain.run import Verdict
from specthread.plan.waiting import why_waiting
from support.situation import under_review
from support.story import ADA, ID, ws

REVIEW = RunId(f"{ID}/review-1")


def verdicts(*judgements):
    return tuple(Verdict(criterion=f"1.{number}", judgement=each, reason="So.") for number, each in enumerate(judgements, 1))


def give(story, *judgements):
    return story.when(reports.FinishReview(spectask=ID, review=REVIEW, verdicts=verdicts(*judgements), summary="Read it."), DAEMON)


def test_while_a_review_goes_on_its_session_is_neither_checked_again_nor_merged():
    story = under_review()
    effects = wanted(story.spectask)
    assert RunReview(spectask=ID, run=REVIEW) in effects
    assert not any(isinstance(effect, VerifyClaim) for effect in effects)
    assert mergeable(story.spectask) == ()
    assert why_waiting(story.state, ws(1)) == "Its checks are passed; review-1 judges it by its criteria."


def test_what_is_unclear_holds_nothing_up():
    story = under_review()
    give(story, "met", "unclear")
    assert [session.id for session in mergeable(story.spectask)] == [ws(1)]


@pytest.mark.parametrize("command", [reports.FailRun(spectask=ID, run=REVIEW, reason="no network"), c.CancelRun(spectask=ID, run=REVIEW)])
def test_a_review_that_ends_without_verdict_lets_the_work_go_on_and_tells_it_once(command):
    story = under_review()
    story.do(command, DAEMON if isinstance(command, reports.FailRun) else ADA)
    assert [session.id for session in mergeable(story.spectask)] == [ws(1)]
    (told,) = [warning for warning in story.spectask.warnings if "review-1" in warning]
    assert told.startswith("review-1 gave no verdict on the work of ws-1, which goes by its checks alone: ")
    assert give(story, "unmet") == ()


@pytest.mark.parametrize("user_set", [True, False])
def test_only_a_budget_that_a_person_set_for_reviews_refuses_a_model_without_a_price(user_set):
    story = under_review(user_set=user_set)
    begun = story.do(reports.StartCall(spectask=ID, run=REVIEW, turn=2, reserve_usd=None), DAEMON)[-1]
    assert isinstance(begun, e.RunFailed if user_set else e.CallStarted)
    if user_set:
        assert begun.reason == "the price of its model is unknown, so the $5.00 that you let a review cost cannot be kept"
        assert [session.id for session in mergeable(story.spectask)] == [ws(1)]


def test_a_review_stands_still_with_its_session_and_may_end_meanwhile():
    story = under_review()
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    assert not any(isinstance(effect, RunReview) for effect in wanted(story.spectask))
    assert give(story, "unmet") == ()
    story.do(c.CancelRun(spectask=ID, run=REVIEW))
    story.do(c.ResumeRun(spectask=ID, run=ws(1)))
    story.come_back()
    assert [session.id for session in mergeable(story.spectask)] == [ws(1)]


def test_the_next_claim_is_checked_and_reviewed_anew():
    story = under_review()
    give(story, "unmet")
    assert (story.session().state, story.session().send_backs) == ("running", 1)
    assert story.task("1").state == "in_progress"
    story.claim()
    assert any(isinstance(effect, VerifyClaim) for effect in wanted(story.spectask))
