"""Tasks as a hierarchy of calls: a task “calls” what it waits for, and is “called” by what waits for it."""

from collections.abc import Iterator
from typing import NamedTuple

from specthread.spec.document import Span
from specthread.spec.symbols import Symbol
from specthread.spec.tasks import Task
from specthread.views.assist.index import Cursor, Index, meant, task_at


class Call(NamedTuple):
    """The task on the other side, and where the waiting task says so: the reference, or its own number where the order says it."""

    task: Task
    places: tuple[Span, ...]


def prepared(cursor: Cursor) -> tuple[Task, ...]:
    """The tasks that a person means at a place."""
    named = [cursor.index.tasks.get(each.symbol.id) for each in meant(cursor) if each.symbol.kind == "task"]
    found = tuple(cursor.index.spec.tasks[at] for at in named if at is not None)
    around = task_at(cursor)
    is_hidden = cursor.here is None or cursor.here.hidden
    return found or ((around,) if around is not None and not is_hidden else ())


def outgoing(index: Index, number: str) -> tuple[Call, ...]:
    """The tasks this one waits for."""
    at = index.tasks.get(number)
    if at is None:
        return ()
    task = index.spec.tasks[at]
    found = (index.tasks.get(name) for name in task.depends)
    return tuple(Call(index.spec.tasks[other], _places(index, at, {index.spec.tasks[other].id})) for other in found if other is not None)


def incoming(index: Index, number: str) -> tuple[Call, ...]:
    """The tasks that wait for this one, or for a task above it."""
    if number not in index.tasks:
        return ()
    names = {number, *(index.spec.tasks[above].id for above in _above(index, index.tasks[number]))}
    waiting = (at for at, task in enumerate(index.spec.tasks) if not names.isdisjoint(task.depends))
    return tuple(Call(index.spec.tasks[at], _places(index, at, names)) for at in waiting)


def _above(index: Index, at: int) -> Iterator[int]:
    above = index.parents[at]
    while above is not None:
        yield above
        above = index.parents[above]


def _places(index: Index, waiting: int, names: set[str]) -> tuple[Span, ...]:
    """Where a task, or one above it, names one of these."""
    name = index.spec.tasks_name
    tasks = [index.spec.tasks[at] for at in (waiting, *_above(index, waiting))]
    owners = {Symbol("task", task.id) for task in tasks}
    symbols = {Symbol("task", each) for each in names}
    places = [
        each.span
        for each in (index.occurrences_in(name) if name is not None else ())
        if each.owner in owners and each.symbol in symbols and not each.is_definition
    ]
    return tuple(places) or (tasks[0].id_span,)
