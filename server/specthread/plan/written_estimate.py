"""Estimates that people write under tasks: `_Estimate: 45m_`, `Estimate: 1h 30m`, `_Estimate: 2.5 hours_`."""

from collections.abc import Iterable

from specthread.plan.fault import Fault, badly_estimated
from specthread.spec.duration import seconds_from
from specthread.spec.tasks import Task


def written_estimates(tasks: Iterable[Task]) -> tuple[dict[str, float], list[Fault]]:
    """Seconds by task, and a fault for each time that is not above nothing. What is no time, such as points or sizes, is not read."""
    found: dict[str, float] = {}
    faults: list[Fault] = []
    for task in tasks:
        for meta in task.block.meta:
            if meta.label != "estimate":
                continue
            seconds = seconds_from(meta.value)
            if seconds is not None and seconds > 0:
                found.setdefault(task.id, seconds)
            elif seconds is not None:
                faults.append(badly_estimated(task.id, meta.value.strip()))
    return found, faults
