"""Who comes back, by an answer, a resume, a retry or the end of a wait, asks for a place like everybody else: it waits as `pending`, and goes before what is new.

The word that lets it go on is an event of its own, durable at once; `RunResumed` follows when the scheduler has a place. Planning holds none and goes on at once.
"""

from __future__ import annotations

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.model import ENDED_TASK_STATES, Actor, Refusal, SpecTask
from specthread.domain.readiness import free_for_spawned, may_go_on, working_sessions
from specthread.domain.run import WORKING_RUN_STATES, AnyRun, WorkSession

Decision = tuple[e.Event, ...] | Refusal


def going_on(run: AnyRun) -> e.Event:
    """Returns how a run goes on that nothing keeps from it any more."""
    return e.PlaceAwaited(run=run.id) if isinstance(run, WorkSession) else e.RunResumed(run=run.id)


def all_going_on(spectask: SpecTask) -> tuple[e.Event, ...]:
    """Returns how the sessions go on that were stopped at their work with their SpecTask: others may have their places by now."""
    stopped = (session for session in spectask.sessions.values() if session.state in WORKING_RUN_STATES)
    return tuple(map(going_on, sorted(stopped, key=lambda session: session.number)))


def give_place(spectask: SpecTask, command: reports.GivePlace, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Lets a session go on that awaited a place; re-checks only direct facts, the order is the scheduler's."""
    session = spectask.sessions.get(command.session)
    is_free = may_return(spectask) and free_for_spawned(spectask, working_sessions(spectask)) > 0
    if session is None or not is_free or not may_go_on(spectask, session):
        return Refusal(
            code="not-ready",
            message=f"{command.session} cannot go on now.",
            hint=f"`specthread show {spectask.id}` says what it waits for.",
        )
    return (e.RunResumed(run=session.id),)


def may_return(spectask: SpecTask) -> bool:
    """Tells whether sessions of the SpecTask may come back: neither fail-fast, nor spent money, nor an open decision holds up what has begun."""
    return not spectask.paused and spectask.state not in ENDED_TASK_STATES
