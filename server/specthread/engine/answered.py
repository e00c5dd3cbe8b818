"""Which requests the log answers: the keys of the last ones that changed something, with the events that they led to.

They are stored with those events in one transaction, so a request whose answer was lost, as its daemon was killed, changes nothing when it is sent to the next one.
Whoever reads the log for what happened does not need them; a log of an older Specthread has no such table, and one that is restored begins with none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from specthread.engine.store import is_damage

_logger = structlog.get_logger(__name__)

REMEMBERED: Final = 1_000
"""Keys that a start finds again."""

_CREATE = (
    "CREATE TABLE IF NOT EXISTS answered (command TEXT NOT NULL, key TEXT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, "
    "spectask TEXT NOT NULL, PRIMARY KEY (command, key, spectask))"
)
_RENEW = (
    "ALTER TABLE answered RENAME TO answered_before",
    _CREATE,
    "INSERT INTO answered SELECT command, key, first, last, '' FROM answered_before",
    "DROP TABLE answered_before",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Events `first` to `last` are what the command class `command` with this `key` led to in a SpecTask.

    `spectask` is empty where the command makes one, whose id is drawn anew each time, and where an older Specthread noted it: its events tell.
    """

    command: str
    spectask: str
    key: str
    first: int
    last: int


def note_answered(connection: sqlite3.Connection, answered: Iterable[Answered]) -> None:
    """Writes them down in the transaction under way; raises sqlite3.Error."""
    rows = [(each.command, each.key, each.first, each.last, each.spectask) for each in answered]
    if rows:
        columns = _columns(connection)
        before = _RENEW if columns == _FORMER else (_CREATE,) if columns in {(), _COLUMNS} else ("DROP TABLE answered", _CREATE)
        for statement in before:
            connection.execute(statement)
        connection.executemany("INSERT OR REPLACE INTO answered VALUES (?, ?, ?, ?, ?)", rows)


def last_answered(connection: sqlite3.Connection) -> tuple[Answered, ...]:
    """Returns the last ones, oldest first, as far as they can be read: they are no part of what happened. Raises sqlite3.Error where the disk does not answer."""
    columns = _columns(connection)
    if not columns:
        return ()
    try:
        found = connection.execute("SELECT * FROM answered ORDER BY last DESC LIMIT ?", (REMEMBERED,)).fetchall()
    except sqlite3.Error as fault:
        if not is_damage(fault):
            raise
        found, columns = [], ()
    values: list[dict[str, Any]] = [{"spectask": "", **dict(zip(columns, row, strict=True))} for row in reversed(found)]
    whole = [each for each in values if {name: type(value) for name, value in each.items()} == _TYPES]
    if columns not in {_FORMER, _COLUMNS} or len(whole) < len(values):
        _logger.warning("keys of answered requests cannot be read; one that is sent again may count twice")
    return tuple(Answered(**each) for each in whole)


def forget_answered(connection: sqlite3.Connection, *, after: int) -> None:
    """Removes those whose events come after number `after` and are not stored, and those that no start looks for; raises sqlite3.Error."""
    if _columns(connection) in {_FORMER, _COLUMNS}:
        connection.execute("DELETE FROM answered WHERE last > ?", (after,))
        connection.execute(
            "DELETE FROM answered WHERE last < (SELECT last FROM answered ORDER BY last DESC LIMIT 1 OFFSET ?)", (REMEMBERED,)
        )


_FORMER: Final = ("command", "key", "first", "last")
_COLUMNS: Final = (*_FORMER, "spectask")
_TYPES: Final = {"command": str, "key": str, "first": int, "last": int, "spectask": str}


def _columns(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Returns the columns of the table; none where there is no table yet."""
    return tuple(name for _, name, *_ in connection.execute("PRAGMA table_info(answered)"))
