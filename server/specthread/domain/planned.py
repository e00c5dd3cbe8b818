"""From the words of a tasks document to the ImplementationTasks that are carried out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

from specthread.domain.ids import TaskNumber
from specthread.domain.model import PlannedTask
from specthread.spec.dialects import Dialect
from specthread.spec.document import DocumentName, Problem
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
    """Returns the leaves of the document, each with the leaves it waits for and all that it and the tasks above it require."""
    tasks = parsed(content, dialect)
    required = required_by(tasks)
    return tuple(
        PlannedTask(
            number=TaskNumber(task.id),
            parent=TaskNumber(task.parent) if task.parent else None,
            title=task.title,
            detail=task.detail,
            requires=required[task.id],
            depends=tuple(TaskNumber(leaf) for leaf in sorted(leaves_under(tasks, task.depends) - {task.id}, key=task_order)),
            files=task.files,
            role=task.role or "implementer",
            check=task.check or "",
            optional=task.optional,
            uses=task.uses,
        )
        for task in tasks
        if task.leaf
    )


@lru_cache(maxsize=32)
def circle(content: bytes, dialect: Dialect) -> tuple[TaskNumber, ...]:
    """Returns tasks that wait for each other, each in front of the one that waits for it; empty where all can start some day."""
    try:
        TopologicalSorter({task.number: task.depends for task in planned_tasks(content, dialect)}).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def task_order(number: str) -> tuple[tuple[int, str], ...]:
    """Returns a key that sorts task numbers as people read them: 2 before 2.1 before 10."""
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in number.split("."))
