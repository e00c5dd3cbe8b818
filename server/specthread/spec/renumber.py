"""Tasks numbered anew in the order they stand in; every list of ids and the graph follow."""

import re
from collections.abc import Sequence

from specthread.spec.changes import Cannot, Changes, exchanged, spec_with
from specthread.spec.document import Change, DocumentName
from specthread.spec.rename import reference_changes
from specthread.spec.spec import Spec
from specthread.spec.symbols import Symbol, references_in
from specthread.spec.task_tree import family_of, outline
from specthread.spec.tasks import Task


def renumber_tasks(spec: Spec) -> Changes | Cannot:
    """The changes that number the tasks without a gap: subtasks below their parent, tickets (`T001`) in one row.

    A number that two tasks carry means the first of them wherever it is named.
    """
    numbers = _numbers(spec.tasks)
    if spec.tasks_name is None or [task.id for task in spec.tasks] == numbers:
        return {}
    if len(set(numbers)) < len(numbers):
        return Cannot("Subtasks stand without their parent, so the numbers would meet. Move them below it first.")
    if caught := sorted(_dangling(spec) & set(numbers)):
        return Cannot(f"Tasks name {', '.join(caught)}, which is not there and would become another task. Correct that first.")
    first: dict[str, str] = {}
    for task, number in zip(spec.tasks, numbers, strict=True):
        first.setdefault(task.id, number)

    def renamed(symbol: Symbol) -> Symbol:
        return Symbol("task", first.get(symbol.id, symbol.id)) if symbol.kind == "task" else symbol

    found: dict[DocumentName, list[Change]] = {spec.tasks_name: []}
    for task, number in zip(spec.tasks, numbers, strict=True):
        found[spec.tasks_name] += [exchanged(task.id_span, number)] if task.id != number else []
    for name, change in reference_changes(spec, renamed):
        found.setdefault(name, []).append(change)
    changes = {name: tuple(each) for name, each in found.items()}
    indexes = range(len(numbers))
    after = spec_with(spec, changes)
    if [task.id for task in after.tasks] != numbers or outline(after, indexes) != outline(spec, indexes):
        return Cannot("The new numbers would not be read as they are meant. Number the tasks by hand.")
    return changes


def next_number(tasks: Sequence[Task], family: str) -> str:
    """The id of a new task of this family: one more than the highest."""
    taken = [int(found[0]) for task in tasks if family_of(task.id) == family and (found := re.match(r"[0-9]+", _own(task.id)))]
    number = str(max(taken, default=0) + 1)
    return f"{family}.{number}" if family else number


def next_ticket(tasks: Sequence[Task]) -> str:
    """The id of a new ticket."""
    tickets = [found for task in tasks if (found := _TICKET.fullmatch(task.id))]
    width = len(tickets[0]["number"]) if tickets else 3
    return f"T{max((int(found['number']) for found in tickets), default=0) + 1:0{width}}"


def is_ticket(task_id: str) -> bool:
    """Whether this is an id such as `T001`."""
    return _TICKET.fullmatch(task_id) is not None


_TICKET = re.compile(r"T(?P<number>[0-9]{3,6})(?P<below>(?:\.[0-9]{1,4})*)[A-Za-z]?")


def _own(task_id: str) -> str:
    return task_id.rpartition(".")[2]


def _numbers(tasks: Sequence[Task]) -> list[str]:
    counts: dict[str, int] = {}
    latest: dict[str, str] = {}
    numbers: list[str] = []
    for task in tasks:
        ticket = _TICKET.fullmatch(task.id)
        if ticket and ticket["below"] and (above := latest.get(task.id.partition(".")[0])):
            number = above + ticket["below"]
        else:
            family = "T" if ticket else latest.get(task.parent or "", family_of(task.id))
            counts[family] = counts.get(family, 0) + 1
            width = len(ticket["number"]) if ticket else 0
            number = f"T{counts[family]:0{width}}" if ticket else f"{family}.{counts[family]}" if family else str(counts[family])
        numbers.append(number)
        latest[task.id] = number
    return numbers


def _dangling(spec: Spec) -> set[str]:
    """The ids that stand for a task and are carried by none."""
    known = {task.id for task in spec.tasks}
    named = {
        each for name in spec.sources for reference, _ in references_in(spec, name) if reference.kind == "depends" for each in reference.ids
    }
    graph = spec.tasks_read.graph if spec.tasks_read else None
    return (named | {each for wave in ((*graph.waves, *graph.edges) if graph else ()) for each in wave}) - known
