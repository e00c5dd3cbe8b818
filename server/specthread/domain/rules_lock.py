"""Rules for locks: who may ask, and the direct facts under which a resource is given, given back, taken back by a person, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.commands import Command, TakeBackLock
from specthread.domain.locks import NONE, Lock, Locks, ResourceKey, Waiting, concerning, hold_of, resource_key, wait_of
from specthread.domain.model import ENDED_TASK_STATES, Actor, Refusal, SpecTask
from specthread.domain.rules_run import is_acting, not_running, unknown_run
from specthread.domain.run import ACTING, ENDED_RUN_STATES, PlanningRun
from specthread.domain.run_options import Priority
from specthread.domain.runs import find_run
from specthread.spec.resource import KINDS, MOST_USED

Decision = tuple[e.Event, ...] | Refusal
LockRule = Callable[[Locks, SpecTask, Any, Actor], Decision]
PRIORITY: Mapping[Priority, int] = {"high": 30, "normal": 0, "low": -30}
"""What a SpecTask's priority is worth in a line, in minutes of waiting: as much as in the line for a place."""
_LOOK = "`specthread locks` shows who holds what."


def fits(lock: Lock, waiting: Waiting, capacity: int | None) -> bool:
    """Tells whether a resource could be held by one more as it is wanted, whoever else stands in line; its own weaker hold is in nobody's way."""
    others = [held for held in lock.held if held.run != waiting.run]
    if waiting.mode == "exclusive":
        return not others
    return all(held.mode == "shared" for held in others) and (capacity is None or len(others) < capacity)


def _key(spectask: SpecTask, resource: str) -> ResourceKey | Refusal:
    return resource_key(spectask.repository, resource) or Refusal(
        code="unknown-resource",
        message=f"{resource[:100]!r} is no resource.",
        hint=f"Name it as kind:name, such as database:test; the kinds are {', '.join(KINDS)}, the name has up to 200 characters.",
    )


def _request(locks: Locks, spectask: SpecTask, command: reports.RequestLock, _: Actor) -> Decision:
    run = find_run(spectask, command.run)
    if run is None or not is_acting(spectask, run):
        return not_running(run) if run else unknown_run(spectask, command.run)
    if isinstance(run, PlanningRun):
        return Refusal(code="not-a-session", message=f"{run.id} plans and touches nothing.", hint="Only sessions use resources.")
    key = _key(spectask, command.resource)
    if isinstance(key, Refusal):
        return key
    lock = locks.get(key, NONE)
    held = hold_of(lock, command.run)
    if wait_of(lock, command.run) or (held and (held.mode == "exclusive" or command.mode == "shared")):
        return ()
    concerned = list(concerning(locks, command.run))
    # One at a time: so a circle of waits always goes through something that is held, and one that gives way frees it.
    if other := next((name for (_, name), lock in concerned if wait_of(lock, command.run)), None):
        return Refusal(code="waits-already", message=f"{command.run} waits for {other} already.", hint="Ask for one after the other.")
    if len(concerned) >= MOST_USED:
        return Refusal(
            code="too-many-locks",
            message=f"{command.run} holds or waits for {MOST_USED} resources, which is the most.",
            hint="Release one first.",
        )
    priority = PRIORITY[spectask.options.priority]
    return (e.LockRequested(run=command.run, resource=key[1], mode=command.mode, priority=priority, seconds=command.seconds),)


def _grant(locks: Locks, spectask: SpecTask, command: reports.GrantLock, _: Actor) -> Decision:
    key = _key(spectask, command.resource)
    if isinstance(key, Refusal):
        return key
    lock = locks.get(key, NONE)
    waiting = wait_of(lock, command.run)
    if waiting is None:
        return ()
    if not fits(lock, waiting, command.capacity):
        holders = ", ".join(held.run for held in lock.held)
        return Refusal(code="lock-held", message=f"{command.resource} is held by {holders}.", hint="It is granted when they release it.")
    return (e.LockGranted(run=command.run, resource=key[1], mode=waiting.mode),)


def _release(locks: Locks, spectask: SpecTask, command: reports.ReleaseLock, _: Actor) -> Decision:
    key = _key(spectask, command.resource)
    if isinstance(key, Refusal):
        return key
    lock = locks.get(key, NONE)
    if not hold_of(lock, command.run) and not wait_of(lock, command.run):
        return Refusal(code="not-held", message=f"{command.run} does not hold {command.resource}.", hint="There is nothing to release.")
    return (e.LockReleased(run=command.run, resource=key[1]),)


def _refuse(locks: Locks, spectask: SpecTask, command: reports.RefuseLock, _: Actor) -> Decision:
    key = _key(spectask, command.resource)
    if isinstance(key, Refusal):
        return key
    lost: tuple[str, ...] = ()
    if command.cause == "deadlock":
        lost = tuple(sorted(name for (_, name), lock in concerning(locks, command.run) if hold_of(lock, command.run)))
    refused = e.LockRefused(run=command.run, resource=key[1], cause=command.cause, lost=lost)
    if wait_of(locks.get(key, NONE), command.run):
        return (refused,)
    run = find_run(spectask, command.run)
    if run is None or run.state in ACTING or not lost:
        return ()
    # No call of its own is answered by the event: it rests, and those it rests for could not go on.
    told = (
        f"You rested and held {', '.join(lost)}, so that those you rested for could not go on. You no longer hold that, and what you did with it may be overwritten. "
        "Ask for it again with `lock` before you use it."
    )
    return (refused, e.MessageSent(run=run.id, after_turn=run.turn, text=told, source="daemon"))


def _take_back(locks: Locks, spectask: SpecTask, command: TakeBackLock, actor: Actor) -> Decision:
    """Frees a resource and tells the agent that had it; whoever is next in line gets it."""
    key = _key(spectask, command.resource)
    run = find_run(spectask, command.run)
    if isinstance(key, Refusal) or run is None:
        return key if isinstance(key, Refusal) else unknown_run(spectask, command.run)
    if run.state in ENDED_RUN_STATES or spectask.state in ENDED_TASK_STATES:
        return Refusal(code="not-held", message=f"{run.id} has ended and holds nothing any more.", hint=_LOOK)
    lock = locks.get(key, NONE)
    if not hold_of(lock, run.id):
        return _not_its(lock, command)
    person = actor.name or str(actor)
    why = f" Reason: {command.why.strip()}" if command.why.strip() else ""
    told = f"{person} took {command.resource} from you; you no longer hold it, and another session may use it now.{why} Ask for it again with `lock` before you use it."
    return (
        e.LockReleased(run=run.id, resource=key[1], reason=command.why.strip() or f"taken back by {person}"),
        e.MessageSent(run=run.id, after_turn=run.turn, text=told, source=person),
    )


def _not_its(lock: Lock, command: TakeBackLock) -> Refusal:
    holders = " and ".join(held.run for held in lock.held)
    waits = " It stands in line for it." if wait_of(lock, command.run) else ""
    message = (
        f"{command.run} does not hold {command.resource}; {holders} does.{waits}" if holders else f"Nobody holds {command.resource}.{waits}"
    )
    return Refusal(code="not-held", message=message, hint=_LOOK)


LOCK_RULES: dict[type[Command], LockRule] = {
    reports.RequestLock: _request,
    reports.GrantLock: _grant,
    reports.ReleaseLock: _release,
    reports.RefuseLock: _refuse,
    TakeBackLock: _take_back,
}
"""Rules by command class."""
