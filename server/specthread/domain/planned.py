"""From the words of a tasks document to the ImplementationTasks that are carried out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from specthread.domain.condition import Condition
from specthread.domain.ids import TaskNumber
from specthread.domain.model import PlannedTask
from specthread.spec.condition import read_condition
from specthread.spec.dialects import Dialect
from specthread.spec.document import DocumentName, Problem
from specthread.spec.duration import seconds_from
from specthread.spec.leaf_waits import first_of_each, leaf_waits, too_large
from specthread.spec.links import required_by
from specthread.spec.lint import lint
from specthread.spec.tasks import Task, parse_tasks


@lru_cache(maxsize=256)
def parsed(content: bytes, dialect: Dialect) -> tuple[Task, ...]:
    """Returns the tasks of a document, parsed once per content: for live and approved ones, not for what is being typed."""
    return parse_tasks(content, dialect).tasks


def linted(contents: Mapping[str, bytes], dialect: Dialect) -> tuple[Problem, ...]:
    """Returns what the linter finds in these documents, linted once per set of contents.

    It takes a tenth of a second for long documents: whoever is about to submit what asks for it calls this in a thread before.
    """
    return _linted(tuple(sorted(contents.items())), dialect)


@lru_cache(maxsize=32)
def _linted(contents: tuple[tuple[str, bytes], ...], dialect: Dialect) -> tuple[Problem, ...]:
    return lint({DocumentName(name): content for name, content in contents}, dialect)


def leaves_under(tasks: Sequence[Task], numbers: Collection[str]) -> frozenset[str]:
    """Returns the leaves that are one of these tasks or stand under one."""
    chosen = set(numbers)
    for task in tasks:  # a parent always stands before its children
        if task.parent in chosen:
            chosen.add(task.id)
    return frozenset(task.id for task in tasks if task.leaf and task.id in chosen)


@lru_cache(maxsize=32)
def planned_tasks(content: bytes, dialect: Dialect) -> tuple[PlannedTask, ...]:
    """Returns the leaves of the document, each with the leaves it waits for and all that it and the tasks above it require and are bound to."""
    tasks = parsed(content, dialect)
    required = required_by(tasks)
    below = _leaves_below(tasks)
    bounds = _bounds(tasks, below)
    shared: dict[tuple[str, ...], tuple[TaskNumber, ...]] = {}
    return tuple(
        PlannedTask(
            number=TaskNumber(task.id),
            parent=TaskNumber(task.parent) if task.parent else None,
            title=task.title,
            detail=task.detail,
            requires=required[task.id],
            # What its condition names may never be merged: it waits for how that ends, not for its merge.
            depends=_depends(task, below, {leaf for each in bounds[task.id].conditions for leaf in each.leaves}, shared),
            files=task.files,
            role=task.role or "implementer",
            check=task.check or "",
            optional=task.optional,
            conditions=bounds[task.id].conditions,
            timeout=bounds[task.id].timeout,
            uses=bounds[task.id].uses,
            estimate=_seconds(task, "estimate"),
        )
        for task in tasks
        if task.leaf
    )


class _Bounds(NamedTuple):
    """What lets a task begin, what it needs meanwhile, and how long it may take at most: its own words, and those of the tasks above it."""

    conditions: tuple[Condition, ...] = ()
    uses: tuple[str, ...] = ()
    timeout: float | None = None


def _bounds(tasks: Sequence[Task], below: Mapping[str, set[str]]) -> dict[str, _Bounds]:
    """Returns what binds each task; of two timeouts the nearer one counts."""
    found: dict[str, _Bounds] = {}
    for task in tasks:  # a parent always stands before its children
        above = found.get(task.parent or "", _Bounds())
        written = read_condition(task.when) if task.when else None
        own = (Condition(task=written.task, outcome=written.outcome, leaves=_sorted(below.get(written.task, set()))),) if written else ()
        uses = tuple(dict.fromkeys((*above.uses, *task.uses)))
        found[task.id] = _Bounds((*above.conditions, *own), uses, _seconds(task, "timeout") or above.timeout)
    return found


def _seconds(task: Task, label: str) -> float | None:
    """Returns the first span of time written under this label; what is none, or not above nothing, does not count."""
    return next((seconds for meta in task.block.meta if meta.label == label and (seconds := seconds_from(meta.value) or 0) > 0), None)


def prerequisites(task: PlannedTask) -> tuple[TaskNumber, ...]:
    """Returns the tasks that must have ended before this one begins: those it waits for, and those its conditions name."""
    return (*task.depends, *(leaf for condition in task.conditions for leaf in condition.leaves))


@lru_cache(maxsize=32)
def excess(content: bytes, dialect: Dialect) -> str:
    """Says what of the document is more than can be planned; nothing where it fits. To be asked before what is not approved is made into tasks."""
    waits = leaf_waits(first_of_each(parsed(content, dialect)))
    return too_large(len(waits), sum(map(len, waits)))


def _sorted(leaves: Collection[str]) -> tuple[TaskNumber, ...]:
    return tuple(TaskNumber(leaf) for leaf in sorted(leaves, key=task_order))


def _leaves_below(tasks: Sequence[Task]) -> Mapping[str, set[str]]:
    """Returns the leaves that each task stands for, itself where it is one: found once, since a plan may hold thousands."""
    below: dict[str, set[str]] = {task.id: {task.id} if task.leaf else set() for task in tasks}
    for task in reversed(tasks):  # a parent always stands before its children
        if task.parent is not None:
            below[task.parent] |= below[task.id]
    return below


def _depends(
    task: Task, below: Mapping[str, set[str]], but: Collection[str], shared: dict[tuple[str, ...], tuple[TaskNumber, ...]]
) -> tuple[TaskNumber, ...]:
    """Returns the leaves that a task waits for but these and itself: all that name the same share one tuple, since each task of a phase may wait for a thousand."""
    known = shared.get(task.depends)
    if known is None:
        known = shared[task.depends] = _sorted({leaf for name in task.depends for leaf in below.get(name, ())})
    left = {*but, task.id}
    return known if left.isdisjoint(known) else tuple(leaf for leaf in known if leaf not in left)


@lru_cache(maxsize=32)
def circle(content: bytes, dialect: Dialect) -> tuple[TaskNumber, ...]:
    """Returns tasks that wait for each other, each in front of the one that waits for it; empty where all can start some day."""
    try:
        TopologicalSorter({task.number: prerequisites(task) for task in planned_tasks(content, dialect)}).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def task_order(number: str) -> tuple[tuple[int, str], ...]:
    """Returns a key that sorts task numbers as people read them: 2 before 2.1 before 10."""
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in number.split("."))
