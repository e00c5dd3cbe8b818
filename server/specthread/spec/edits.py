"""The smallest changes to a document: byte ranges and what replaces them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from specthread.spec.boxes import TaskState
from specthread.spec.document import Range
from specthread.spec.tasks import parse_tasks

BoxState = Literal["todo", "done", "in_progress"]


@dataclass(frozen=True, slots=True)
class Edit:
    """The replacement of one stretch of bytes."""

    range: Range
    replacement: bytes


def apply_edits(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The document with all edits made; ranges refer to it as given, in any order. Overlapping ranges raise ValueError."""
    pieces: list[bytes] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: edit.range):
        if edit.range.start < done:
            raise ValueError(f"The edits overlap at byte {edit.range.start}.")
        pieces += (content[done : edit.range.start], edit.replacement)
        done = edit.range.end
    return b"".join((*pieces, content[done:]))


def set_box(content: bytes, task_id: str, state: BoxState) -> tuple[Edit, ...]:
    """The one-byte edit that gives the task's box this state; empty where it has it already or no task carries the id.

    Where an id is written twice, the first box is meant.
    """
    task = next((task for task in parse_tasks(content).tasks if task.id == task_id), None)
    if task is None or (task.state == state and task.state_raw in _MARKS_OF[state]):
        return ()
    return (Edit(task.box, _MARKS_OF[state][0].encode()),)


def boxes(content: bytes) -> Mapping[str, TaskState]:
    """The state of every task's box by task id, in document order; the first box counts where an id is written twice."""
    states: dict[str, TaskState] = {}
    for task in parse_tasks(content).tasks:
        states.setdefault(task.id, task.state)
    return states


_MARKS_OF: Final[dict[BoxState, str]] = {"todo": " ", "done": "xX", "in_progress": "-"}
