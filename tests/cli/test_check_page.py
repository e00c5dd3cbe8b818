"""The page about `check` tells the truth: every command on it runs, and prints what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from specthread.check_settings import load_check_settings
from specthread.cli.check.codes import all_rules
from specthread.cli.check.discovery import specs_below
from support.source_tree import ROOT
from support.spec_tree import BAD, NO_SPECS, TREE, plant

PAGE = (ROOT / "server" / "docs" / "check.md").read_text()
TASKS = "# Tasks\n\n- [ ] 1. Say so\n  - _Requirements: 1.1_\n  - _Check: pytest_\n"


def fences(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def steps():
    """Each command with the lines that the page shows below it."""
    return [
        (lines[0], lines[1:])
        for fence in fences("console")
        for part in re.split(r"^\$ ", fence, flags=re.MULTILINE)[1:]
        if (lines := part.splitlines())
    ]


@pytest.fixture
def shell(environ):
    plant(environ / "work", {".kiro/specs/login/requirements.md": BAD, ".kiro/specs/login/tasks.md": TASKS})
    program = environ / "bin" / "specthread"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m specthread "$@"\n')
    program.chmod(0o755)

    def run(command):
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["sh", "-c", f"{command} 2>&1"],
            cwd=environ / "work",
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_every_command_runs_and_prints_what_the_page_shows(shell):
    assert len(steps()) > 10
    for command, shown in steps():
        done = shell(command)
        assert (done.returncode, command) == (0, command), done.stdout
        if shown:
            assert sorted(done.stdout.splitlines()) == sorted(shown), command


def test_the_settings_on_the_page_can_be_meant(tmp_path):
    (toml,) = fences("toml")
    (tmp_path / "specthread.toml").write_text(toml)
    settings, problems = load_check_settings(tmp_path / "specthread.toml", all_rules())
    assert (problems, len(settings.levels.chosen), settings.systems) == ([], 3, ("the app", "the server"))


def test_every_code_on_the_page_exists():
    groups = {code.partition("/")[0] for code in all_rules()} - {"openspec"}
    named = re.findall(rf"\b(?:{'|'.join(groups)})/[a-z-]+\b", PAGE)
    assert named
    assert set(named) <= set(all_rules())


def test_the_hook_is_asked_about_the_files_that_check_finds(environ):
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text()
    files, left_out = (re.compile(re.search(rf"^  {key}: (.*)$", hook, re.MULTILINE)[1]) for key in ("files", "exclude"))
    plant(environ / "work", {**TREE, **NO_SPECS})
    found = {file for folder in specs_below(["."], archived=False).folders for file in folder.files.values()}
    skipped = ("node_modules/", ".git/", ".venv/")
    assert {
        path for path in (*TREE, *NO_SPECS) if files.search(path) and not left_out.search(path) and not path.startswith(skipped)
    } == found
    assert {"id: specthread-check", "entry: specthread check"} <= {line.strip(" -") for line in hook.splitlines()}
