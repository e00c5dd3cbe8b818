"""What agents of other programs, and sessions, note about a SpecTask: how far they are, what they decided, and what they ask a person.

A question here belongs to no run of ours: nothing stands still for it, and whoever asked comes back for the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from specthread.domain.ids import RunId

NoteKind = Literal["progress", "decision", "question"]

LONGEST_NOTE = 4_000
"""Characters of one note."""
MOST_NOTES = 1_000
"""Notes that a SpecTask takes; an agent that writes more than a person can read helps nobody."""
KEPT_NOTES = 30
"""Notes that the state keeps beside the open questions; the log keeps all, and git the decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that was noted: `by` is who did, `run` the session where it was one; of a question the `id`, and the answer once there is one."""

    kind: NoteKind
    by: str
    text: str
    time: datetime
    run: RunId | None = None
    id: str = ""
    choices: tuple[str, ...] = ()
    answer: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it asks something that nobody has answered."""
        return self.kind == "question" and not self.answer
