"""Estimates that people write under tasks: `_Estimate: 45m_`, `Estimate: 1h 30m`, `_Estimate: 2.5 hours_`."""

import re
from collections.abc import Iterable
from typing import Final

from specthread.plan.fault import Fault, badly_estimated
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


def seconds_from(text: str) -> float | None:
    """The seconds that a text such as `1h 30m` says; negative where it says that, None where it is no time in hours, minutes and seconds."""
    whole = _TIME.fullmatch(text.strip().strip("`_").lower())
    if whole is None:
        return None
    seconds = sum(float(part["number"]) * _SECONDS[part["unit"]] for part in _PART.finditer(whole["parts"]))
    return -seconds if whole["sign"] else seconds


_ONE: Final = r"[0-9]{1,6}(?:\.[0-9]{1,3})?[ \t]*(?:hours|hour|hrs|hr|h|minutes|minute|mins|min|m|seconds|second|secs|sec|s)"
_TIME: Final = re.compile(rf"[~≈]?[ \t]*(?P<sign>[-\u2212]?)[ \t]*(?P<parts>{_ONE}(?:[ \t,]*{_ONE}){{0,2}})")
_PART: Final = re.compile(r"(?P<number>[0-9.]+)[ \t]*(?P<unit>[hms])")
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0}
