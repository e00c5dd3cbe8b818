"""The commands that note something about a SpecTask; part of the closed list of `commands`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from specthread.domain.commands import Command
from specthread.domain.ids import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeNote(Command):
    """Says how far the work is, or what was decided; `run` is the session that says it."""

    kind: Literal["progress", "decision"]
    text: str
    run: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutQuestion(Command):
    """Asks a person in the name of somebody outside of our runs; `question` names it, so that asking again is asking once."""

    question: str
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPut(Command):
    """Answers such a question."""

    question: str
    answer: str
