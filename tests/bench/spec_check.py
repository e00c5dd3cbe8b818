"""`specthread check` as a process: a project of many specs beside the linter that belongs to it, and one folder beside a bare Python start."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.measure import Figure, at_most, in_turn, median, spread
from bench.peers import OPENSPEC, AbsentError, node_script
from bench.spec_documents import WITHOUT_SCENARIO, openspec_project, requirements, tasks

PROGRAM = str(Path(sys.executable).parent / "specthread")
FOLDERS = 1_000
ROUNDS = 5
STARTS = 20
RATIO = 5.0
COLD_LIMIT_MS = 150
QUIET = {"OPENSPEC_TELEMETRY": "0", "DO_NOT_TRACK": "1", "CI": "1"}
"""The other linter tells nobody that it was run."""
NEVER_LOADED = ("anthropic", "pydantic", "pygls", "sqlalchemy")
"""What a check has no use for, and would pay for at every start."""


def figures() -> list[Figure]:
    """Returns the figures of checking."""
    with tempfile.TemporaryDirectory() as name:
        return asyncio.run(_measure(Path(name)))


async def _measure(folder: Path) -> list[Figure]:
    project, spec = folder / "project", folder / "one" / ".specs" / "report"
    lines = openspec_project(project, FOLDERS)
    spec.mkdir(parents=True)
    (spec / "requirements.md").write_bytes(requirements(40))
    (spec / "tasks.md").write_bytes(tasks(300))
    # As installed: compiled once. An environment that forbids this would have all of the program compiled at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    return [await _many(project, lines), await _cold(spec)]


async def _many(project: Path, lines: int) -> Figure:
    name = f"check of {FOLDERS:,} OpenSpec specs, {lines:,} lines"
    ours = [PROGRAM, "check", str(project)]
    _, told = await _run(ours, project)
    if told.count("openspec/no-scenario") != FOLDERS // WITHOUT_SCENARIO:
        return Figure(name=name, target=f"≥ {RATIO:g} x", measured=f"not every spec was found: {told.strip()[-120:]}", holds=False)
    try:
        theirs = [*node_script(OPENSPEC, "bin/openspec.js"), "validate", "--all", "--no-interactive"]
    except AbsentError as error:
        [mine] = await in_turn([lambda: _run(ours, project)], rounds=ROUNDS)
        return Figure(name=name, measured=_speed(lines, mine), floor=str(error), numbers={"lines_per_second": lines / median(mine) * 1000})
    _, told = await _run(theirs, project, QUIET)
    assert f"{FOLDERS // WITHOUT_SCENARIO} failed ({FOLDERS} items)" in told, told[-400:]
    mine, peer = await in_turn([lambda: _run(ours, project), lambda: _run(theirs, project, QUIET)], rounds=ROUNDS)
    ratio = median(peer) / median(mine)
    return Figure(
        name=name,
        target=f"≥ {RATIO:g} x openspec validate --all",
        measured=f"{ratio:.2f} x ({_speed(lines, mine)})",
        floor=_speed(lines, peer),
        holds=ratio >= RATIO,
        numbers={"ratio": ratio, "median": median(mine), "floor_median": median(peer), "lines_per_second": lines / median(mine) * 1000},
    )


def _speed(lines: int, taken: Sequence[float]) -> str:
    return f"{lines / median(taken) * 1000:,.0f} lines a second, {median(taken):,.0f} ms"


async def _cold(spec: Path) -> Figure:
    ours = [PROGRAM, "check", str(spec)]
    loaded = _loaded(ours)
    mine, floor = await in_turn([lambda: _run(ours, spec), lambda: _run([sys.executable, "-c", "pass"], spec)], rounds=STARTS, warm=2)
    held = at_most("cold check of one spec folder", mine, limit=COLD_LIMIT_MS, tail=False)
    return Figure(
        name=held.name,
        target=f"{held.target}, without {', '.join(NEVER_LOADED)}",
        measured=held.measured + (f"; loads {', '.join(loaded)}" if loaded else ""),
        floor=f"Python {spread(floor)}",
        holds=bool(held.holds) and not loaded,
        numbers={**held.numbers, "floor_median": median(floor)},
    )


def _loaded(argv: Sequence[str]) -> list[str]:
    """Returns which of the packages that a check has no use for are loaded all the same."""
    result = subprocess.run([sys.executable, "-X", "importtime", *argv], capture_output=True, text=True, check=False)
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert "specthread" in names, result.stderr[-400:]
    return sorted(names.intersection(NEVER_LOADED))


async def _run(argv: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, env={**os.environ, **(environ or {})}
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode()
