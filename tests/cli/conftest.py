from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from specthread.cli.app import run
from support.fake_daemon import Daemon
from support.git_fixture import make_repository
from support.pty_terminal import PtyTerminal


@pytest.fixture
def environ(monkeypatch):
    """A person's environment with nothing in it; the folder's name is short, for the sake of sockets."""
    with tempfile.TemporaryDirectory(prefix="st-") as name:
        folder = Path(name)
        for part in ("home", "config", "work"):
            (folder / part).mkdir()
        for variable in [
            each for each in os.environ if each.startswith(("XDG_", "ANTHROPIC_", "SPECTHREAD_", "GIT_", "GH_", "GITHUB_", "GITLAB_"))
        ]:
            monkeypatch.delenv(variable)
        monkeypatch.setenv("HOME", str(folder / "home"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        monkeypatch.setenv("SPECTHREAD_STATE", str(folder / "state"))
        monkeypatch.chdir(folder / "work")
        yield folder


@pytest.fixture
def daemon(environ):
    with Daemon(environ) as daemon:
        yield daemon


@pytest.fixture
def terminal(environ):
    """Starts command lines at terminals of their own."""
    opened = []

    def at(*arguments: str, **given) -> PtyTerminal:
        opened.append(PtyTerminal(*arguments, **given))
        return opened[-1]

    yield at
    for each in opened:
        each.close()


class Said:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def cli(environ, capsys):
    """Runs a command line in this process."""

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        code = run(list(arguments))
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def program(environ):
    """Runs a command line as a person does; whatever daemon it started is stopped in the end."""

    def call(*arguments: str, stdin: bytes = b"", cwd: Path | None = None, **variables: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "specthread", *arguments],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            cwd=cwd or environ / "work",
            env={**os.environ, **variables},
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    yield call
    if (environ / "state" / "daemon.lock").exists():
        call("daemon", "stop")


@pytest.fixture
def repository(environ):
    return make_repository(environ / "work", {"README.md": "A tool.\n"})


@pytest.fixture
def told(program):
    """Runs a command line that must end with this code and this sentence, and without a traceback."""

    def check(code, sentence, *arguments, **more):
        said = program(*arguments, **more)
        assert "Traceback" not in said.out + said.err
        assert said.code == code, said.out + said.err
        assert sentence in said.err, said.err
        return said

    return check
