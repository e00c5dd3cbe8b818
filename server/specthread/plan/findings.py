"""What keeps the documents of a SpecTask from being ready, as sentences: for the planner to mend, and for the person if it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from specthread.domain.model import Flow
from specthread.domain.planned import excess, parsed
from specthread.domain.rules_approval import obstacles_in
from specthread.plan.dag import build_dag
from specthread.plan.same_files import share_files
from specthread.plan.soft_edges import soft_edges
from specthread.spec.dialects import Dialect
from specthread.spec.tasks import Task

LONGEST: Final[Mapping[Flow, Mapping[str, int]]] = MappingProxyType(
    {
        "feature": {"requirements": 300, "design": 500, "tasks": 400},
        "bugfix": {"bugfix": 120, "design": 250, "tasks": 150},
        "refactor": {"requirements": 150, "design": 400, "tasks": 300},
        "quick": {"requirements": 60, "tasks": 60},
    }
)
"""Lines of each document that a person reads with care, by flow: a quick one fits on a page."""

MOST_COLLISIONS: Final = 5


def findings(contents: Mapping[str, bytes], dialect: Dialect, flow: Flow) -> tuple[str, ...]:
    """Returns what keeps these documents from being ready, errors first; of those in the form of another tool only its errors.

    It takes as long as linting them: whoever is about to ask where nobody should wait asks in a thread before.
    """
    return _findings(tuple(sorted(contents.items())), dialect, flow)


@lru_cache(maxsize=32)
def _findings(contents: tuple[tuple[str, bytes], ...], dialect: Dialect, flow: Flow) -> tuple[str, ...]:
    documents = dict(contents)
    errors = obstacles_in(documents, dialect)
    if dialect != "specthread":
        return errors
    tasks = documents.get("tasks", b"")
    return (*errors, *_too_long(documents, flow), *([] if excess(tasks, dialect) else _of_tasks(parsed(tasks, dialect), flow)))


def _too_long(documents: Mapping[str, bytes], flow: Flow) -> Iterator[str]:
    for name, most in LONGEST[flow].items():
        lines = documents.get(name, b"").count(b"\n")
        if lines > most:
            yield f"{name} has {lines} lines; in the flow {flow} it should have {most} at most. Say less, or leave something out on purpose."


def _of_tasks(tasks: tuple[Task, ...], flow: Flow) -> Iterator[str]:
    files = {task.id: task.files for task in tasks if task.leaf}
    for one, other in soft_edges(build_dag(tasks).graph, files)[:MOST_COLLISIONS]:
        shared = [path for path in files[one] if share_files((path,), files[other])]
        yield (
            f"tasks: {one} and {other} may run at the same time and both name {', '.join(shared) or 'the same files'}. "
            "Let one depend on the other, or part the work so that they share no file."
        )
    if flow == "refactor" and tasks and not any(task.check == "regression" for task in tasks if task.leaf):
        yield "tasks: no task has the check `regression`, so nothing shows that the behaviour stays as it is. Give it to those that only move code."
