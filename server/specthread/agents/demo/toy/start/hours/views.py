"""The ways to show a timesheet. A view turns entries into text."""

from collections.abc import Callable, Sequence

from hours.entry import Entry, duration


def table(entries: Sequence[Entry]) -> str:
    """Returns one line per entry, and the total."""
    lines = [f"{entry.day}  {duration(entry.minutes):>6}  {entry.project:<12}  {entry.note}".rstrip() for entry in entries]
    total = duration(sum(entry.minutes for entry in entries))
    return "\n".join([*lines, f"{'total':<10}  {total:>6}"]) + "\n"


VIEWS: dict[str, Callable[[Sequence[Entry]], str]] = {
    "table": table,
}
