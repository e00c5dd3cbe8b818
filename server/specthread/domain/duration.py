"""Spans of time in words."""

from __future__ import annotations


def told_seconds(seconds: float) -> str:
    """Returns a span of time in words: `90 seconds`, `30 minutes`, `2 hours`."""
    for size, word in ((3600.0, "hour"), (60.0, "minute")):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds / size:g} {word}s"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"
