"""Folds of reviews: while one goes on its session stays in verification, and however it ends it lets the session go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from specthread.domain import events as e
from specthread.domain.copying import replace
from specthread.domain.fold_call import charged
from specthread.domain.model import SpecTask, TaskState
from specthread.domain.run import ENDED_RUN_STATES, ReviewRun, RunState, WorkSession
from specthread.domain.runs import changed_run, find_run, with_run


def _review_started(spectask: SpecTask, envelope: e.Envelope, event: e.ReviewStarted) -> SpecTask:
    session = spectask.sessions[event.owner]
    review = ReviewRun(
        id=event.run,
        number=len(spectask.reviews) + 1,
        state="starting",
        agent=event.agent,
        role="reviewer",
        started=envelope.time,
        session=event.owner,
        claim=event.claim,
        commit=event.commit,
        gate=event.gate,
        budget_usd=event.budget_usd,
        user_set=event.user_set,
    )
    spectask = with_run(spectask, replace(session, state="verifying", review=event.run))
    return _with_task(replace(spectask, reviews=(*spectask.reviews, review)), session, "claimed")


def _review_finished(spectask: SpecTask, envelope: e.Envelope, event: e.ReviewFinished) -> SpecTask:
    spectask = changed_run(
        spectask, event.run, state="completed", ended=envelope.time, verdicts=event.verdicts, summary=event.summary, doing=""
    )
    review = find_run(spectask, event.run)
    return _released(spectask, review) if isinstance(review, ReviewRun) else spectask


def review_lost(spectask: SpecTask, review: ReviewRun, state: RunState, reason: str, time: datetime) -> SpecTask:
    """Returns the SpecTask after a review ended without a verdict: its session goes on by its checks alone, and the person is told."""
    spectask = with_run(spectask, replace(charged(review), state=state, reason=reason, ended=time))
    name, owner = review.id.rpartition("/")[2], review.session.rpartition("/")[2]
    why = reason.rstrip(".") or "it was cancelled"
    told = f"{name} gave no verdict on the work of {owner}, which goes by its checks alone: {why}."
    return replace(_released(spectask, review), warnings=(*spectask.warnings, told))


def without_review(spectask: SpecTask, session: WorkSession, time: datetime) -> SpecTask:
    """Returns the SpecTask of a session that has ended with the review of its work ended, too."""
    review = find_run(spectask, session.review) if session.review else None
    if not isinstance(review, ReviewRun) or review.state in ENDED_RUN_STATES:
        return spectask
    return with_run(spectask, replace(charged(review), state="cancelled", reason="its session has ended", ended=time))


def _released(spectask: SpecTask, review: ReviewRun) -> SpecTask:
    """Lets the session go on to its merge, wherever it stands still meanwhile."""
    session = spectask.sessions.get(review.session)
    if session is None or session.review != review.id or session.ended is not None:
        return spectask
    stands = {name: "merging" for name in ("state", "paused_from", "returns") if getattr(session, name) == "verifying"}
    return _with_task(with_run(spectask, replace(session, **stands)), session, "verified")


def _with_task(spectask: SpecTask, session: WorkSession, state: TaskState) -> SpecTask:
    task = spectask.tasks.get(session.task)
    return spectask if task is None else replace(spectask, tasks=spectask.tasks.set(session.task, replace(task, state=state)))


REVIEW_FOLDS: dict[type[e.Event], Callable[[SpecTask, e.Envelope, Any], SpecTask]] = {
    e.ReviewStarted: _review_started,
    e.ReviewFinished: _review_finished,
}
"""Folds by event class, joined into `state.APPLY`."""
