"""What agents of other programs, and sessions, note about a SpecTask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from specthread.domain.event import Event
from specthread.domain.ids import RunId
from specthread.domain.model import RecordKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReported(Event):
    """Somebody said how far the work is; changes nothing else."""

    by: str
    text: str
    run: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionNoted(Event):
    """Somebody decided something about how the work is done, which those who come later should know."""

    record: ClassVar[RecordKind | None] = "decision"
    by: str
    text: str
    run: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionPut(Event):
    """Somebody outside of our runs asks a person; nothing of ours waits for the answer."""

    question: str
    by: str
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutQuestionAnswered(Event):
    """A person answered such a question."""

    record: ClassVar[RecordKind | None] = "decision"
    question: str
    text: str
    answer: str
    person: str
