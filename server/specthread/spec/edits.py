"""The smallest changes to a document: byte ranges and what replaces them."""

from collections.abc import Mapping
from typing import Final, Literal

from specthread.spec.boxes import TaskState
from specthread.spec.dialects import Dialect
from specthread.spec.source import Edit, apply_edits, scan
from specthread.spec.tasks import parse_tasks, tasks_of

__all__ = ["BoxState", "Edit", "apply_edits", "boxes", "set_box"]

BoxState = Literal["todo", "done", "in_progress"]


def set_box(content: bytes, task_id: str, state: BoxState, dialect: Dialect = "specthread") -> tuple[Edit, ...]:
    """The one-byte edit that gives the task's box this state; empty where it has it already or no task carries the id.

    Where an id is written twice, the first box is meant.
    """
    source = scan(content)
    task = next((task for task in tasks_of(source, dialect).tasks if task.id == task_id), None)
    if task is None or (task.state == state and task.state_raw in _MARKS_OF[state]):
        return ()
    return (Edit(source.range(task.box), _MARKS_OF[state][0].encode()),)


def boxes(content: bytes, dialect: Dialect = "specthread") -> Mapping[str, TaskState]:
    """The state of every task's box by task id, in document order; the first box counts where an id is written twice."""
    states: dict[str, TaskState] = {}
    for task in parse_tasks(content, dialect).tasks:
        states.setdefault(task.id, task.state)
    return states


_MARKS_OF: Final[dict[BoxState, str]] = {"todo": " ", "done": "xX", "in_progress": "-"}
