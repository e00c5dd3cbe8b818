"""When the work of a SpecTask is over: what stands open, and whether only the last publication is missing."""

from __future__ import annotations

from collections.abc import Iterable

from specthread.domain.approval import is_approved, is_durable, open_records
from specthread.domain.family import NO_TASK
from specthread.domain.ids import TaskNumber
from specthread.domain.model import ImplementationTask, SpecTask
from specthread.domain.planned import leaves_under, parsed, prerequisites
from specthread.domain.run import ENDED_RUN_STATES
from specthread.spec.edits import apply_edits, set_box


def is_over(task: ImplementationTask) -> bool:
    """Tells whether nothing is left to do on the task: merged, skipped, or optional and not at work."""
    return task.state in {"merged", "skipped"} or (task.plan.optional and task.state in {"open", "blocked"})


def is_finished(spectask: SpecTask) -> bool:
    """Tells whether every task is over, in the approved words, and only the last publication is missing."""
    if spectask.state != "implementing" or spectask.final is not None or not spectask.tasks or spectask.syncing:
        return False
    if open_records(spectask, "decision") or not is_approved(spectask):
        return False
    # The last tick must be in git before the documents are copied from there.
    if any(session.task == NO_TASK and session.state not in ENDED_RUN_STATES for session in spectask.sessions.values()):
        return False
    durable = all(is_durable(spectask, document.seq) for document in spectask.documents.values())
    return durable and all(is_over(task) for task in spectask.tasks.values())


def needed_tasks(spectask: SpecTask) -> frozenset[TaskNumber]:
    """Returns the tasks that a human let run: those that are not optional, or were chosen, and those that one of them waits for."""
    every = {number for number, task in spectask.tasks.items() if not task.plan.optional} if spectask.all_chosen else set()
    return with_dependencies(spectask, every | spectask.chosen)


def with_dependencies(spectask: SpecTask, numbers: Iterable[TaskNumber]) -> frozenset[TaskNumber]:
    """Returns tasks with all that must be done before them, however optional that is."""
    found: set[TaskNumber] = set()
    wanted = list(numbers)
    while wanted:
        number = wanted.pop()
        task = spectask.tasks.get(number)
        if task and number not in found:
            found.add(number)
            wanted += () if task.state in {"merged", "skipped"} else prerequisites(task.plan)
    return frozenset(found)


def final_documents(spectask: SpecTask) -> dict[str, bytes]:
    """Returns the documents by path as “publish final” copies them: ticked is what is merged, or what a human confirmed as skipped.

    A box changed by hand stays an edit of the live document; on the branch that lands it would claim work that nobody did, or hide some.
    """
    files = {document.path: document.content for document in spectask.documents.values()}
    tasks = spectask.documents.get("tasks")
    return files if tasks is None else files | {tasks.path: _without_claims(spectask, with_ticks(spectask, tasks.content))}


def _without_claims(spectask: SpecTask, content: bytes) -> bytes:
    undone = {number for number, task in spectask.tasks.items() if task.state not in {"merged", "skipped"}}
    tasks = parsed(content, spectask.dialect)
    claimed = [task.id for task in tasks if task.state == "done" and leaves_under(tasks, [task.id]) & undone]
    return apply_edits(content, [edit for number in dict.fromkeys(claimed) for edit in set_box(content, number, "todo", spectask.dialect)])


def ticked_before(spectask: SpecTask) -> frozenset[TaskNumber]:
    """Returns the leaves that an adopted spec says are done: ticked, and not known as a task that Specthread is to carry out."""
    document = spectask.documents.get("tasks") if spectask.adopted else None
    ticked = (
        [TaskNumber(task.id) for task in parsed(document.content, spectask.dialect) if task.leaf and task.state == "done"]
        if document
        else []
    )
    return frozenset(number for number in ticked if _is_done_before(spectask, number))


def _is_done_before(spectask: SpecTask, number: TaskNumber) -> bool:
    known = spectask.tasks.get(number)
    return known.done_before if known else not spectask.versions


def with_ticks(spectask: SpecTask, content: bytes) -> bytes:
    """Returns a tasks document with the boxes of all tasks ticked that are merged or were done before, and those of parents with no other leaves."""
    tasks = parsed(content, spectask.dialect)
    merged = {number for number, task in spectask.tasks.items() if task.state == "merged"} | ticked_before(spectask)
    done = [task.id for task in tasks if task.state != "done" and (leaves := leaves_under(tasks, [task.id])) and leaves <= merged]
    return apply_edits(content, [edit for number in dict.fromkeys(done) for edit in set_box(content, number, "done", spectask.dialect)])
