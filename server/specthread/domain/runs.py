"""The runs of a SpecTask: find one, list them, put a new value in its place."""

from __future__ import annotations

from typing import Any

from specthread.domain.copying import replace
from specthread.domain.ids import RunId
from specthread.domain.model import SpecTask
from specthread.domain.run import AnyRun, ReviewRun, Run, WorkSession


def find_run(spectask: SpecTask, run: RunId) -> AnyRun | None:
    """Returns the run with this id, or None."""
    session = spectask.sessions.get(run)
    if session is not None:
        return session
    others: tuple[AnyRun, ...] = (*spectask.plans, *spectask.reviews)
    return next((other for other in others if other.id == run), None)


def all_runs(spectask: SpecTask) -> tuple[AnyRun, ...]:
    """Returns the planning runs, the sessions and then the reviews, each in the order of their numbers."""
    return (*spectask.plans, *sorted(spectask.sessions.values(), key=lambda session: session.number), *spectask.reviews)


def next_session(spectask: SpecTask) -> int:
    """Returns the number of a session that is started now."""
    return max((session.number for session in spectask.sessions.values()), default=0) + 1


def with_run(spectask: SpecTask, run: Run) -> SpecTask:
    """Returns the SpecTask with this run in the place of its former value."""
    if isinstance(run, WorkSession):
        return replace(spectask, sessions=spectask.sessions.set(run.id, run))
    if isinstance(run, ReviewRun):
        return replace(spectask, reviews=tuple(run if review.id == run.id else review for review in spectask.reviews))
    plans = tuple(run if plan.id == run.id else plan for plan in spectask.plans)
    return replace(spectask, plans=plans)


def changed_run(spectask: SpecTask, run: RunId, **changes: Any) -> SpecTask:  # noqa: ANN401  field values of several types
    """Returns the SpecTask with these fields of a run changed; as it was where there is no such run."""
    known = find_run(spectask, run)
    return with_run(spectask, replace(known, **changes)) if known else spectask
