"""A human opens a pull request; the daemon tells what became of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specthread.domain import events as e
from specthread.domain.commands import OpenPullRequest
from specthread.domain.decide import decide
from specthread.domain.ids import Oid
from specthread.domain.model import DAEMON, Refusal, State
from specthread.domain.pull_request import told
from specthread.domain.react import KeepPullRequest, wanted
from specthread.domain.reports import ReportPullRequest
from support.situation import GIVEN, approved, done, implementing, reviewing
from support.story import ADA, AGENT, ID, oid

BRANCH = f"spectask/{ID}/feature"
URL = "https://github.com/ada/calc/pull/7"
PUSHED = ((f"refs/heads/{BRANCH}", oid(5)),)
KEEP = KeepPullRequest(spectask=ID)


def opening(**changes):
    values = {"forge": "github", "url": URL, "number": 7, "branch": BRANCH, "remote": "origin"}
    return OpenPullRequest(spectask=ID, **{**values, "address": "https://github.com/ada/calc", "pushed": PUSHED, **changes})


def report(**changes):
    return ReportPullRequest(spectask=ID, **{"number": 7, "state": "open", "draft": True, "checks": (), "reviews": (), **changes})


def opened(story):
    story.do(opening())
    return story


@pytest.mark.parametrize("given", [approved, implementing, done])
def test_a_human_opens_one_once_something_is_approved(given):
    story = given()
    (event,) = story.do(opening())
    assert isinstance(event, e.PullRequestOpened)
    assert (event.person, event.url, event.pushed) == ("Ada", URL, PUSHED)
    assert (story.spectask.pull_request.state, story.spectask.pull_request.draft) == ("open", True)
    assert story.do(opening()) == (), "the same again is no news"


@pytest.mark.parametrize("actor", [AGENT, DAEMON])
def test_nobody_else_opens_one(actor):
    story = approved()
    assert decide(story.state, opening(), actor).code == "human-only"


@pytest.mark.parametrize("actor", [AGENT, ADA])
def test_nobody_but_the_daemon_tells_what_became_of_it(actor):
    assert decide(opened(approved()).state, report(), actor).code == "daemon-only"


@pytest.mark.parametrize(
    ("given", "changes", "code"),
    [
        (reviewing, {}, "nothing-to-push"),
        (approved, {"target": None}, "no-target"),
        (done, {"state": "archived"}, "wrong-state"),
    ],
)
def test_where_there_is_nothing_for_one_it_is_refused_with_what_to_do(given, changes, code):
    story = given()
    state = State(sequence=1, spectasks=story.state.spectasks.set(ID, replace(story.spectask, **changes)))
    found = decide(state, opening(), ADA)
    assert isinstance(found, Refusal)
    assert (found.code, bool(found.hint)) == (code, True)


def test_what_is_pushed_later_is_noted_and_keeps_what_is_known():
    story = opened(implementing())
    story.do(report(checks=(("unit", "failing"),), draft=False), DAEMON)
    later = ((f"refs/heads/{BRANCH}", Oid("f" * 40)),)
    story.do(opening(pushed=later))
    assert (story.spectask.pull_request.pushed, story.spectask.pull_request.checks) == (later, (("unit", "failing"),))
    assert not story.spectask.pull_request.draft
    story.do(opening(url=URL + "7", number=77))
    assert (story.spectask.pull_request.checks, story.spectask.pull_request.draft) == ((), True)


def test_only_news_are_told():
    story = opened(done())
    assert story.do(report(), DAEMON) == ()
    (event,) = story.do(report(reviews=(("bob", "approved"),)), DAEMON)
    assert event == e.PullRequestChanged(state="open", draft=True, checks=(), reviews=(("bob", "approved"),))
    assert story.do(report(reviews=(("bob", "approved"),)), DAEMON) == ()
    assert story.do(report(number=6, state="closed"), DAEMON) == (), "another one"


def test_what_is_merged_is_not_opened_again_and_what_was_closed_is():
    story = opened(done())
    story.do(report(state="closed"), DAEMON)
    assert len(story.do(opening())) == 1
    story.do(report(state="merged", draft=False), DAEMON)
    assert decide(story.state, opening(), ADA).code == "already-merged"


def test_it_is_kept_as_long_as_it_is_open_whatever_the_work_does():
    assert all(KEEP not in wanted(given().spectask) for given in GIVEN.values())
    for given in (approved, implementing, done):
        story = opened(given())
        assert KEEP in wanted(story.spectask)
        assert KEEP not in wanted(replace(story.spectask, state="archived"))
        story.do(report(state="merged"), DAEMON)
        assert KEEP not in wanted(story.spectask)


def test_git_holds_who_opened_it():
    story = approved()
    story.git = False
    story.do(opening())
    assert list(story.spectask.uncommitted.values()) == ["decision"]


def test_how_it_stands_is_one_line():
    story = opened(done())
    assert told(story.spectask.pull_request) == "draft"
    checks = (("lint", "passing"), ("unit", "failing"), ("slow", "pending"))
    story.do(report(draft=False, checks=checks, reviews=(("ada", "approved"), ("bob", "changes_requested"))), DAEMON)
    line = "open, 1 of 3 checks passing, failing: unit, approved by ada, changes requested by bob"
    assert told(story.spectask.pull_request) == line
