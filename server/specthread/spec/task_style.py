"""How the tasks around a place are written, so that one that comes to stand there looks like them."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from specthread.spec.source import Source
from specthread.spec.task_tree import family_of, parents_of, subtree_of
from specthread.spec.tasks import Task


class Place(NamedTuple):
    """Where a task comes to stand: as the next sibling of a task, or as its last subtask."""

    kind: Literal["after", "below"]
    id: str


def family_at(place: Place) -> str:
    """The part of its id that a task at this place shares with its siblings."""
    return place.id if place.kind == "below" else family_of(place.id)


def blanks_before(source: Source, task: Task) -> str:
    """The blanks in front of a task's bullet."""
    text = source.lines[task.line - 1].text
    return text[: len(text) - len(text.lstrip(" \t"))]


def model_for(tasks: Sequence[Task], target: int, place: Place) -> Task:
    """The task a new one is written like: a sibling, else the one it stands below."""
    below = [tasks[each] for each in subtree_of(tasks, target)[1:] if family_of(tasks[each].id) == place.id]
    return below[-1] if place.kind == "below" and below else tasks[target]


def indent_at(source: Source, tasks: Sequence[Task], target: int, place: Place) -> str:
    """The blanks in front of a task at this place, as its siblings have them; the first subtask steps in as others do."""
    model = model_for(tasks, target, place)
    if place.kind == "after" or model is not tasks[target]:
        return blanks_before(source, model)
    pairs = (
        (blanks_before(source, tasks[above]), blanks_before(source, task))
        for above, task in zip(parents_of(tasks), tasks, strict=True)
        if above is not None
    )
    step = next((inner[len(outer) :] for outer, inner in pairs if inner.startswith(outer)), "  ")
    return blanks_before(source, model) + step


def box_like(source: Source, model: Task, number: str) -> str:
    """An open box in the style of a task, up to the title."""
    bullet = source.lines[model.line - 1].text[: model.box.start].lstrip(" \t")
    return f"{bullet} ] {number}{sign_like(source, model, number)} "


def sign_like(source: Source, model: Task, number: str) -> str:
    """What stands behind a number beside or below a task: a dotted one has the dot of a single one only where its siblings do."""
    sign = sign_of(source, model)
    return "" if "." in number and "." not in model.id and sign == "." else sign


def sign_of(source: Source, task: Task) -> str:
    """The sign behind a task's number."""
    found = re.match(r"\\?[.):\uff1a]?", source.lines[task.line - 1].text[task.id_span.end :])
    return found[0] if found else ""


def gap_between(source: Source, tasks: Sequence[Task], family: str) -> int:
    """How many blank lines stand between siblings."""
    siblings = [task for task in tasks if family_of(task.id) == family]
    if len(siblings) < 2:  # noqa: PLR2004  between two
        return 0
    above = siblings[1].line - 1
    return next((count for count in range(above) if source.lines[above - 1 - count].text.strip()), 0)
