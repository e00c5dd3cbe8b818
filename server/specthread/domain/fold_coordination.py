"""Folds of what happens between sessions: spawning, messages, facts, waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from specthread.domain import events as e
from specthread.domain.coordination import KEPT_CHANGES, Fact, FactChange, Message, Wait
from specthread.domain.family import NO_TASK
from specthread.domain.fold_run import reopened
from specthread.domain.model import SpecTask
from specthread.domain.run import WorkSession
from specthread.domain.runs import next_session


def _spawned(spectask: SpecTask, envelope: e.Envelope, event: e.SessionSpawned) -> SpecTask:
    session = WorkSession(
        id=event.session,
        number=next_session(spectask),
        state="pending",
        agent=event.agent,
        role=event.role,
        started=envelope.time,
        task=NO_TASK,
        start=event.start,
        parent=event.parent,
        work=event.work,
        budget_usd=event.budget_usd,
        spawn_call=event.call,
        spawned_seq=envelope.seq,
    )
    spectask = replace(spectask, sessions=spectask.sessions.set(event.session, session))
    # A plan that nobody has started yet stays unstarted beside what a person spawned.
    if spectask.state == "approved":
        return replace(spectask, state="implementing", all_chosen=False)
    return reopened(spectask)


def _sent(spectask: SpecTask, envelope: e.Envelope, event: e.CoordinationSent) -> SpecTask:
    message = Message(
        number=event.number,
        seq=envelope.seq,
        kind=event.kind,
        sender=event.sender,
        receivers=event.receivers,
        text=event.text,
        time=envelope.time,
        answers=event.answers,
        call=event.call,
        is_open=event.kind == "question",
    )
    known = tuple(replace(each, is_open=False) if each.number == event.answers else each for each in spectask.messages)
    spectask = replace(spectask, messages=(*known, message))
    sender = next((session for session in spectask.sessions.values() if session.id == event.sender), None)
    if sender is None:
        return spectask
    if event.kind == "finished":
        sender = replace(sender, told_attempt=event.attempt)
    elif event.kind in {"blocked", "unblocked"}:
        sender = replace(sender, blocked=event.text if event.kind == "blocked" else "")
    return replace(spectask, sessions=spectask.sessions.set(sender.id, sender))


def _fact_changed(spectask: SpecTask, envelope: e.Envelope, event: e.FactChanged) -> SpecTask:
    known = spectask.facts.get(event.key)
    change = FactChange(version=event.version, value=event.value, by=event.by, time=envelope.time, call=event.call)
    changes = (*(known.changes if known else ()), change)[-KEPT_CHANGES:]
    return replace(spectask, facts=spectask.facts.set(event.key, Fact(key=event.key, changes=changes)))


def _awaited(spectask: SpecTask, envelope: e.Envelope, event: e.SessionsAwaited) -> SpecTask:
    session = spectask.sessions[event.run]
    wait = Wait(call=event.call, seq=envelope.seq, sessions=event.sessions, questions=event.questions)
    # What it once asked a person is answered, or it could not rest for anything else.
    return replace(spectask, sessions=spectask.sessions.set(session.id, replace(session, state="waiting", wait=wait, question=None)))


def _brought_in(spectask: SpecTask, _: e.Envelope, event: e.FeatureBroughtIn) -> SpecTask:
    session = replace(spectask.sessions[event.session], conflict_with=event.feature)
    return replace(spectask, sessions=spectask.sessions.set(session.id, session))


COORDINATION_FOLDS: dict[type[e.Event], Callable[[SpecTask, e.Envelope, Any], SpecTask]] = {
    e.SessionSpawned: _spawned,
    e.CoordinationSent: _sent,
    e.FactChanged: _fact_changed,
    e.SessionsAwaited: _awaited,
    e.FeatureBroughtIn: _brought_in,
}
"""Folds by event class, joined into `state.APPLY`."""
