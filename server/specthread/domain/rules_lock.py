"""Rules for locks: who may ask, and the direct facts under which a resource is given, taken back or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.commands import Command
from specthread.domain.fold_run import find_run
from specthread.domain.locks import MOST_PER_RUN, NONE, Lock, Locks, ResourceKey, Waiting, concerning, hold_of, resource_key, wait_of
from specthread.domain.model import Refusal, SpecTask
from specthread.domain.rules_run import is_acting, not_running, unknown_run
from specthread.spec.resource import KINDS

Decision = tuple[e.Event, ...] | Refusal
LockRule = Callable[[Locks, SpecTask, Any], Decision]


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


def _request(locks: Locks, spectask: SpecTask, command: reports.RequestLock) -> Decision:
    run = find_run(spectask, command.run)
    if run is None or not is_acting(spectask, run):
        return not_running(run) if run else unknown_run(spectask, command.run)
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
    if len(concerned) >= MOST_PER_RUN:
        return Refusal(
            code="too-many-locks",
            message=f"{command.run} holds or waits for {MOST_PER_RUN} resources, which is the most.",
            hint="Release one first.",
        )
    return (e.LockRequested(run=command.run, resource=command.resource, mode=command.mode, priority=command.priority),)


def _grant(locks: Locks, spectask: SpecTask, command: reports.GrantLock) -> Decision:
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
    return (e.LockGranted(run=command.run, resource=command.resource, mode=waiting.mode),)


def _release(locks: Locks, spectask: SpecTask, command: reports.ReleaseLock) -> Decision:
    key = _key(spectask, command.resource)
    if isinstance(key, Refusal):
        return key
    lock = locks.get(key, NONE)
    if not hold_of(lock, command.run) and not wait_of(lock, command.run):
        return Refusal(code="not-held", message=f"{command.run} does not hold {command.resource}.", hint="There is nothing to release.")
    return (e.LockReleased(run=command.run, resource=command.resource),)


def _refuse(locks: Locks, spectask: SpecTask, command: reports.RefuseLock) -> Decision:
    key = _key(spectask, command.resource)
    if isinstance(key, Refusal):
        return key
    if not wait_of(locks.get(key, NONE), command.run):
        return ()
    lost = tuple(sorted(name for (_, name), lock in concerning(locks, command.run) if hold_of(lock, command.run)))
    return (
        e.LockRefused(run=command.run, resource=command.resource, cause=command.cause, lost=lost if command.cause == "deadlock" else ()),
    )


LOCK_RULES: dict[type[Command], LockRule] = {
    reports.RequestLock: _request,
    reports.GrantLock: _grant,
    reports.ReleaseLock: _release,
    reports.RefuseLock: _refuse,
}
"""Rules by command class."""
