"""Where the time went: the total of each project."""

from collections import Counter
from collections.abc import Sequence

from hours.entry import Entry, duration


def totals(entries: Sequence[Entry]) -> str:
    """Returns one line per project, ORDER, and a line for all of them."""
    minutes: Counter[str] = Counter()
    for entry in entries:
        minutes[entry.project] += entry.minutes
    lines = [f"{duration(spent):>6}  {project}" for project, spent in SORTED]
    return "\n".join([*lines, f"{duration(minutes.total()):>6}  total"]) + "\n"
