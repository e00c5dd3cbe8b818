"""A daemon with the demo's agents on the toy repository, and editors that reach it as real ones do: through `specthread lsp`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from specthread.cli.demo_daemon import demo_environment, stop_daemon
from specthread.cli.demo_toy import make_toy_repository
from support.lsp_client import PLAIN, LspClient

PROGRAM = [sys.executable, "-m", "specthread"]


@contextmanager
def demo_place(folder: Path, pause: float = 0.0):
    """Yields the toy repository and the environment of its daemon, which is stopped in the end."""
    repository = folder / "hours"
    make_toy_repository(repository)
    environ = demo_environment(os.environ, folder / "s", pause) | {"HOME": str(folder)}
    try:
        yield repository, environ
    finally:
        stop_daemon(environ, repository)


def specthread(environ: Mapping[str, str], *arguments: str, cwd: Path | None = None) -> str:
    """Runs one command of the command line and returns what it printed."""
    done = subprocess.run([*PROGRAM, *arguments], env=dict(environ), cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def view(environ: Mapping[str, str], repository: Path) -> dict[str, Any]:
    """Returns what is known of the only SpecTask."""
    (summary,) = json.loads(specthread(environ, "list", "--json", cwd=repository))["spectasks"]
    view: dict[str, Any] = json.loads(specthread(environ, "show", summary["id"], "--json", cwd=repository))
    return view


@asynccontextmanager
async def relayed(environ: Mapping[str, str], folder: Path, *, capabilities: dict[str, Any] | None = None, start: bool = True):
    """Yields an editor behind `specthread lsp`; its process is ended afterwards."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "lsp", stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environ), cwd=folder, limit=2**26
    )
    assert process.stdin
    assert process.stdout
    editor = LspClient(process.stdout, process.stdin)
    editor.process = process
    try:
        if start:
            await editor.start(folder, capabilities or PLAIN)
        yield editor
    finally:
        await editor.stop()
        if process.returncode is None:
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()
