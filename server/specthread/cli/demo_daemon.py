"""The demo's own daemon: its own state folder, no key, a scripted agent; gone with all it started when the demo ends."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no types of its own

from specthread import shim
from specthread.cli.client import Client, RequestError
from specthread.cli.demo_toy import path_with_python
from specthread.protocol import wire_params
from specthread.protocol.wire_result import StatusResult, StopResult

STOP_SECONDS = 25.0
"""How long the daemon may take to stop; then it is killed."""
_LOOK_SECONDS = 0.1
_LEFT_OUT = ("ANTHROPIC_", "SPECTHREAD_", "GIT_")


def demo_environment(environ: Mapping[str, str], state: Path, pause: float) -> dict[str, str]:
    """Returns the environment of the demo's daemon: no key, none of the user's settings, `pause` seconds between the agents' words."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_LEFT_OUT)}
    own = {"SPECTHREAD_STATE": str(state), "SPECTHREAD_DEMO": str(pause), "XDG_CONFIG_HOME": str(state / "config")}
    return {**kept, **own, "PATH": path_with_python(environ.get("PATH", ""))}


def stop_daemon(environ: Mapping[str, str], cwd: Path) -> None:
    """Stops the daemon of a demo's state folder, if one runs, and returns when it and every process it had started are gone."""
    client = Client(environ, cwd=cwd, start=False)
    started: set[psutil.Process] = set()
    daemon = 0
    with contextlib.suppress(RequestError, shim.AttachError, ConnectionError):
        if not client.attach():
            return
        daemon = client.ask("status", wire_params.NoParams(), StatusResult).pid
        started |= _processes(daemon)
        client.ask("stop", wire_params.NoParams(), StopResult)
        client.wait_closed()
    alive: list[psutil.Process] = []
    for _ in range(int(STOP_SECONDS / _LOOK_SECONDS) if started else 0):
        started |= _processes(daemon)  # what it starts while it stops is its own too
        _, alive = psutil.wait_procs(started, timeout=_LOOK_SECONDS)
        if not alive:
            break
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive)


def _processes(pid: int) -> set[psutil.Process]:
    try:
        daemon = psutil.Process(pid)
        return {daemon, *daemon.children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()
