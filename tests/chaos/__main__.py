"""Plays chaos runs one after another and prints which faults and whims were survived: `python -m chaos [--seed N] [--seconds S] [--round S]`.

Runs go on, each with the next seed, until so many seconds have passed; the first that fails ends it with 1 and says how to play it again.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chaos.run import Outcome, play

ROUND = 120.0


def main(words: list[str]) -> int:
    """Plays runs for as long as asked."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the seed of the first run")
    parser.add_argument(
        "--seconds", type=float, default=ROUND, help="how long faults are made in all; every run ends with its rest and audit"
    )
    parser.add_argument("--round", type=float, default=ROUND, help="how long faults are made in one run")
    chosen = parser.parse_args(words)
    outcomes: list[Outcome] = []
    end, seed = time.monotonic() + chosen.seconds, chosen.seed
    while not outcomes or (time.monotonic() < end and not outcomes[-1].problems):
        length = min(chosen.round, chosen.seconds)
        folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
        outcomes.append(asyncio.run(play(folder, seed=seed, seconds=length)))
        sys.stdout.write(f"{told(outcomes[-1], length, folder)}\n")
        sys.stdout.flush()
        if not outcomes[-1].problems:
            shutil.rmtree(folder)
        seed += 1
    Console(width=None if sys.stdout.isatty() else 120).print(table_of(outcomes))
    return 1 if outcomes[-1].problems else 0


def told(outcome: Outcome, seconds: float, folder: Path) -> str:
    """Returns what came of a run, and how to play it again where it failed."""
    lines = [
        (
            f"seed {outcome.seed}: {outcome.faults.total()} faults and whims, {outcome.starts} daemons, {outcome.spectasks} SpecTasks, "
            f"{outcome.changes} acknowledged changes, {outcome.calls} model calls, {outcome.seconds:.0f} s: {'FAILED' if outcome.problems else 'nothing lost'}"
        ),
        *(f"  {number} times {name}" for name, number in outcome.happened.items()),
        *(f"  {problem}" for problem in outcome.problems),
    ]
    if outcome.problems:
        lines += [
            f"  What was there is kept in {folder}; play it again: PYTHONPATH=tests .venv/bin/python -m chaos --seed {outcome.seed} --seconds {seconds:g}"
        ]
    return "\n".join(lines)


def table_of(outcomes: list[Outcome]) -> Table:
    """Returns how often each fault and whim was made and survived."""
    table = Table("fault or whim", "made", "survived")
    made, survived = Counter[str](), Counter[str]()
    for outcome in outcomes:
        made += outcome.faults
        survived += Counter() if outcome.problems else outcome.faults
    for name in sorted(made):
        table.add_row(name, str(made[name]), str(survived[name]))
    for name in outcomes[-1].impossible:
        table.add_row(name, "not possible here", "")
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
