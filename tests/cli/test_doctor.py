"""What `doctor` finds, and what it does not miss."""

from __future__ import annotations

import os

import pytest

from specgit.repository import Repository
from specgit.types import Oid
from specgit.worktrees import Worktrees
from specthread import config
from specthread.agents.messages_api import missing_extra
from support.git_fixture import git


def test_doctor_finds_a_missing_key(repository, program):
    said = program("doctor", "--json")
    assert said.code == 1
    assert {each["name"]: each["state"] for each in said.json["findings"]}["agent"] == "problem"


@pytest.mark.parametrize(
    ("settings", "variables", "told"),
    [
        ("", {"ANTHROPIC_PROFILE": "work"}, "a profile for the Messages API is there"),
        ('messages.provider = "bedrock"', {}, missing_extra("bedrock") or "Amazon Bedrock, with its own credentials"),
    ],
)
def test_doctor_misses_no_key_where_none_is_needed(environ, repository, program, settings, variables, told):
    file = config.user_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text(settings)
    findings = {each["name"]: each for each in program("doctor", "--json", **variables).json["findings"]}
    assert (findings["agent"]["state"], findings["agent"]["text"]) == ("problem" if "install" in told else "ok", told)


def test_doctor_says_what_worktrees_take(repository, program):
    assert "worktrees" not in {each["name"] for each in program("doctor", "--json").json["findings"]}
    worktrees = Worktrees(Repository.open(repository))
    worktrees.add_detached(repository.parent / "agents" / "ws-1", Oid(git(repository, "rev-parse", "HEAD")))
    findings = {each["name"]: each["text"] for each in program("doctor", "--json").json["findings"]}
    assert findings["worktrees"].startswith("1 worktree of a session takes 0.")


def test_doctor_asks_the_daemon_that_runs_what_it_lacks(repository, program):
    assert program("daemon", "start").code == 0
    findings = {each["name"]: each for each in program("doctor", "--json", ANTHROPIC_API_KEY="sk-later").json["findings"]}
    assert findings["agent"]["state"] == "ok"
    assert "There is no key for the Messages API" in findings["daemon"]["text"]
