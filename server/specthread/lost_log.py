"""A log that is empty where there were SpecTasks: nobody begins with nothing unless a person asks for what git holds.

The person's leave is a file in the state folder, which the next daemon takes: a daemon that an editor starts meanwhile does not.
"""

from __future__ import annotations

from pathlib import Path

_LEAVE = "rebuild"


def is_lost(state: Path) -> bool:
    """Tells whether the log of this state folder is missing or empty, although desks are left of SpecTasks."""
    log = state / "events.db"
    return (not log.exists() or not log.stat().st_size) and any((state / "desk-history").glob("*/*"))


def give_leave(state: Path) -> None:
    """Lets the next daemon begin a new log."""
    (state / _LEAVE).touch()


def take_leave(state: Path) -> bool:
    """Tells whether a person gave leave, which counts once."""
    if not (state / _LEAVE).exists():
        return False
    (state / _LEAVE).unlink()
    return True
