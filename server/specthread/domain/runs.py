"""The runs of a SpecTask: find one, list them, put a new value in its place."""

from __future__ import annotations

from typing import Any

from specthread.domain.copying import replace
from specthread.domain.ids import RunId
from specthread.domain.model import SpecTask
from specthread.domain.run import (
    PlanningRun,
    Run,
    WorkSession,
)


def find_run(spectask: SpecTask, run: RunId) -> PlanningRun | WorkSession | None:
    """Returns the run with this id, or None."""
    session = spectask.sessions.get(run)
    if session is not None:
        return session
    return next((plan for plan in spectask.plans if plan.id == run), None)


def all_runs(spectask: SpecTask) -> tuple[PlanningRun | WorkSession, ...]:
    """Returns the planning runs and then the sessions, each in the order of their numbers."""
    return (*spectask.plans, *sorted(spectask.sessions.values(), key=lambda session: session.number))


def next_session(spectask: SpecTask) -> int:
    """Returns the number of a session that is started now."""
    return max((session.number for session in spectask.sessions.values()), default=0) + 1


def with_run(spectask: SpecTask, run: Run) -> SpecTask:
    """Returns the SpecTask with this run in the place of its former value."""
    if isinstance(run, WorkSession):
        return replace(spectask, sessions=spectask.sessions.set(run.id, run))
    plans = tuple(run if plan.id == run.id else plan for plan in spectask.plans)
    return replace(spectask, plans=plans)


def changed_run(spectask: SpecTask, run: RunId, **changes: Any) -> SpecTask:  # noqa: ANN401  field values of several types
    """Returns the SpecTask with these fields of a run changed; as it was where there is no such run."""
    known = find_run(spectask, run)
    return with_run(spectask, replace(known, **changes)) if known else spectask
