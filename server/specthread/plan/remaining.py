"""How long what is left of a SpecTask's work takes: each task by itself, all of them in their order, and the planner."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal, NamedTuple

from specthread.domain.completion import needed_tasks
from specthread.domain.ids import TaskNumber
from specthread.domain.model import SpecTask, State
from specthread.domain.rules_spectask import running_plan
from specthread.domain.run import acted
from specthread.plan.capacity import ALONE, Capacity, Crowd
from specthread.plan.estimate import CHECKED, Estimate, Spread, history_of
from specthread.plan.play import play

Basis = Literal["history", "written", "guess"]
"""What a figure is taken from: what ended runs took, what people wrote under the tasks, or nothing."""
Until = Literal["review", "acceptance"]
"""What comes when it has passed: documents to be reviewed, or a feature branch to be accepted."""


class Remaining(NamedTuple):
    """The seconds until a person is needed again as a range, what they are taken from (the weakest of it), and what comes then."""

    seconds: Spread
    basis: Basis
    until: Until


def remaining(state: State, spectask: SpecTask, now: datetime, crowd: Crowd = ALONE) -> Remaining | None:
    """What is left if nothing comes between; None where nothing goes on, or part of it would never begin."""
    plan = running_plan(spectask)
    if plan is not None:
        whole, known = history_of(state).planning(plan.agent)
        return Remaining(left(whole, acted(plan, now)), "history" if known else "guess", "review")
    return _tasks_left(state, spectask, now, crowd) if spectask.state == "implementing" else None


def task_seconds(spectask: SpecTask, number: TaskNumber, estimate: Estimate, now: datetime) -> Spread:
    """What is left of a task: as ended sessions took, else as a person wrote, with the spread of a guess around it, else a guess."""
    task = spectask.tasks[number]
    written = task.plan.estimate
    whole = estimate.seconds if estimate.sessions or not written else estimate.seconds.times(written / estimate.seconds.likely)
    session = spectask.sessions.get(task.session) if task.session else None
    if session is None or session.ended is not None:
        return whole
    return whole.times(CHECKED) if task.state in {"claimed", "verified"} else left(whole, acted(session, now))


def left(whole: Spread, gone: float) -> Spread:
    """What is left of something so many seconds under way; what took longer than expected is not expected to end this very moment."""
    return Spread(*(max(least * whole.likely, each - gone) for least, each in zip(_LEAST, whole, strict=True)))


_LEAST: Final = (0.0, 0.1, 0.5)
"""What is left at least of something under way, low, likely and high, as shares of what it takes in the likely case."""


def _tasks_left(state: State, spectask: SpecTask, now: datetime, crowd: Crowd) -> Remaining | None:
    needed = needed_tasks(spectask)
    todo = {number: task.plan for number, task in spectask.tasks.items() if number in needed and task.state not in {"merged", "skipped"}}
    if not todo:
        return None
    history = history_of(state)
    estimates = {number: history.estimate(spectask.agent, plan.role) for number, plan in todo.items()}
    seconds = {number: task_seconds(spectask, number, estimates[number], now) for number in todo}
    played = play(spectask, seconds, places(spectask, crowd.capacity), crowd.capacity.resources)
    if len(played.spans) + len(played.unlikely) < len(todo):
        return None
    bases = {_basis(estimates[number], plan.estimate is not None) for number, plan in todo.items()}
    return Remaining(played.seconds, next(each for each in _WEAKEST if each in bases), "acceptance")


_WEAKEST: Final[tuple[Basis, ...]] = ("guess", "written", "history")


def places(spectask: SpecTask, capacity: Capacity) -> int:
    """How many of its sessions may work at once, were no other SpecTask there."""
    limits: Iterable[int] = (
        spectask.limits.max_parallel,
        capacity.sessions,
        *filter(None, [capacity.agents.get(spectask.agent)]),
    )
    return 1 if spectask.options.mode == "sequential" else max(1, min(limits))


def _basis(estimate: Estimate, is_written: bool) -> Basis:  # noqa: FBT001  one of the two facts it is about
    return "history" if estimate.sessions else "written" if is_written else "guess"
