"""The command line: `hours add` and `hours list`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hours.entry import Entry, minutes_of
from hours.sheet import append, load
from hours.views import VIEWS


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out one command and returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "add":
        append(options.file, Entry(options.day, options.project, options.time, options.note))
    else:
        sys.stdout.write(VIEWS["table"](load(options.file)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hours", description="A timesheet in a text file.")
    parser.add_argument("--file", type=Path, default=Path("hours.tsv"), help="the timesheet (hours.tsv)")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="add an entry")
    add.add_argument("project")
    add.add_argument("time", type=minutes_of, help="such as 2h, 1h30 or 45m")
    add.add_argument("note", nargs="?", default="")
    add.add_argument("--day", type=date.fromisoformat, default=date.today())
    commands.add_parser("list", help="show the entries")
    return parser
