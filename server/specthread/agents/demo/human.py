"""What the demo's human does, decided from what is visible alone: asked again after a restart, the next step is the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from specthread.agents.demo.implementer import MOST_FIRST
from specthread.agents.demo.planner import VAGUE

COMMENT = "Which exit code? Scripts look at it. And please name the views there are."
PLAIN = "one line per project with its hours."
EDITED = "one line per project with its time as h:mm."
"""Words of criterion 2.1 before and after the human's edit in the desk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the human can see of a SpecTask: `plans` counts the finished planning runs, `question` is the run that asks, or empty.

    `documents` holds each document's text and digest; `approved` tells that all are approved, perhaps still being recorded.
    """

    state: str
    plans: int
    documents: Mapping[str, tuple[str, str]]
    commented: bool
    approved: bool
    question: str
    final: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """Comments on a line of a document."""

    document: str
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """Opens a document in the desk, replaces words and saves the file."""

    document: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestChanges:
    """Sends the documents back."""

    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Approves documents by digest."""

    documents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Lets the tasks run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answers the question of a run."""

    run: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """Accepts a feature tip."""

    feature: str


HumanStep: TypeAlias = Comment | Save | RequestChanges | Approve | Run | Answer | Accept


def next_step(seen: Seen) -> HumanStep | None:
    """Returns what the human does next, or None while there is nothing to do."""
    if seen.question:
        return Answer(run=seen.question, text=MOST_FIRST)
    if seen.state == "spec_review":
        return _first_review(seen) if seen.plans == 1 else _second_review(seen)
    if seen.state == "approved":
        return Run()
    if seen.state == "implementation_review" and not seen.accepted:
        return Accept(feature=seen.final)
    return None


def _first_review(seen: Seen) -> HumanStep:
    text, _ = seen.documents["requirements"]
    if not seen.commented:
        line = next(number for number, line in enumerate(text.splitlines(), 1) if VAGUE in line)
        return Comment(document="requirements", line=line, text=COMMENT)
    if PLAIN in text:
        return Save(document="requirements", old=PLAIN, new=EDITED)
    return RequestChanges()


def _second_review(seen: Seen) -> HumanStep | None:
    if seen.approved:
        return None
    return Approve(documents=tuple((name, digest) for name, (_, digest) in seen.documents.items()))
