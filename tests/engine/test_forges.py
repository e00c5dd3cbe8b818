"""A token goes to the host it is meant for, and is found where people keep it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from specgit.forge import ForgeAddress
from specthread.engine.forges import token_of

GITHUB = ForgeAddress(kind="github", host="github.com", api="", path="ada/calc")
OWN_GITHUB = ForgeAddress(kind="github", host="git.example.org", api="", path="ada/calc")
GITLAB = ForgeAddress(kind="gitlab", host="gitlab.com", api="", path="ada/calc")
OWN_GITLAB = ForgeAddress(kind="gitlab", host="lab.example.org", api="", path="ada/calc")
EVERYTHING = {"GH_TOKEN": "gh", "GITHUB_TOKEN": "github", "GITLAB_TOKEN": "gitlab", "GH_ENTERPRISE_TOKEN": "enterprise"}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}


def program(place, name, text):
    path = Path(place["PATH"], name)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(stat.S_IRWXU)


@pytest.mark.parametrize(
    ("address", "more", "token"),
    [
        (GITHUB, {}, "gh"),
        (GITHUB, {"GH_TOKEN": ""}, "github"),
        (GITLAB, {}, "gitlab"),
        (GITLAB, {"GITLAB_HOST": "https://lab.example.org/"}, ""),
        (OWN_GITLAB, {"GITLAB_HOST": "https://lab.example.org/"}, "gitlab"),
        (OWN_GITLAB, {}, ""),
        (OWN_GITHUB, {}, ""),
        (OWN_GITHUB, {"GH_HOST": "git.example.org"}, "enterprise"),
        (OWN_GITHUB, {"GH_HOST": "other.example.org"}, ""),
    ],
)
async def test_a_token_of_the_environment_goes_to_its_own_host_alone(place, address, more, token):
    assert await token_of({**place, **EVERYTHING, **more})(address) == token


async def test_the_programs_of_the_forges_are_asked_for_their_host_without_more_of_the_environment_than_they_need(place):
    program(place, "gh", 'test -z "$ANTHROPIC_API_KEY" && test "$*" = "auth token --hostname git.example.org" && echo gho-from-program')
    program(place, "glab", 'test "$*" = "config get token --host gitlab.com" && echo glpat-from-program')
    environ = {**place, "ANTHROPIC_API_KEY": "secret"}
    assert await token_of(environ)(OWN_GITHUB) == "gho-from-program"
    assert await token_of(environ)(GITLAB) == "glpat-from-program"
    assert await token_of(environ)(GITHUB) == ""


@pytest.mark.parametrize(
    "text", ["exit 1", "echo no oauth token; exit 0", "echo short", "echo one-token-here; echo and-another", "", "echo a-token-yes; exit 4"]
)
async def test_what_is_no_token_is_none(place, text):
    program(place, "gh", text)
    assert await token_of(place)(GITHUB) == ""


async def test_without_programs_and_variables_there_is_none(place):
    assert await token_of(place)(GITHUB) == ""
