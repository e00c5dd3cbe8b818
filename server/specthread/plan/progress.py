"""How much of a SpecTask is done, as a share of its work and phase by phase.

It hangs on the SpecTask and the time alone, never on what others took meanwhile: what is done stays done. What is under way counts in part, and nothing is
whole before it is: a task before it is merged, a phase before all of it is over, a SpecTask before it is accepted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import exp
from typing import Final, NamedTuple

from specthread.domain.approval import valid_approval
from specthread.domain.completion import needed_tasks
from specthread.domain.ids import TaskNumber
from specthread.domain.model import ImplementationTask, SpecTask
from specthread.domain.names import documents_of
from specthread.domain.planned import parsed, task_order
from specthread.domain.run import acted
from specthread.plan.estimate import GUESS
from specthread.spec.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of the way: `done` of `total` things, and the share of its work in percent. Below the tasks stand the phases of the plan, where it has several."""

    name: str
    title: str
    percent: int
    done: int
    total: int
    phases: tuple[Phase, ...] = ()


_PLANNING, _TASKS, _ACCEPTANCE = 10, 85, 5
"""What each phase counts of the whole, in percent."""
_WRITTEN: Final = 0.6
"""What of a document is done when it is written and not yet approved."""
_UNMERGED: Final = 0.9
"""What of a task can be done at most before it is merged: its check may fail and its merge conflict, and what was done is done then, too."""


def progress_of(spectask: SpecTask, now: datetime, depth: int = 2) -> tuple[int, tuple[Phase, ...]]:
    """Returns how many percent of a SpecTask are done, 100 when it is accepted and not before, and its phases in their order.

    They have so many levels: 0 leaves them out, 1 leaves out those of its plan, for which its document is read.
    """
    accepted = _is_accepted(spectask)
    if accepted and depth < 1:
        return 100, ()
    documents, work = _documents(spectask), _work(spectask, now)
    # The finished branch is half of the last phase, a person's yes the rest; what is spawned afterwards is no part of the plan.
    published = 0.5 if spectask.final or (spectask.was_final and all(piece.is_over for piece in work.values())) else 0.0
    share = _PLANNING * _share(documents) + _TASKS * _share(work.values()) + _ACCEPTANCE * published
    percent = 100 if accepted else min(99, int(share))
    if depth < 1:
        return percent, ()
    return percent, (
        _phase("planning", "Documents", documents),
        replace(_phase("tasks", "Tasks", tuple(work.values())), phases=_phases_of_plan(spectask, work) if depth > 1 else ()),
        Phase(name="acceptance", title="Acceptance", percent=100 if accepted else int(100 * published), done=int(accepted), total=1),
    )


class _Piece(NamedTuple):
    """Something to do: how much of the work it is, what share of it is done, and whether it is over."""

    weight: float
    credit: float
    is_over: bool


def _share(pieces: Collection[_Piece]) -> float:
    whole = sum(piece.weight for piece in pieces)
    return sum(piece.weight * piece.credit for piece in pieces) / whole if whole else 0.0


def _phase(name: str, title: str, pieces: Collection[_Piece]) -> Phase:
    done = sum(piece.is_over for piece in pieces)
    percent = 100 if pieces and done == len(pieces) else min(99, int(100 * _share(pieces)))
    return Phase(name=name, title=title, percent=percent, done=done, total=len(pieces))


def _is_accepted(spectask: SpecTask) -> bool:
    return spectask.state == "done" or (spectask.state == "archived" and bool(spectask.accepted_by))


def _documents(spectask: SpecTask) -> tuple[_Piece, ...]:
    return tuple(_document(spectask, name) for name in documents_of(spectask))


def _document(spectask: SpecTask, name: str) -> _Piece:
    approved = valid_approval(spectask, name) is not None
    return _Piece(1.0, 1.0 if approved else _WRITTEN if name in spectask.documents else 0.0, approved)


def _work(spectask: SpecTask, now: datetime) -> Mapping[TaskNumber, _Piece]:
    """Returns the tasks that are done before the SpecTask is: those that are optional count once they are chosen or begun."""
    tasks, needed = spectask.tasks, needed_tasks(spectask)
    written = {number: task.plan.estimate for number, task in tasks.items() if task.plan.estimate}
    known = sorted(written.values())
    usual = known[len(known) // 2] if known else GUESS.seconds.likely
    counted = {number: task for number, task in tasks.items() if number in needed or not _is_untouched(task)}
    return {
        number: _Piece(written.get(number, usual), _credit(spectask, task, written.get(number, usual), now), task.state in _OVER)
        for number, task in counted.items()
    }


def _is_untouched(task: ImplementationTask) -> bool:
    """Tells whether a task is one that may be left out, and nobody works on."""
    return task.plan.optional and task.state in {"open", "blocked"}


_OVER: Final = frozenset({"merged", "skipped"})
_CREDITS: Final = {"claimed": _UNMERGED, "verified": _UNMERGED, "merged": 1.0, "skipped": 1.0}


def _credit(spectask: SpecTask, task: ImplementationTask, usual: float, now: datetime) -> float:
    """Returns which share of a task is done: while its agent acts, ever more slowly nearer to what it can be before it has claimed to be ready."""
    session = spectask.sessions.get(task.session) if task.session else None
    if task.state != "in_progress" or session is None:
        return _CREDITS.get(task.state, 0.0)
    return _UNMERGED if session.claim_seq else _UNMERGED * (1 - exp(-acted(session, now) / usual))


def _phases_of_plan(spectask: SpecTask, work: Mapping[TaskNumber, _Piece]) -> tuple[Phase, ...]:
    """Returns the tasks as the document groups them: under a task that stands above them, else under a heading; nothing where all are one group."""
    document = spectask.documents.get("tasks")
    written = {task.id: task for task in parsed(document.content, spectask.dialect)} if document else {}
    groups: dict[tuple[str, str], list[_Piece]] = {}
    for number in sorted(work, key=task_order):
        groups.setdefault(_group(written, number), []).append(work[number])
    return tuple(_phase(name, title, pieces) for (name, title), pieces in groups.items()) if len(groups) > 1 else ()


def _group(written: Mapping[str, Task], number: TaskNumber) -> tuple[str, str]:
    task = written.get(number)
    if task is None:
        return "", "Other tasks"
    top = task
    while top.parent and top.parent in written:  # a parent always stands before its children, so this ends
        top = written[top.parent]
    return ("", task.section) if top is task else (top.id, top.title)
