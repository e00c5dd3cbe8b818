import os
import select
import shutil
import sys
from pathlib import Path

import psutil
import pytest

from specthread.agents.orphans import end_orphans
from specthread.agents.sandbox import probe

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

WAITS = "exec 3>pipe; echo up >&3; exec sleep 600"
DAEMON = """
import asyncio, sys
from pathlib import Path
from specthread.agents.sandbox import Mount, SandboxProfile, run

state, folder, command = sys.argv[1:]
shown = Mount(source=Path(folder), target="/shown", writable=True)
profile = SandboxProfile(mounts=(shown,), cwd="/shown", environment={}, owner=Path(state))
asyncio.run(run(command, profile, timeout=600))
"""
LASTING = f"""#!/bin/bash
for word; do shift; [ "$word" = --die-with-parent ] || set -- "$@" "$word"; done
exec {shutil.which("bwrap")} "$@"
"""
"""A bubblewrap that does not end with whoever started it, as a real one in its first moments."""


@pytest.fixture
def lasting(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/bwrap").write_text(LASTING)
    (tmp_path / "bin/bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")


class Sandbox:
    """A command that works in a sandbox and lasts until its end is waited for; `program` started it."""

    def __init__(self, folder: Path, *program: str) -> None:
        os.mkfifo(folder / "pipe")
        self.process = psutil.Popen([*program])
        self.pipe = (folder / "pipe").open()
        assert self.pipe.readline() == "up\n"
        self.all = [self.process, *self.process.children(recursive=True)]

    def wait_gone(self) -> None:
        """Returns when nothing in the sandbox lives, as whoever lives holds the pipe."""
        assert self.pipe.read() == ""

    def lives(self) -> bool:
        """Tells whether the command still works."""
        return select.select([self.pipe], [], [], 0)[0] == []

    def clear(self) -> None:
        for process in self.all:
            if process.is_running():
                process.kill()
        self.process.wait()
        self.pipe.close()


@pytest.fixture
def started(request):
    def start(folder, *program):
        made = Sandbox(folder, *program)
        request.addfinalizer(made.clear)
        return made

    return start


def folder_of(state: Path) -> Path:
    folder = state / "worktrees" / "one"
    folder.mkdir(parents=True)
    return folder


def by_daemon(state: Path, folder: Path) -> tuple[str, ...]:
    return sys.executable, "-c", DAEMON, str(state), str(folder), WAITS


def test_what_a_persons_own_sandbox_shows_of_the_folder_is_no_reason_to_end_it(tmp_path, started):
    folder = folder_of(tmp_path / "state")
    own = ("bwrap", "--die-with-parent", "--dev-bind", "/", "/", "--bind", str(folder), str(folder), "--chdir", str(folder))
    theirs = started(folder, *own, "bash", "-c", WAITS)
    assert end_orphans(tmp_path / "state") == 0
    assert theirs.lives()


@pytest.mark.parametrize("killed", [1, 2], ids=["daemon", "daemon and outer process"])
def test_a_command_that_outlived_its_daemon_is_ended(tmp_path, lasting, started, killed):
    orphan = started(folder_of(tmp_path / "state"), *by_daemon(tmp_path / "state", tmp_path / "state/worktrees/one"))
    for process in orphan.all[:killed]:
        process.kill()
    assert orphan.lives()
    assert end_orphans(tmp_path / "state") >= 1
    orphan.wait_gone()


def test_commands_of_a_daemon_with_another_folder_are_its_own(tmp_path, started):
    other = tmp_path / "state-of-another"
    theirs = started(folder_of(other), *by_daemon(other, other / "worktrees/one"))
    assert end_orphans(tmp_path / "state") == 0
    assert theirs.lives()
    assert end_orphans(other) >= 1
    theirs.wait_gone()
