"""Which session spawned which, and what a session works on where no task of the plan says it."""

from __future__ import annotations

from specthread.domain.approval import held_tasks, unsettled_documents
from specthread.domain.ids import RunId, TaskNumber
from specthread.domain.model import PlannedTask, SpecTask
from specthread.domain.run import ENDED_RUN_STATES, ReviewRun, Run, WorkSession, still_works

LONGEST_TITLE = 100
NO_TASK = TaskNumber("")
"""The task of a spawned session."""


def short(run: str) -> str:
    """Returns a run's name within its SpecTask, such as ws-1."""
    return run.rpartition("/")[2]


def parent_of(spectask: SpecTask, session: WorkSession) -> WorkSession | None:
    """Returns the session that spawned it, or None."""
    return spectask.sessions.get(session.parent) if session.parent else None


def task_of(spectask: SpecTask, run: Run) -> TaskNumber:
    """Returns the task that a session works on, or whoever had it spawned, or that a review looks at; none where a person spawned it beside the others, or planned."""
    session = spectask.sessions.get(run.session) if isinstance(run, ReviewRun) else run
    if not isinstance(session, WorkSession):
        return NO_TASK
    return session.task or next((each.task for each in ancestors(spectask, session) if each.task), NO_TASK)


def children_of(spectask: SpecTask, parent: RunId) -> tuple[WorkSession, ...]:
    """Returns the sessions that a session spawned, by number."""
    found = (session for session in spectask.sessions.values() if session.parent == parent)
    return tuple(sorted(found, key=lambda session: session.number))


def live_children(spectask: SpecTask, parent: RunId) -> tuple[WorkSession, ...]:
    """Returns those of them that have not ended."""
    return tuple(child for child in children_of(spectask, parent) if child.state not in ENDED_RUN_STATES)


def is_orphan(spectask: SpecTask, session: WorkSession) -> bool:
    """Tells whether a session works for one that ended without a result; who goes on alone is none."""
    parent = parent_of(spectask, session)
    return parent is not None and parent.state in ENDED_RUN_STATES - {"completed"} and not session.is_alone


def left_undone(spectask: SpecTask) -> tuple[WorkSession, ...]:
    """Returns the spawned sessions whose work failed and that only a person can try again, by number; of others a parent hears, and decides."""
    failed = (each for each in spectask.sessions.values() if each.task == NO_TASK and each.state in {"failed", "stuck"})
    return tuple(sorted((each for each in failed if _is_a_persons(spectask, each)), key=lambda each: each.number))


def _is_a_persons(spectask: SpecTask, session: WorkSession) -> bool:
    parent = parent_of(spectask, session)
    return parent is None or (session.is_alone and not still_works(parent))


def ancestors(spectask: SpecTask, session: WorkSession) -> tuple[WorkSession, ...]:
    """Returns its parent, that one's parent and so on; a session read back without one ends the line."""
    line: list[WorkSession] = []
    above = parent_of(spectask, session)
    while above is not None and above not in line:
        line.append(above)
        above = parent_of(spectask, above)
    return tuple(line)


def in_tree(spectask: SpecTask) -> tuple[tuple[WorkSession, int], ...]:
    """Returns every session with its depth, by number, those it spawned right after it."""
    found: list[tuple[WorkSession, int]] = []

    def add(session: WorkSession, depth: int) -> None:
        found.append((session, depth))
        for child in children_of(spectask, session.id):
            add(child, depth + 1)

    tops = [session for session in spectask.sessions.values() if parent_of(spectask, session) is None]
    for top in sorted(tops, key=lambda session: session.number):
        add(top, 0)
    return tuple(found)


def work_of(spectask: SpecTask, session: WorkSession) -> PlannedTask:
    """Returns what a session works on, as a task: its own of the plan, else what it was spawned for.

    That is done for the requirements which its parents work for, and under no check but the project's.
    """
    task = spectask.tasks.get(session.task)
    if task is not None:
        return task.plan
    above = ancestors(spectask, session)
    top = spectask.tasks.get(above[-1].task) if above else None
    title, _, detail = session.work.strip().partition("\n")
    return PlannedTask(
        number=TaskNumber(short(session.id)),
        parent=None,
        title=title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
        detail=session.work.strip() if len(title) > LONGEST_TITLE else detail.strip(),
        requires=top.plan.requires if top else (),
        role=session.role,
    )


def is_held(spectask: SpecTask, session: WorkSession) -> bool:
    """Tells whether words behind a session's work changed since they were approved; where no task says which words those are, all of them count."""
    tasks = {each.task for each in (session, *ancestors(spectask, session)) if each.task}
    if tasks:
        return bool(tasks & held_tasks(spectask))
    return bool(spectask.versions) and bool(unsettled_documents(spectask))
