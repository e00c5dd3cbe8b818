"""What was noted about a SpecTask, as it travels."""

from __future__ import annotations

from specthread.domain.model import SpecTask
from specthread.protocol import wire_note


def note_views(spectask: SpecTask) -> list[wire_note.NoteView]:
    """Returns what was noted last, oldest first."""
    return [
        wire_note.NoteView(
            kind=each.kind,
            by=each.by,
            run=each.run or "",
            text=each.text,
            time=each.time,
            question=each.id,
            choices=list(each.choices),
            answer=each.answer,
        )
        for each in spectask.notes
    ]
