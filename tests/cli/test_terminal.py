from __future__ import annotations

import signal

import pytest

from support.fake_engine import ID


@pytest.fixture
def planned(daemon):
    daemon.do(daemon.engine.create())
    daemon.do(daemon.engine.plan())
    return daemon


def test_approve_shows_each_document_and_asks(planned, terminal):
    person = terminal("approve", ID)
    for name, answer in (("requirements", "y"), ("design", "n"), ("tasks", "y")):
        person.wait_for(f"Approve {name}@")
        person.type(f"{answer}\n")
    assert person.wait_end() == 0
    assert "THE tool SHALL print one JSON document" in person.seen
    assert set(planned.engine.visible.spectasks[ID].approvals) == {"requirements", "tasks"}


@pytest.mark.parametrize("named", [["requirments"], ["requirements@0000000", "design"]])
def test_approve_asks_about_no_version_that_is_not_there(planned, terminal, named):
    person = terminal("approve", ID, *named)
    assert person.wait_end() == 1
    assert "There is no requir" in person.seen
    assert "Approve design" not in person.seen


def test_approve_shows_only_what_changed_since_the_last_approval(planned, terminal):
    planned.do(planned.engine.approve())
    planned.do(planned.engine.write("design", b"# Design\n\n## Overview\n\nTwo functions write the document.\n"))
    person = terminal("approve", ID)
    person.wait_for("Approve design@")
    assert "-One function writes the document." in person.seen
    assert "+Two functions write the document." in person.seen
    assert "Acceptance Criteria" not in person.seen
    person.type("n\n")
    assert person.wait_end() == 0
    assert "Nothing was approved." in person.seen


def test_an_interactive_run_asks_before_each_task(planned, terminal):
    planned.do(planned.engine.approve())
    person = terminal("run", ID, "--interactive")
    person.wait_for("Recording your decision")
    planned.do(planned.engine.record())
    person.wait_for("[l]eave it waiting")
    person.type("y\n")
    person.wait_for("said yes to task 1")
    planned.do(planned.engine.record())
    person.wait_for("[l]eave it waiting", times=2)
    assert "Task 2 waits for your yes" in person.seen
    person.type("l\n")
    assert person.wait_end() == 0
    assert "--task 2` lets it begin" in person.seen
    assert planned.engine.visible.spectasks[ID].allowed == {"1"}


def test_watch_shows_live_what_a_run_says(daemon, terminal):
    daemon.do(daemon.engine.create())
    person = terminal("watch", ID, "--until", "human")
    person.wait_for("plan-1")

    async def say():
        daemon.engine.stream(f"{ID}/plan-1", "thinking about forms")

    daemon.do(say())
    person.wait_for("thinking about forms")
    daemon.do(daemon.engine.plan())
    assert person.wait_end() == 0
    assert "Needs you" in person.seen


def test_leaving_watch_changes_nothing(planned, terminal):
    planned.do(planned.engine.approve())
    person = terminal("watch", ID)
    person.wait_for("approved")
    before = len(planned.engine.envelopes)
    person.process.send_signal(signal.SIGINT)
    assert person.wait_end() == 130
    assert "Traceback" not in person.seen
    assert len(planned.engine.envelopes) == before


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_pr_shows_what_goes_where_and_asks(planned, terminal, answer, code):
    planned.do(planned.engine.approve())
    person = terminal("pr", ID)
    person.wait_for("Push that?")
    assert "To https://github.com/ada/calc (origin)" in person.seen
    assert f"refs/heads/spectask/{ID}/feature" in person.seen
    assert "a draft pull request for main" in person.seen
    person.type(f"{answer}\n")
    assert person.wait_end() == code
    assert (planned.engine.visible.spectasks[ID].pull_request is not None) == (answer == "y")
