"""The tasks of a spec as a tree of places in a list, for edits that must know which of two tasks with one id is meant."""

import re
from collections.abc import Sequence

from specthread.spec.spec import Spec
from specthread.spec.tasks import Task

Outline = dict[int, tuple[object, ...]]

# A title may name other tasks in brackets, and what it names is told apart from it.
_IN_BRACKETS = re.compile(r"\([^()]*\)")


def parents_of(tasks: Sequence[Task]) -> list[int | None]:
    """Per task the index of the task above it."""
    latest: dict[str, int] = {}
    found: list[int | None] = []
    for index, task in enumerate(tasks):
        found.append(latest.get(task.parent) if task.parent is not None else None)
        latest[task.id] = index
    return found


def subtree_of(tasks: Sequence[Task], index: int) -> list[int]:
    """The task and all below it, in document order."""
    inside = {index}
    inside.update(each for each, parent in enumerate(parents_of(tasks)) if parent in inside)
    return sorted(inside)


def index_of(tasks: Sequence[Task], task_id: str) -> int | None:
    """Where a task stands; the first one where an id is written twice."""
    return next((index for index, task in enumerate(tasks) if task.id == task_id), None)


def family_of(task_id: str) -> str:
    """The part of an id that a task shares with its siblings; empty at the top."""
    return task_id.rpartition(".")[0]


def outline(spec: Spec, indexes: Sequence[int]) -> Outline:
    """What the tasks say and point at, told by the indexes they go by, so that it can be compared whatever their ids are."""
    tasks = spec.tasks
    known: dict[str, int | str] = {}
    for index, task in zip(indexes, tasks, strict=True):
        known.setdefault(task.id, index)
    above = [None if parent is None else indexes[parent] for parent in parents_of(tasks)]
    found: Outline = {
        index: (
            _IN_BRACKETS.sub("", task.title),
            task.state_raw,
            task.requires,
            tuple(known.get(each, each) for each in task.block.depends),
            parent,
        )
        for index, task, parent in zip(indexes, tasks, above, strict=True)
    }
    graph = spec.tasks_read.graph if spec.tasks_read else None
    if graph:
        found[-1] = tuple(tuple(known.get(each, each) for each in wave) for wave in (*graph.waves, *graph.edges))
    return found
