"""Which requests the log answers: the keys of the last ones that changed something, with the events that they led to.

They are stored with those events in one transaction, so a request whose answer was lost, as its daemon was killed, changes nothing when it is sent to the next one.
Whoever reads the log for what happened does not need them; a log of an older Specthread has no such table, and one that is restored begins with none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

REMEMBERED: Final = 1_000
"""Keys that a start finds again."""

_CREATE = "CREATE TABLE IF NOT EXISTS answered (command TEXT NOT NULL, key TEXT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, PRIMARY KEY (command, key))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Events `first` to `last` are what the command class `command` with this `key` led to."""

    command: str
    key: str
    first: int
    last: int


def note_answered(connection: sqlite3.Connection, answered: Iterable[Answered]) -> None:
    """Writes them down in the transaction under way; raises sqlite3.Error."""
    rows = [(each.command, each.key, each.first, each.last) for each in answered]
    if rows:
        connection.execute(_CREATE)
        connection.executemany("INSERT OR REPLACE INTO answered VALUES (?, ?, ?, ?)", rows)


def last_answered(connection: sqlite3.Connection) -> tuple[Answered, ...]:
    """Returns the last ones, oldest first; raises sqlite3.Error."""
    if not _has_table(connection):
        return ()
    found = connection.execute("SELECT command, key, first, last FROM answered ORDER BY last DESC LIMIT ?", (REMEMBERED,)).fetchall()
    return tuple(Answered(command=command, key=key, first=first, last=last) for command, key, first, last in reversed(found))


def forget_answered(connection: sqlite3.Connection, *, after: int) -> None:
    """Removes those whose events come after number `after` and are not stored, and those that no start looks for; raises sqlite3.Error."""
    if _has_table(connection):
        connection.execute("DELETE FROM answered WHERE last > ?", (after,))
        connection.execute(
            "DELETE FROM answered WHERE last < (SELECT last FROM answered ORDER BY last DESC LIMIT 1 OFFSET ?)", (REMEMBERED,)
        )


def _has_table(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'answered'").fetchone() is not None
