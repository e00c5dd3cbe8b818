"""How long an agent has acted, kept beside every fold: of the run that an event names, and of all runs where it stops a SpecTask or lets it go on.

A run's clock runs while its agent calls its model or uses tools and nothing keeps it from that. Neither what it waits for people, a resource, a place or its
provider counts, nor what passes while its SpecTask is paused, has ended or is held, nor what passes while no daemon runs or the machine is suspended.

What holds of the two last: of a daemon that died, what an agent did after the last event of all is not known and does not count. A suspension, or a clock that was
set, is noted before the next event after it (`engine/loop.py`), so no time that the log tells holds it, but for leaps of a few seconds; until then what is shown may.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from specthread.domain import events as e
from specthread.domain.copying import replace
from specthread.domain.ids import RunId
from specthread.domain.model import ENDED_TASK_STATES, SpecTask
from specthread.domain.run import ACTING, LIVE_RUN_STATES, AnyRun
from specthread.domain.runs import all_runs, find_run, with_run


def timed(before: SpecTask | None, after: SpecTask, envelope: e.Envelope) -> SpecTask:
    """Returns the SpecTask `after` an event with the clocks of its runs as the event leaves them."""
    flipped = before is not None and _goes_on(before) != _goes_on(after)
    runs = all_runs(after) if flipped or isinstance(envelope.event, e.ClockJumped) else _named(after, envelope.event)
    lost = _lost(before, envelope)
    for run in runs:
        told = _stood(after, _acted(after, _put_down(after, _shifted(run, lost), envelope.event), envelope), envelope.time)
        after = after if told is run else with_run(after, told)
    return after


def _goes_on(spectask: SpecTask) -> bool:
    return not (spectask.paused or spectask.overtaken or spectask.state in ENDED_TASK_STATES)


def _named(spectask: SpecTask, event: e.Event) -> tuple[AnyRun, ...]:
    name: RunId | None = getattr(event, "run", None) or getattr(event, "session", None) or getattr(event, "plan", None)
    run = find_run(spectask, name) if name else None
    return (run,) if run else ()


def _lost(before: SpecTask | None, envelope: e.Envelope) -> float:
    """Returns the seconds before an event in which, as it says, no agent acted."""
    if isinstance(envelope.event, e.ClockJumped):
        return envelope.event.seconds
    if not isinstance(envelope.event, e.RunInterrupted) or before is None:
        return 0.0
    return (envelope.time - (envelope.event.alive or before.updated or envelope.time)).total_seconds()


def _shifted(run: AnyRun, lost: float) -> AnyRun:
    if not lost or run.state not in LIVE_RUN_STATES:
        return run
    since = run.active_since + timedelta(seconds=lost) if run.active_since else None
    return replace(run, active_since=since, stood=run.stood + (0.0 if run.stood_since else lost))


def _may_act(spectask: SpecTask, run: AnyRun) -> bool:
    return run.state in ACTING and _goes_on(spectask)


def _put_down(spectask: SpecTask, run: AnyRun, event: e.Event) -> AnyRun:
    """Returns the run without what it is no longer about: whoever is stopped leaves the line and its call, and whoever calls its model is out of the line."""
    stopped = isinstance(event, e.RunInterrupted) or not _may_act(spectask, run)
    if run.awaits and (stopped or isinstance(event, e.CallStarted)):
        run = replace(run, awaits="")
    return replace(run, busy=0) if run.busy and run.open_call and stopped else run


_NOT_YET: Final = (e.RunInterrupted, e.RunResumed, e.SpecTaskResumed)
"""After these an agent may act, and does with its next call or tool."""


def _acted(spectask: SpecTask, run: AnyRun, envelope: e.Envelope) -> AnyRun:
    may_act = _may_act(spectask, run)
    if may_act and run.busy and not run.awaits and not isinstance(envelope.event, _NOT_YET):
        return run if run.active_since else replace(run, active_since=envelope.time)
    doing = run.doing if may_act else ""
    if run.active_since is None:
        return run if doing == run.doing else replace(run, doing=doing)
    return replace(run, doing=doing, active_since=None, worked=run.worked + _seconds(run.active_since, envelope.time))


def _stood(spectask: SpecTask, run: AnyRun, now: datetime) -> AnyRun:
    if run.state in LIVE_RUN_STATES and (run.state in {"paused", "pending"} or not _goes_on(spectask)):
        return run if run.stood_since else replace(run, stood_since=now)
    if run.stood_since is None:
        return run
    return replace(run, stood_since=None, stood=run.stood + _seconds(run.stood_since, now))


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())
