"""Spans of time as people write them: `45m`, `1h 30m`, `2.5 hours`, `90 s`."""

import re
from typing import Final


def seconds_from(text: str) -> float | None:
    """The seconds that a text such as `1h 30m` says; negative where it says that, None where it is no time in hours, minutes and seconds."""
    whole = _TIME.fullmatch(text.strip().strip("`_").lower())
    if whole is None:
        return None
    seconds = sum(float(part["number"]) * _SECONDS[part["unit"]] for part in _PART.finditer(whole["parts"]))
    return -seconds if whole["sign"] else seconds


def told_seconds(seconds: float) -> str:
    """Returns a span of time in words: `90 seconds`, `30 minutes`, `2 hours`."""
    for size, word in ((3600.0, "hour"), (60.0, "minute")):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds / size:g} {word}s"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


_ONE: Final = r"[0-9]{1,6}(?:\.[0-9]{1,3})?[ \t]*(?:hours|hour|hrs|hr|h|minutes|minute|mins|min|m|seconds|second|secs|sec|s)"
_TIME: Final = re.compile(rf"[~≈]?[ \t]*(?P<sign>[-\u2212]?)[ \t]*(?P<parts>{_ONE}(?:[ \t,]*{_ONE}){{0,2}})")
_PART: Final = re.compile(r"(?P<number>[0-9.]+)[ \t]*(?P<unit>[hms])")
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0}
