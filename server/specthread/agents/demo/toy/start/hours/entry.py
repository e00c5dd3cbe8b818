"""One line of a timesheet, and how people write a length of time."""

import re
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Entry:
    """Some minutes of work on a project."""

    day: date
    project: str
    minutes: int
    note: str = ""


def minutes_of(text: str) -> int:
    """Returns the minutes in `2h`, `1h30` or `45m`."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m?)?", text.strip())
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is no length of time; write 2h, 1h30 or 45m")
    hours, minutes = (int(part or 0) for part in found.groups())
    return 60 * hours + minutes


def duration(minutes: int) -> str:
    """Returns minutes as people read them: 90 is `1:30`."""
    return f"{minutes // 60}:{minutes % 60:02}"
