"""A wall clock that another process sets, for a daemon that is to live through jumps of it.

libfaketime 0.9 cannot be used: with the monotonic clock left alone, as a jump leaves it, Python's waits fail under it. So the modules that ask
for the time are given this clock.
"""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path


class SettableClock:
    """Tells the real time and the seconds that stand in a file; stands in for `datetime` in a module that asks it for nothing but `now`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._time = time.time

    def time(self) -> float:
        """Returns seconds since the epoch."""
        return self._time() + float(self._file.read_text())

    def now(self, zone: dt.tzinfo | None = None) -> dt.datetime:
        """Returns the time in a zone."""
        return dt.datetime.now(zone) + dt.timedelta(seconds=float(self._file.read_text()))
