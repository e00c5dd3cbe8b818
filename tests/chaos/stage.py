"""Where the chaos run takes place: repositories and a state folder on a small disk, a clock that can be set, and the daemon, which is started again whenever it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from chaos.script import CHECKER
from specthread import shim
from support.git_fixture import AUTHOR, fingerprint, make_repository
from support.small_disk import SmallDisk

REPOSITORIES = 2
DISK = "192m"
TESTS = Path(__file__).parents[1]
STOP_SECONDS = 60.0


@dataclass(slots=True, kw_only=True)
class Stage:
    """The place and its daemon; `disk` is None where no small disk can be mounted."""

    folder: Path
    root: Path
    disk: SmallDisk | None
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    planted: set[Path] = field(default_factory=set)
    """Lock files that were left on purpose; one that is in nobody's way may stay."""
    deleted: set[str] = field(default_factory=set)
    """The sessions whose worktree was deleted once, with whatever was in no commit."""
    before: dict[Path, dict[str, str]] = field(default_factory=dict)
    """What the checkouts held before the run."""

    @property
    def state(self) -> Path:
        """The daemon's folder."""
        return self.root / "state"

    @property
    def calls(self) -> Path:
        """Where the model notes its calls."""
        return self.folder / "calls"

    @property
    def clock(self) -> Path:
        """What the daemon's clock is ahead, in seconds."""
        return self.folder / "clock"

    @property
    def output(self) -> Path:
        """What the daemons printed."""
        return self.folder / "daemon.out"

    @property
    def checkouts(self) -> list[Path]:
        """The repositories."""
        return [self.root / f"project-{number}" for number in range(REPOSITORIES)]

    def set_clock(self, seconds: int) -> None:
        """Lets the daemon's wall clock differ from the real one."""
        beside = self.folder / "clock.new"
        beside.write_text(str(seconds))
        beside.replace(self.clock)

    def environment(self) -> dict[str, str]:
        """Returns the environment of the daemon: nothing of this machine's settings."""
        own = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        home = str(self.folder / "home")
        return own | {"HOME": home, "SPECTHREAD_STATE": str(self.state), "PYTHONPATH": str(TESTS)}

    def start(self) -> None:
        """Starts a daemon; it may end at once, for instance where the disk is full."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chaos.daemon", str(self.state), str(self.calls), str(self.clock)],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.starts += 1

    async def keep_alive(self) -> None:
        """Starts a daemon whenever there is none, until it is cancelled."""
        while True:
            if self.process is None or self.process.poll() is not None:
                self.start()
            await asyncio.sleep(0.3)

    def stop(self) -> int:
        """Asks the daemon to end, and returns its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def family(self) -> list[psutil.Process]:
        """Returns everything that the daemon started and that lives, without itself."""
        if self.process is None or self.process.poll() is not None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def strangers(self) -> list[str]:
        """Returns the processes that work in this place, by command line: to be asked when there is no daemon."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, FileNotFoundError):
                told = [*process.cmdline(), process.cwd()]
                if process.pid != os.getpid() and any(str(self.root) in each for each in told):
                    found.append(" ".join(told)[:300])
        return found

    def socket(self) -> str:
        """Returns where the daemon listens."""
        return shim.socket_path(str(self.state))

    def keep(self) -> None:
        """Copies what is on the small disk beside it, to be looked at later."""
        shutil.copytree(
            self.root,
            self.folder / "kept",
            symlinks=True,
            ignore=shutil.ignore_patterns("*.sock", "ballast"),
            ignore_dangling_symlinks=True,
        )

    def end(self) -> None:
        """Ends what is left of the daemon."""
        for process in [*self.family(), *([psutil.Process(self.process.pid)] if self.process and self.process.poll() is None else [])]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process:
            self.process.wait()


@contextlib.contextmanager
def stage_in(folder: Path) -> Iterator[Stage]:
    """Sets the stage in an empty folder; the folder stays, but for what was on the small disk."""
    root = folder / "disk"
    root.mkdir(parents=True)
    mounted = _mounted(root)
    stage = Stage(folder=folder, root=root, disk=SmallDisk(root) if mounted else None)
    try:
        home = folder / "home"
        home.mkdir()
        (home / ".gitconfig").write_text(f"[user]\n\tname = {AUTHOR[0]}\n\temail = {AUTHOR[1]}\n")
        (home / ".config/specthread").mkdir(parents=True)
        # What a session without a task is checked by.
        (home / ".config/specthread/config.toml").write_text('[check]\nproject = "test -e checker.py"\n')
        for checkout in stage.checkouts:
            make_repository(checkout, {"checker.py": CHECKER, "README.md": "A project.\n"})
        stage.before = {checkout: fingerprint(checkout) for checkout in stage.checkouts}
        stage.set_clock(0)
        yield stage
    finally:
        stage.end()
        if mounted:
            subprocess.run(["umount", "--lazy", str(root)], check=True)


def _mounted(root: Path) -> bool:
    """Mounts a small disk, and tells whether that is allowed here."""
    arguments = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0755", "none", str(root)]
    return os.getuid() == 0 and subprocess.run(arguments, capture_output=True, check=False).returncode == 0


def open_files(pid: int) -> int:
    """Returns how many descriptors a process has."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
