"""Spans of time as people write them: `30m`, `90 s`, `1h 30m`."""

from __future__ import annotations

import re

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"\s*(\d{1,6}(?:\.\d{1,3})?)\s*(s|m|h)(?:ec(?:onds?|s)?|in(?:utes?|s)?|ours?|r|rs)?\b\s*", re.IGNORECASE)


def seconds_of(text: str) -> float | None:
    """Returns the seconds a text names, or None where it names no span of time that is longer than nothing."""
    rest, total = text.strip(), 0.0
    while rest:
        part = _PART.match(rest)
        if part is None:
            return None
        total += float(part[1]) * _SECONDS[part[2].lower()]
        rest = rest[part.end() :]
    return total or None


def told_seconds(seconds: float) -> str:
    """Returns a span of time in words: `90 seconds`, `30 minutes`, `2 hours`."""
    for size, word in ((3600.0, "hour"), (60.0, "minute")):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds / size:g} {word}s"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"
