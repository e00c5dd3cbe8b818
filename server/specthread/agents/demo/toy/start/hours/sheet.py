"""The timesheet on disk: one entry per line, fields separated by tabs."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hours.entry import Entry


def load(path: Path) -> Sequence[Entry]:
    """Returns the entries in the order they were written; a missing file is an empty timesheet."""
    if not path.exists():
        return []
    return [_entry(line) for line in path.read_text().splitlines() if line]


def append(path: Path, entry: Entry) -> None:
    """Adds an entry at the end."""
    with path.open("a") as file:
        file.write("\t".join([entry.day.isoformat(), entry.project, str(entry.minutes), entry.note]) + "\n")


def _entry(line: str) -> Entry:
    day, project, minutes, note = line.split("\t")
    return Entry(day=date.fromisoformat(day), project=project, minutes=int(minutes), note=note)
