"""A SpecTask that git has taken further than this log, as after going back to a backup: it is held until it is read back from git.

Its old words must never be written over newer ones, so nothing is done for it, and no command but `RebuildSpecTask` is taken.
"""

from __future__ import annotations

from immutables import Map

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.copying import replace
from specthread.domain.model import OVERTAKEN, Actor, Refusal, SpecTask
from specthread.domain.runs import all_runs


def hold(spectask: SpecTask, command: reports.ReportOvertaken, actor: Actor) -> tuple[e.Event, ...]:  # noqa: ARG001  every rule has the same form
    """Holds it, with what was at work."""
    return (*(e.RunInterrupted(run=run.id) for run in all_runs(spectask) if run.state == "running"), e.SpecTaskOvertaken())


def held(spectask: SpecTask) -> Refusal:
    """Returns the answer to every command for a SpecTask that is held."""
    return Refusal(code="overtaken", message=f"{spectask.id} is held. {spectask.trouble}", hint="It is as git holds it afterwards.")


def overtaken(spectask: SpecTask, _: e.Envelope, __: e.SpecTaskOvertaken) -> SpecTask:
    """Folds the event: no other trouble counts any more."""
    told = f"Git holds newer work on it than this log, which was restored: `specthread rebuild {spectask.id}` takes that over."
    return replace(spectask, troubles=Map({OVERTAKEN: told}))
