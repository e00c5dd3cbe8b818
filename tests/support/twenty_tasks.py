"""A plan of twenty tasks with how long each takes, and the time that no schedule can beat."""

from __future__ import annotations

from specthread.domain.model import PlannedTask
from support.simulation import planned

TWENTY = [
    *(planned(str(number)) for number in range(1, 5)),
    *(planned(str(number), str(number - 4)) for number in range(5, 9)),
    *(planned(str(number), str(number - 4), str((number - 8) % 4 + 5)) for number in range(9, 13)),
    *(planned(str(number)) for number in range(13, 19)),
    planned("19", "9", "10"),
    planned("20", "11", "12"),
]
"""Four chains that cross, six tasks beside them, and two that bring the chains together."""


def seconds(task: PlannedTask) -> float:
    """Returns how long a task takes."""
    return 60.0 + 7 * (int(task.number) * 5 % 11)


def lower_bound(places: int) -> float:
    """Returns the longer of the critical path and all work divided by the places."""
    longest: dict[str, float] = {}
    for task in TWENTY:
        longest[task.number] = seconds(task) + max((longest[before] for before in task.depends), default=0.0)
    return max(*longest.values(), sum(map(seconds, TWENTY)) / places)
