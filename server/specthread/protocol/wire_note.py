"""What agents of other programs say of a SpecTask, and ask of a person."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_params import Prose, SpecTaskChange

Choice = Annotated[str, Field(min_length=1, max_length=200)]


class NoteParams(SpecTaskChange):
    """Notes how far the work is, or what was decided."""

    kind: Literal["progress", "decision"]
    text: Prose


class AskParams(SpecTaskChange):
    """Asks the person a question, with answers to choose from where there are a few clear ones; the same question again asks for its answer."""

    question: Prose
    choices: Annotated[list[Choice], Field(max_length=10)] = Field(default_factory=list)


class AskResult(Wire):
    """A question as it stands: `answer` is empty until a person gave one."""

    spectask: str
    question: str
    answer: str


class NoteView(Wire):
    """Something noted: `run` is empty where no session of ours did it, `question` where nothing is asked, `answer` where nobody answered yet."""

    kind: Literal["progress", "decision", "question"]
    by: str
    run: str
    text: str
    time: datetime
    question: str
    choices: list[str]
    answer: str
