"""A person sees what would be pushed where before anything is."""

from __future__ import annotations

import pytest

from specthread.domain.reports import ReportPullRequest
from support.fake_engine import ID
from support.fake_pull_request import SECRET, URL

FEATURE = f"refs/heads/spectask/{ID}/feature"


@pytest.fixture
def approved(daemon):
    daemon.do(daemon.engine.create())
    daemon.do(daemon.engine.plan())
    daemon.do(daemon.engine.approve())
    return daemon


def known(daemon):
    return daemon.engine.visible.spectasks[ID].pull_request


@pytest.mark.parametrize("options", [(), ("--json",), ("--with-records",)])
def test_without_a_terminal_nothing_is_pushed_until_it_is_said(approved, cli, options):
    said = cli("pr", ID, *options)
    assert said.code == 1
    told = said.json["error"]["message"] + said.json["error"]["hint"] if "--json" in options else said.err
    assert "This would push" in told
    assert "https://github.com/ada/calc" in told
    assert "--yes" in told
    assert SECRET not in said.out + said.err
    assert ("everything that was said in the sessions" in told) == ("--with-records" in options)
    assert known(approved) is None


def test_with_yes_it_is_pushed_and_told(approved, cli):
    said = cli("pr", "add", "--yes")
    assert (said.code, said.err) == (0, "")
    assert f"The draft is open: {URL}" in said.out
    assert [ref for ref, _ in known(approved).pushed] == [FEATURE]
    again = cli("pr", ID, "--yes", "--with-records", "--json").json
    assert (again["how"], again["url"], again["number"], again["with_records"]) == ("updated", URL, 7, True)
    assert [each["ref"] for each in again["refs"]] == [FEATURE, FEATURE.replace("feature", "specs")]
    assert SECRET not in str(again)


@pytest.mark.parametrize(("arguments", "words"), [(("--remote", "elsewhere"), "no remote named"), (("--remote", ""), "remote")])
def test_a_remote_that_is_not_there_is_refused(approved, cli, arguments, words):
    said = cli("pr", ID, "--yes", *arguments)
    assert said.code in {1, 2}
    assert words in said.err
    assert known(approved) is None


def test_before_an_approval_there_is_nothing_to_push(daemon, cli):
    daemon.do(daemon.engine.create())
    said = cli("pr", ID, "--yes")
    assert said.code == 1
    assert "nothing of it was approved" in said.err


def test_show_and_history_tell_of_it(approved, cli):
    cli("pr", ID, "--yes")
    report = ReportPullRequest(spectask=ID, number=7, state="open", draft=True, checks=(("unit", "failing"),), reviews=())
    approved.do(approved.engine.do(report))
    line = "draft, 0 of 1 checks passing, failing: unit"
    assert f"Pull request: {URL} ({line})" in cli("show", ID).out
    view = cli("show", ID, "--json").json["pull_request"]
    assert (view["url"], view["text"], view["checks"]) == (URL, line, {"unit": "failing"})
    assert f"The pull request: {line}." in cli("history", ID).out
    assert URL in cli("report", ID).out
