"""Folds of what a human lets run, and of what is passed over by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from specthread.domain import events as e
from specthread.domain.model import Limits, SpecTask


def _implementation_started(spectask: SpecTask, envelope: e.Envelope, event: e.ImplementationStarted) -> SpecTask:
    lifted = spectask.limits.user_set and not event.limits.user_set
    limits = event.limits
    raised = lifted or limits.stop_usd > spectask.limits.stop_usd or _is_more(limits, spectask.limits)
    # One by one: the first one chosen before anything runs leaves the others for later; a later one joins what runs already.
    every = not event.tasks or (spectask.all_chosen and spectask.state == "implementing")
    return replace(
        spectask,
        state="implementing",
        limits=limits,
        options=event.options or spectask.options,
        queued_since=spectask.queued_since or envelope.time,
        raised_seq=envelope.seq if raised else spectask.raised_seq,
        all_chosen=every,
        chosen=spectask.chosen | set(event.tasks),
    )


def _is_more(limits: Limits, before: Limits) -> bool:
    """Tells whether one run or one task may cost more than before."""
    both = ((limits.run_usd, before.run_usd), (limits.task_usd, before.task_usd))
    return any(old is not None and (new is None or new > old) for new, old in both)


def _task_allowed(spectask: SpecTask, _: e.Envelope, event: e.TaskAllowed) -> SpecTask:
    return replace(spectask, allowed=spectask.allowed | {event.task})


def _task_passed_over(spectask: SpecTask, _: e.Envelope, event: e.TaskPassedOver) -> SpecTask:
    task = replace(spectask.tasks[event.task], state="skipped", passed_over=event.condition)
    return replace(spectask, tasks=spectask.tasks.set(event.task, task))


START_FOLDS: dict[type[e.Event], Callable[[SpecTask, e.Envelope, Any], SpecTask]] = {
    e.ImplementationStarted: _implementation_started,
    e.TaskAllowed: _task_allowed,
    e.TaskPassedOver: _task_passed_over,
}
"""Folds by event class, joined into `state.APPLY`."""
