"""The demo: alone, and from a clean copy of the repository with the installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.measure import Figure
from support.source_tree import ROOT, tracked_files


def figures() -> list[Figure]:
    """Returns the figures of both."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir()
        alone = _seconds([sys.executable, "-m", "specthread", "demo"], ROOT, home)
        clone = Path(folder, "clone")
        for path in tracked_files():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, clone / path)
        whole = _seconds(["make", "--no-print-directory", "demo"], clone, home)
    return [_figure("demo alone", alone, 30), _figure("make demo from a clean clone, installation included", whole, 90)]


def _seconds(command: list[str], cwd: Path, home: Path) -> float:
    own = {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "GIT_", "SPECTHREAD_", "PYTHON"))}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=kept | own, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - start


def _figure(name: str, seconds: float, limit: float) -> Figure:
    return Figure(name=name, target=f"≤ {limit:g} s", measured=f"{seconds:.1f} s", holds=seconds <= limit, numbers={"seconds": seconds})
