"""Folds of what is noted about a SpecTask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specthread.domain import events as e
from specthread.domain.copying import replace
from specthread.domain.doing import LINE
from specthread.domain.model import SpecTask
from specthread.domain.notes import KEPT_NOTES, Note
from specthread.domain.runs import find_run, with_run


def _progress(spectask: SpecTask, envelope: e.Envelope, event: e.ProgressReported) -> SpecTask:
    run = find_run(spectask, event.run) if event.run else None
    if run is not None:
        spectask = with_run(spectask, replace(run, doing=event.text.partition("\n")[0][:LINE]))
    return _with(spectask, Note(kind="progress", by=event.by, run=event.run, text=event.text, time=envelope.time))


def _decision(spectask: SpecTask, envelope: e.Envelope, event: e.DecisionNoted) -> SpecTask:
    return _with(spectask, Note(kind="decision", by=event.by, run=event.run, text=event.text, time=envelope.time))


def _put(spectask: SpecTask, envelope: e.Envelope, event: e.QuestionPut) -> SpecTask:
    note = Note(kind="question", by=event.by, text=event.text, time=envelope.time, id=event.question, choices=event.choices)
    return _with(spectask, note)


def _answered(spectask: SpecTask, _: e.Envelope, event: e.PutQuestionAnswered) -> SpecTask:
    notes = tuple(replace(note, answer=event.answer) if note.id == event.question else note for note in spectask.notes)
    return replace(spectask, notes=notes)


def _with(spectask: SpecTask, note: Note) -> SpecTask:
    """Returns the SpecTask with one more note; the oldest go, but for questions that wait."""
    notes = (*spectask.notes, note)
    surplus = len(notes) - KEPT_NOTES
    kept = tuple(each for place, each in enumerate(notes) if place >= surplus or each.is_open)
    return replace(spectask, notes=kept, noted=spectask.noted + 1)


NOTE_FOLDS: dict[type[e.Event], Callable[[SpecTask, e.Envelope, Any], SpecTask]] = {
    e.ProgressReported: _progress,
    e.DecisionNoted: _decision,
    e.QuestionPut: _put,
    e.PutQuestionAnswered: _answered,
}
"""Folds by event class, joined into `state.APPLY`."""
