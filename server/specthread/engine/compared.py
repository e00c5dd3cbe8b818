"""Of which SpecTasks of a restored log it was seen that git has not taken them further, so that one look is enough for every start to come.

They stand in the log's table `meta`, each noted when it was compared; who dies before looks again. A log that is restored or repaired begins with none.
"""

from __future__ import annotations

import sqlite3
from typing import Final

_NAME: Final = "compared "


def compared(connection: sqlite3.Connection) -> frozenset[str]:
    """Returns their ids; raises sqlite3.Error."""
    found = connection.execute("SELECT name FROM meta").fetchall()
    return frozenset(name.removeprefix(_NAME) for (name,) in found if isinstance(name, str) and name.startswith(_NAME))


def note_compared(connection: sqlite3.Connection, spectask: str) -> None:
    """Notes one of them, durably; raises sqlite3.Error."""
    with connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, '')", (f"{_NAME}{spectask}",))
