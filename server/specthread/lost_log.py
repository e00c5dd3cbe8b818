"""A log that is empty where there was one: nobody begins with nothing unless a person asks for what git holds.

That there was one is noted in the state folder. The person's leave is a file there too, which the next daemon takes if it starts within a minute.
"""

from __future__ import annotations

import time
from pathlib import Path

_NOTE = "log-begun"
_LEAVE = "rebuild"
_FRESH = 60.0


def is_lost(state: Path) -> bool:
    """Tells whether the log of this state folder is missing or empty, although there were SpecTasks."""
    log = state / "events.db"
    return (not log.exists() or not log.stat().st_size) and ((state / _NOTE).exists() or any((state / "desk-history").glob("*/*")))


def note_begun(state: Path) -> None:
    """Notes that the log holds something."""
    (state / _NOTE).touch()


def give_leave(state: Path) -> None:
    """Lets a daemon that starts within a minute begin a new log."""
    (state / _LEAVE).touch()


def take_leave(state: Path) -> bool:
    """Tells whether a person has just given leave; it counts once."""
    leave = state / _LEAVE
    try:
        fresh = 0 <= time.time() - leave.stat().st_mtime < _FRESH
    except FileNotFoundError:
        return False
    leave.unlink(missing_ok=True)
    return fresh
