"""What sessions say to each other and know together, as immutable values that `model` and `run` hold.

A message is told to a session that has begun as a `MessageSent`, so that it is heard exactly once, whatever happens to the daemon; to one that has not begun it is
told in its opening. A fact is changed only by whoever names the version it is at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from specthread.domain.ids import RunId

MessageKind = Literal["handoff", "question", "answer", "broadcast", "blocked", "unblocked", "finished"]

LONGEST_MESSAGE = 4_000
LONGEST_WORK = 20_000
LONGEST_KEY = 100
LONGEST_VALUE = 4_000
"""Characters of what an agent may say, give as work, and share."""
MOST_MESSAGES = 500
"""Messages of agents in one SpecTask; those of the daemon are not counted."""
MOST_FACTS = 100
KEPT_ANSWERS = 50
KEPT_CHANGES = 20
"""Answers of people, and changes of a fact, that the state keeps; the log and git keep all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said between sessions: `sender` is a run, or else the name of a person or `daemon`; `receivers` are runs, or `task 3` for who will work on it.

    `number` counts the messages of a SpecTask from 1, `answers` is the question that this one answers, `call` the sender's tool call.
    """

    number: int
    seq: int
    kind: MessageKind
    sender: str
    receivers: tuple[str, ...]
    text: str
    time: datetime
    answers: int = 0
    call: str = ""
    is_open: bool = False
    """A question that nobody has answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """A value that a fact had from `version` on, and who set it when."""

    version: int
    value: str
    by: str
    time: datetime
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something the sessions of a SpecTask know together; its last change comes last."""

    key: str
    changes: tuple[FactChange, ...]

    @property
    def now(self) -> FactChange:
        """The value it has."""
        return self.changes[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedAnswer:
    """What a person answered to the question of a run: those who begin later need not ask it again."""

    run: RunId
    question: str
    answer: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What a session rests for: the end of other sessions, and answers to its questions. `call` is the tool call that began it, `seq` its event."""

    call: str
    seq: int
    sessions: tuple[RunId, ...] = ()
    questions: tuple[int, ...] = ()
