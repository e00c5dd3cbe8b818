"""Rules for sessions that sessions, or people, spawn: how many, how deep, for how much money, and when they begin."""

from __future__ import annotations

from decimal import Decimal

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.amount import is_amount, told_most
from specthread.domain.approval import is_approved, is_durable
from specthread.domain.budget import budget_owner, dollars, rest, spend_of
from specthread.domain.coordination import LONGEST_WORK
from specthread.domain.family import NO_TASK, ancestors, children_of, is_held, is_orphan, short
from specthread.domain.ids import RunId
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.readiness import free_for_spawned, is_going_on, is_spent, working_sessions
from specthread.domain.rules_run import is_acting, not_running
from specthread.domain.rules_spectask import ended
from specthread.domain.run import ENDED_RUN_STATES, WorkSession, stage, still_works
from specthread.domain.runs import next_session
from specthread.spec.role import NAMED

Decision = tuple[e.Event, ...] | Refusal


def spawn(spectask: SpecTask, command: c.SpawnSession, actor: Actor) -> Decision:
    """Gives work to a new session, which begins when git holds this and a place is free; the same call of an agent spawns once."""
    if actor.kind == "session" and actor.name != command.parent:
        return Refusal(code="not-yours", message=f"{actor} spawns sessions under itself only.", hint="Leave the parent out.")
    if command.call and any(child.parent == command.parent and child.spawn_call == command.call for child in spectask.sessions.values()):
        return ()
    refused = ended(spectask) or _not_open(spectask)
    if refused:
        return refused
    parent = spectask.sessions.get(command.parent) if command.parent else None
    refused = _not_a_parent(spectask, command, parent, actor) or _not_work(command) or _no_money(spectask, command.budget_usd, parent)
    if refused:
        return refused
    return (
        e.SessionSpawned(
            session=RunId(f"{spectask.id}/ws-{next_session(spectask)}"),
            parent=command.parent,
            work=command.work.strip(),
            role=command.role or "implementer",
            agent=parent.agent if parent else spectask.agent,
            start=spectask.feature or spectask.base,
            budget_usd=command.budget_usd,
            by=actor.name or str(actor),
            call=command.call,
        ),
    )


def _not_open(spectask: SpecTask) -> Refusal | None:
    if spectask.feature is not None and spectask.state in {"approved", "implementing", "implementation_review"} and is_approved(spectask):
        return None
    return Refusal(
        code="wrong-state",
        message=f"Nothing is carried out before approval: {spectask.id} is in {spectask.state.replace('_', ' ')}.",
        hint=f"`specthread show {spectask.id}` says what it waits for.",
    )


def _not_a_parent(spectask: SpecTask, command: c.SpawnSession, parent: WorkSession | None, actor: Actor) -> Refusal | None:
    if command.parent is None:
        return None
    if parent is None:
        hint = f"`specthread sessions {spectask.id}` lists them."
        return Refusal(code="unknown-id", message=f"{spectask.id} has no session {command.parent}.", hint=hint)
    if actor.kind == "session" and not is_acting(spectask, parent):
        return not_running(parent)
    if not still_works(parent):
        hint = "Only a session that works, waits or is paused has others work for it."
        done = ", and its work is done" if parent.state == "paused" else ""
        return Refusal(code="wrong-state", message=f"{short(parent.id)} is {parent.state}{done}.", hint=hint)
    limits = spectask.limits
    if len(ancestors(spectask, parent)) >= limits.max_depth:
        message = f"{short(parent.id)} is {_generations(limits.max_depth)} below the top, and no session is spawned deeper than that."
        return Refusal(code="too-deep", message=message, hint="Do the work yourself, or hand it to your parent.")
    if sum(child.spawned_seq > parent.started_seq for child in children_of(spectask, parent.id)) >= limits.max_children:
        message = f"{short(parent.id)} has spawned {limits.max_children} sessions already, which is as many as one may."
        return Refusal(code="too-many", message=message, hint="Do the rest yourself, or hand it to one of them.")
    return None


def _generations(count: int) -> str:
    return f"{count} generation{'' if count == 1 else 's'}"


def _not_work(command: c.SpawnSession) -> Refusal | None:
    if not command.work.strip():
        return Refusal(
            code="empty-work", message="There is nothing to do.", hint="Say what the session should do, in its first line as a title."
        )
    if len(command.work) > LONGEST_WORK:
        message = f"The work is {len(command.work)} characters long; at most {LONGEST_WORK} are taken."
        return Refusal(code="too-long", message=message, hint="Say what is to be done; what is long belongs into a file.")
    if command.role and not NAMED.fullmatch(command.role):
        return Refusal(code="bad-role", message="That is not the name of a role.", hint="Name one such as backend, frontend or tester.")
    return None


def _no_money(spectask: SpecTask, budget: Decimal | None, parent: WorkSession | None) -> Refusal | None:
    if budget is None:
        return None
    if not is_amount(budget) or budget == 0:
        hint = f"Name an amount of dollars above 0 and at most {told_most()}, or none."
        return Refusal(code="bad-limit", message=f"${budget} is not a budget.", hint=hint)
    owner = budget_owner(spectask, parent) if parent else None
    left = rest(spectask, owner)
    if budget <= left:
        return None
    whose = f"the budget of {short(owner.id)}" if owner else "the SpecTask's limit"
    message = f"A budget of {dollars(budget)} is more than is left of {whose}: {dollars(max(left, Decimal(0)))}."
    return Refusal(code="no-money", message=message, hint="Name less, or no budget: then it is paid out of the same one as you.")


def start_spawned(spectask: SpecTask, command: reports.StartSpawned, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Lets a spawned session begin on the present feature branch; re-checks only direct facts."""
    session = spectask.sessions.get(command.session)
    spent = is_spent(spectask.limits, spend_of(spectask).cost_usd)
    free = is_going_on(spectask) and not spent and free_for_spawned(spectask, working_sessions(spectask)) > 0
    if session is None or spectask.feature is None or not free or not is_ready(spectask, session):
        return Refusal(
            code="not-ready",
            message=f"{command.session} is not ready.",
            hint=f"`specthread show {spectask.id}` says what it waits for.",
        )
    return (e.SessionStarted(session=session.id, task=NO_TASK, attempt=1, role=session.role, agent=session.agent, start=spectask.feature),)


def is_ready(spectask: SpecTask, session: WorkSession) -> bool:
    """Tells whether a spawned session may begin as far as it goes, whatever places are free; none does for a parent that ended without a result."""
    wanted = stage(session) == "pending" and not is_orphan(spectask, session)
    return wanted and is_durable(spectask, session.spawned_seq) and not is_held(spectask, session)


def cancel_child(spectask: SpecTask, command: reports.CancelChild, actor: Actor) -> Decision:
    """Lets a session end one that it spawned; one that is cancelled stays so."""
    child = spectask.sessions.get(command.child)
    if actor.kind != "session" or actor.name != command.run or child is None or child.parent != command.run:
        message = f"{short(command.child)} is not a session that {short(command.run)} spawned."
        return Refusal(code="not-yours", message=message, hint="You can cancel only what you spawned; `look` lists it.")
    if child.state == "cancelled":
        return ()
    if child.state in ENDED_RUN_STATES:
        return Refusal(code="wrong-state", message=f"{short(child.id)} is {child.state}.", hint="There is nothing to cancel.")
    return (e.RunCancelled(run=child.id, reason=f"{short(command.run)}, which spawned it, cancelled it"),)
