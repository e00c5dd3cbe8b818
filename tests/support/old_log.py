"""Logs of former versions, kept as text: a line of JSON for each event as it was written then, and the tables of that time.

`PYTHONPATH=tests python -m support.old_log EVENTS_DB` prints a log in this form. A recorded file is never made anew: it stands for what people have on their disks.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

DATA = Path(__file__).parents[1] / "engine" / "data" / "log"
COLUMNS = ("seq", "instance", "schema", "host", "actor", "time", "spectask", "run", "kind", "payload")
_JSON = {"actor", "payload"}

FORMAT_1 = """
CREATE TABLE events (
    seq INTEGER NOT NULL, instance TEXT NOT NULL, schema INTEGER NOT NULL, host TEXT NOT NULL, actor BLOB NOT NULL,
    time TEXT NOT NULL, spectask TEXT NOT NULL, run TEXT, kind TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (seq)
);
CREATE INDEX ix_events_spectask ON events (spectask);
CREATE INDEX ix_events_run ON events (run) WHERE run IS NOT NULL;
CREATE TABLE meta (name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name));
"""
"""The tables as version 1 of the format made them."""


def lines_of(name: str) -> list[dict[str, object]]:
    """Returns the events of a recorded file, with all their columns."""
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def make_old_log(path: Path, rows: list[dict[str, object]]) -> None:
    """Makes the log that the program of that time would have left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path)
    with database:
        database.executescript(FORMAT_1)
        database.execute("PRAGMA journal_mode=WAL")
        database.executemany("INSERT INTO meta VALUES (?, ?)", [("instance", rows[0]["instance"]), ("format", "1")])
        values = [[json.dumps(row[name]).encode() if name in _JSON else row[name] for name in COLUMNS] for row in rows]
        database.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(COLUMNS))})", values)
    database.close()


def printed(path: Path) -> list[str]:
    """Returns the lines of a log."""
    database = sqlite3.connect(path)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in database.execute(f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY seq")]
    database.close()
    return [
        json.dumps({name: json.loads(value) if name in _JSON else value for name, value in row.items()}, ensure_ascii=False) for row in rows
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(printed(Path(sys.argv[1]))) + "\n")
