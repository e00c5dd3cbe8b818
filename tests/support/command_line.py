"""`specthread` as a person runs it: in a repository, with a state folder of its own, and as an ordinary user where the test runs as root."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ORDINARY = 61_184
"""A user that exists nowhere and may nothing."""
_SYSTEM_PYTHON = "/usr/bin/python3"


def can_be_ordinary() -> bool:
    """Tells whether a process of an ordinary user can be started here with our code: always, where the test's own user is one."""
    if os.geteuid():
        return True
    return shutil.which("setpriv") is not None and _same_python()


def _same_python() -> bool:
    program = [*_as_ordinary(), _SYSTEM_PYTHON, "-c", "import sys, specthread; print(sys.version_info[:2])"]
    asked = subprocess.run(program, check=False, capture_output=True, text=True, env=_environment(), cwd="/")
    return asked.stdout.strip() == str(sys.version_info[:2])


def _as_ordinary() -> list[str]:
    return ["setpriv", "--reuid", str(ORDINARY), "--regid", str(ORDINARY), "--clear-groups", "--inh-caps=-all"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path and Path(path).exists())}


class CommandLine:
    """Runs `specthread` in the repository; `environment` is added to what the test has. With `ordinary`, never as root."""

    def __init__(self, repository: Path, folder: Path, url: str, *, ordinary: bool = False, environment: dict[str, str] | None = None):
        self.repository = repository
        self._start = [sys.executable, "-m", "specthread"]
        inherited = dict(os.environ)
        if ordinary and not os.geteuid():
            self._start, inherited = [*_as_ordinary(), _SYSTEM_PYTHON, "-m", "specthread"], _environment()
        self.environment = {
            **inherited,
            "SPECTHREAD_STATE": str(folder / "state"),
            "XDG_RUNTIME_DIR": str(folder),
            "ANTHROPIC_API_KEY": "test-key-not-a-secret",
            "ANTHROPIC_BASE_URL": url,
            **(environment or {}),
        }

    async def __call__(self, *words: str, ends: int = 0):
        """Returns what it printed, with `--json` as a value."""
        process = await asyncio.create_subprocess_exec(
            *self._start,
            *words,
            cwd=self.repository,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == ends, f"specthread {' '.join(words)} ended with {process.returncode}\n{out.decode()}\n{err.decode()}"
        return json.loads(out) if "--json" in words else out.decode() + err.decode()
