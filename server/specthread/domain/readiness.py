"""The direct facts about one SpecTask that let a task begin, or keep it from beginning: the scheduler picks by them, `decide` re-checks them.

Nothing here looks at another SpecTask; how many may work in all, and whose turn it is, is `plan/schedule.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from specthread.domain.approval import held_tasks, open_records
from specthread.domain.budget import spend_of
from specthread.domain.condition import Condition
from specthread.domain.family import is_held
from specthread.domain.ids import RunId, TaskNumber
from specthread.domain.model import ImplementationTask, Limits, SpecTask
from specthread.domain.planned import task_order
from specthread.domain.run import WORKING_RUN_STATES, WorkSession
from specthread.spec.resource import Mode, modes_of

SETTLED = frozenset({"merged", "skipped"})
"""States of a task that nobody waits for any more."""


def unmet_dependencies(spectask: SpecTask, number: TaskNumber) -> tuple[TaskNumber, ...]:
    """Returns the tasks that must be merged or skipped before this one may start."""
    depends = spectask.tasks[number].plan.depends
    return tuple(other for other in depends if other in spectask.tasks and spectask.tasks[other].state not in SETTLED)


def has_failed(task: ImplementationTask) -> bool:
    """Tells whether a session tried the task and gave up: it is blocked, or was skipped after that."""
    return task.state == "blocked" or (task.state == "skipped" and task.session is not None)


def holds(spectask: SpecTask, condition: Condition) -> bool | None:
    """Tells whether a condition is true, or can never be (False); None while that is open. A task that is blocked may still be retried."""
    named = [spectask.tasks[leaf] for leaf in condition.leaves if leaf in spectask.tasks]
    if condition.outcome == "failed":
        decided = any(map(has_failed, named))
        over = all(task.state in SETTLED for task in named)
    else:
        decided = bool(named) and all(task.state == condition.outcome for task in named)
        over = not named or any(task.state in SETTLED and task.state != condition.outcome for task in named)
    return True if decided else False if over else None


def open_conditions(spectask: SpecTask, number: TaskNumber) -> tuple[Condition, ...]:
    """Returns the conditions of a task that are not true, or not yet."""
    return tuple(each for each in spectask.tasks[number].plan.conditions if not holds(spectask, each))


def lost_condition(spectask: SpecTask, number: TaskNumber) -> Condition | None:
    """Returns the first condition of a task that cannot come true any more."""
    return next((each for each in spectask.tasks[number].plan.conditions if holds(spectask, each) is False), None)


def blocked_tasks(spectask: SpecTask) -> tuple[TaskNumber, ...]:
    """Returns the tasks whose session ended without a result, lowest first."""
    return tuple(sorted((number for number, task in spectask.tasks.items() if task.state == "blocked"), key=task_order))


def free_slots(spectask: SpecTask) -> int:
    """Returns how many more sessions of the SpecTask may work at once."""
    return free_among(spectask, working_sessions(spectask), sum(session.ended is None for session in spectask.sessions.values()))


def working_sessions(spectask: SpecTask) -> int:
    """Returns how many sessions hold a place: one that is paused or waits for a human holds none."""
    return sum(session.state in WORKING_RUN_STATES for session in spectask.sessions.values())


def free_among(spectask: SpecTask, working: int, alive: int) -> int:
    """Returns the free places where so many sessions work and so many are not over; one at a time means: after the end of the one before."""
    return 1 - alive if spectask.options.mode == "sequential" else spectask.limits.max_parallel - working


def free_for_spawned(spectask: SpecTask, working: int) -> int:
    """Returns the free places for sessions that were spawned or come back: one at a time means there, while whoever waits for it rests."""
    return (1 if spectask.options.mode == "sequential" else spectask.limits.max_parallel) - working


def is_spent(limits: Limits, cost: Decimal) -> bool:
    """Tells whether the money is used up, so that a new session could only ask for more; what costs nothing works under any limit."""
    return 0 < cost >= limits.stop_usd


def is_going_on(spectask: SpecTask) -> bool:
    """Tells whether the SpecTask is being carried out, and nothing that a human decided still waits for git."""
    going = spectask.state == "implementing" and spectask.feature is not None and not spectask.paused and not spectask.syncing
    return going and not open_records(spectask, "decision")


def is_wanted(spectask: SpecTask, task: ImplementationTask) -> bool:
    """Tells whether the human's choices let the task begin: its role, and in an interactive run their yes."""
    options = spectask.options
    return (not options.roles or task.plan.role in options.roles) and (not options.interactive or task.plan.number in spectask.allowed)


