"""Measures every figure of the design that has code, prints the table and writes it to build/bench.json.

Usage: python -m bench [MEASURE...]. Ends with 1 where a target does not hold.
"""

from __future__ import annotations

import json
import platform
import sqlite3
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.measure import Figure

MEASURES = (
    "event_append",
    "document_commit",
    "commit_peers",
    "git_work",
    "first_call",
    "throttle",
    "daemon_start",
    "log_scale",
    "editors",
    "spec_language",
    "schedule",
    "makespan",
    "dag",
    "locks",
    "context_cache",
    "agents",
    "demo_time",
)
HOLDS = {True: "yes", False: "NO", None: ""}
OUTPUT = Path(__file__).parents[2] / "build" / "bench.json"


def main(chosen: list[str]) -> int:
    """Runs the measures named, or all."""
    found: list[Figure] = []
    for name in chosen or MEASURES:
        found += import_module(f"bench.{name}").figures()
    OUTPUT.parent.mkdir(exist_ok=True)
    machine = {"system": platform.platform(), "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    OUTPUT.write_text(json.dumps({"machine": machine, "figures": [asdict(figure) for figure in found]}, indent=2) + "\n")
    Console(width=None if sys.stdout.isatty() else 160).print(table_of(found))
    return 1 if any(figure.holds is False for figure in found) else 0


def table_of(found: list[Figure]) -> Table:
    """Returns the figures as a table for people."""
    table = Table("figure", "target", "measured", "floor or peer", "holds")
    for figure in found:
        table.add_row(figure.name, figure.target, figure.measured, figure.floor, HOLDS[figure.holds])
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
