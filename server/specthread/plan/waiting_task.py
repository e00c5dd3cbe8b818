"""Why a task that waits for no other task is not given to a session: the scheduler's own reasons, in the order in which it looks at them."""

from __future__ import annotations

from collections.abc import Sequence

from specthread.domain.budget import spend_of
from specthread.domain.ids import RunId, TaskNumber
from specthread.domain.model import SpecTask
from specthread.domain.names import spectask_of
from specthread.domain.readiness import (
    blocked_tasks,
    free_for_spawned,
    free_slots,
    is_spent,
    is_to_begin,
    lost_condition,
    must_end_before,
    open_conditions,
    taken_by,
    working_sessions,
)
from specthread.domain.run import WorkSession
from specthread.plan.capacity import Crowd
from specthread.plan.claims import needs_of

_MOST_NAMED = 3
"""Sessions named in a sentence."""


def no_new_task(spectask: SpecTask) -> str:
    """Says what keeps every further task of the SpecTask from beginning until a human does something; nothing where that is not so."""
    blocked = blocked_tasks(spectask) if spectask.options.fail_fast else ()
    if blocked:
        session = spectask.tasks[blocked[0]].session
        return f"No new task begins after task {blocked[0]} failed (fail-fast): `specthread retry {session}` or `specthread skip {spectask.id} {blocked[0]}` lets the others go on."
    return no_money(spectask)


def no_money(spectask: SpecTask) -> str:
    """Says that the money keeps everything that has not begun from beginning; nothing where it does not."""
    spent = spend_of(spectask).cost_usd
    if is_spent(spectask.limits, spent):
        return f"${spent:.2f} of ${spectask.limits.stop_usd} is spent: `specthread run {spectask.id} --budget USD` raises the limit."
    return ""


def why_not_started(spectask: SpecTask, number: TaskNumber, crowd: Crowd) -> str:
    """Says what an open task that waits for no other task waits for; nothing where it begins in a moment."""
    role = spectask.tasks[number].plan.role
    return (
        _own_reason(spectask, number, crowd)
        or no_new_task(spectask)
        or _no_place(spectask)
        or _crowded(spectask, role, spectask.agent, crowd)
    )


def why_not_back(spectask: SpecTask, session: WorkSession, crowd: Crowd) -> str:
    """Says for which place a session waits that is to go on; nothing where it goes on in a moment."""
    before = must_end_before(spectask, session)
    taken = taken_resource(spectask, session.task, crowd) if is_to_begin(session) and session.task in spectask.tasks else None
    if taken:
        return _taken(*taken)
    if session.id in crowd.lacking:
        resource, users = crowd.lacking[session.id]
        return _taken(resource, _listed(users[:_MOST_NAMED]))
    if before:
        return f"Waits for {_named(before)} to end: one task at a time."
    if free_for_spawned(spectask, working_sessions(spectask)) < 1:
        return f"Waits for a free place to go on ({_at_work(spectask)})."
    return _crowded(spectask, session.role, session.agent, crowd)


def _own_reason(spectask: SpecTask, number: TaskNumber, crowd: Crowd) -> str:
    task, options = spectask.tasks[number].plan, spectask.options
    lost, open_ = lost_condition(spectask, number), open_conditions(spectask, number)
    if lost:
        return f"It is only for the case “{lost}”, which cannot come any more: it is passed over."
    if open_:
        return f"Begins only when {open_[0]}."
    if options.roles and task.role not in options.roles:
        others = ",".join((*options.roles, task.role))
        return f"Only tasks of {_listed(options.roles)} begin, and its role is {task.role}: `specthread run {spectask.id} --agents {others}` lets it begin."
    if options.interactive and number not in spectask.allowed:
        return f"Waits for your yes: `specthread run {spectask.id} --task {number}`."
    taken = taken_resource(spectask, number, crowd)
    return _taken(*taken) if taken else _kept(spectask, number, crowd)


def _kept(spectask: SpecTask, number: TaskNumber, crowd: Crowd) -> str:
    for key, mode in sorted(needs_of(spectask, spectask.tasks[number]).items()) if crowd.kept else ():
        keeper, theirs = crowd.kept.get(key, ("", mode))
        owner, _, item = keeper.partition(" ")
        if keeper not in {"", f"{spectask.id} {number}"} and "exclusive" in {mode, theirs}:
            return f"Waits for {key[1]}, which {item if '/' in item else f'task {item} of {owner}'} gets next: it has waited longer."
    return ""


def _taken(resource: str, who: str) -> str:
    return f"Waits for {resource}, which {who} {'use' if ' and ' in who or ', ' in who else 'uses'}."


def taken_resource(spectask: SpecTask, number: TaskNumber, crowd: Crowd) -> tuple[str, str] | None:
    """Returns a resource that the task uses and cannot have now, and in words who has it, in whichever SpecTask."""
    taken = taken_by(spectask, number)
    if taken:
        session = spectask.tasks[taken[1]].session
        return taken[0], _named((session,)) if session else f"task {taken[1]}"
    for need in sorted(needs_of(spectask, spectask.tasks[number]).items()) if crowd.taken else ():
        runs = crowd.taken.get(need)
        if runs:
            return need[0][1], _named(runs) if all(spectask_of(run) == spectask.id for run in runs) else _listed(runs[:_MOST_NAMED])
    return None


def _no_place(spectask: SpecTask) -> str:
    if free_slots(spectask) > 0:
        return ""
    sessions = sorted(spectask.sessions.values(), key=lambda session: session.number)
    if spectask.options.mode == "sequential":
        alive = [session.id for session in sessions if session.ended is None]
        return f"Waits for {_named(tuple(alive))} to end: one task at a time."
    return f"Waits for a free place ({_at_work(spectask)})."


def _at_work(spectask: SpecTask) -> str:
    most = 1 if spectask.options.mode == "sequential" else spectask.limits.max_parallel
    return f"{working_sessions(spectask)} of {most} at work"


def _crowded(spectask: SpecTask, role: str, agent: str, crowd: Crowd) -> str:
    capacity = crowd.capacity
    for kind, name, holding, limits in (("role", role, crowd.roles, capacity.roles), ("agent", agent, crowd.agents, capacity.agents)):
        at_work = holding.get(name, ())
        if len(at_work) >= limits.get(name, len(at_work) + 1):
            who = f": {_named(at_work)}" if at_work else ""
            return f"Waits for the limit of {kind} {name} ({len(at_work)} of {limits[name]} at work{who})."
    if crowd.total < capacity.sessions:
        return ""
    places = f"{crowd.total} of {capacity.sessions} at work in all SpecTasks"
    if crowd.first and crowd.first.spectask != spectask.id:
        higher = f" (priority {crowd.first.priority})" if crowd.first.priority != spectask.options.priority else ""
        return f"Waits for its turn behind {crowd.first.spectask}{higher}: {places}."
    return f"Waits for a free place ({places})."


def _named(runs: tuple[RunId, ...]) -> str:
    more = f" and {len(runs) - _MOST_NAMED} more" if len(runs) > _MOST_NAMED else ""
    return f"{', '.join(run.rpartition('/')[2] for run in runs[:_MOST_NAMED])}{more}"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