def is_startable(spectask: SpecTask, number: TaskNumber) -> bool:
    """Tells whether a task that a human let run may begin as far as it and those it waits for go, whoever else works."""
    task = spectask.tasks[number]
    return (
        task.state == "open"
        and is_wanted(spectask, task)
        and not unmet_dependencies(spectask, number)
        and not open_conditions(spectask, number)
    )


def uses_of(task: ImplementationTask) -> Mapping[str, Mode]:
    """Returns the resources that a task uses, and how."""
    return modes_of(task.plan.uses)


def taken_by(spectask: SpecTask, number: TaskNumber) -> tuple[str, TaskNumber] | None:
    """Returns a resource that the task needs and a task of the SpecTask that has it: one whose session is not over and did not give it back.

    An attempt that waits to begin has nothing yet.
    """
    wanted = uses_of(spectask.tasks[number])
    if not wanted:
        return None
    given_back = {
        session.task: session.without for session in spectask.sessions.values() if session.ended is None and not is_to_begin(session)
    }
    for other in sorted(given_back.keys() - {number}, key=task_order):
        if other not in spectask.tasks:
            continue
        theirs = {name: mode for name, mode in uses_of(spectask.tasks[other]).items() if name not in given_back[other]}
        for resource in sorted(wanted.keys() & theirs.keys()):
            if "exclusive" in {wanted[resource], theirs[resource]}:
                return resource, other
    return None


def is_to_begin(session: WorkSession) -> bool:
    """Tells whether nothing of the present attempt has begun, and it waits for its place, or did when it was paused."""
    stands = session.paused_from if session.state == "paused" else session.state
    return stands == "pending" and session.returns == "starting"


def _is_behind(other: WorkSession, session: WorkSession | None) -> bool:
    return session is not None and is_to_begin(session) and is_to_begin(other) and other.queued_seq > session.queued_seq


def must_end_before(spectask: SpecTask, session: WorkSession) -> tuple[RunId, ...]:
    """Returns the sessions that must end before this one may try its task again, by number: one at a time, all but those behind it and those that rest for others."""
    if spectask.options.mode != "sequential" or not session.task or not is_to_begin(session):
        return ()
    others = sorted(spectask.sessions.values(), key=lambda each: each.number)
    return tuple(each.id for each in others if each.id != session.id and each.ended is None and not _is_aside(each, session))


def _is_aside(other: WorkSession, session: WorkSession) -> bool:
    return _is_behind(other, session) or rests_for_others(other)


def rests_for_others(session: WorkSession) -> bool:
    """Tells whether a session waits for other sessions, and not for a person."""
    return session.state == "waiting" and session.question is None


def may_go_on(spectask: SpecTask, session: WorkSession) -> bool:
    """Tells whether a session that awaits a place may have one, as far as it goes; an attempt that has not begun waits for what its task needs, too."""
    if session.state != "pending" or session.returns is None:
        return False
    if session.returns != "starting":
        return True
    taken = session.task in spectask.tasks and taken_by(spectask, session.task)
    return not taken and not is_held(spectask, session) and not must_end_before(spectask, session)


def awaits_person(spectask: SpecTask, session: WorkSession, beyond: frozenset[RunId] = frozenset()) -> bool:
    """Tells whether a session goes on only once a person says something, to it or to one that it rests for; `beyond` are those looked at already."""
    if session.ended is not None:
        return False
    if spectask.paused or session.state == "paused" or (session.state == "waiting" and session.question is not None):
        return True
    if session.state == "pending":
        return is_held(spectask, session)
    if session.state != "waiting" or session.wait is None:
        return False
    others = (spectask.sessions[run] for run in session.wait.sessions if run in spectask.sessions and run not in beyond)
    return any(awaits_person(spectask, other, beyond | {session.id}) for other in others)


def may_start(spectask: SpecTask, number: TaskNumber) -> bool:
    """Tells whether a session may be given this task now."""
    stopped = spectask.options.fail_fast and bool(blocked_tasks(spectask))
    spent = is_spent(spectask.limits, spend_of(spectask).cost_usd)
    free = is_going_on(spectask) and free_slots(spectask) > 0
    return (
        free
        and not stopped
        and not spent
        and is_startable(spectask, number)
        and number not in held_tasks(spectask)
        and not taken_by(spectask, number)
    )
