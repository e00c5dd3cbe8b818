"""What a person should know before they approve: what the planner did not mend, and the questions it left open."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from specthread.domain.model import SpecTask
from specthread.domain.names import documents_of
from specthread.domain.rules_approval import obstacles
from specthread.domain.text import shortened
from specthread.plan.findings import findings
from specthread.spec.questions import OpenQuestion, open_questions
from specthread.spec.source import scan

LONGEST: Final = 200


class LeftOpen(NamedTuple):
    """A question that a document leaves open, with its line."""

    document: str
    line: int
    text: str


def left_open(spectask: SpecTask) -> tuple[LeftOpen, ...]:
    """Returns the questions that the documents leave open, in the order they are read."""
    return tuple(
        LeftOpen(name, question.line, question.text)
        for name in documents_of(spectask)
        if name in spectask.documents
        for question in _asked(spectask.documents[name].content)
    )


@lru_cache(maxsize=64)
def _asked(content: bytes) -> tuple[OpenQuestion, ...]:
    return open_questions(scan(content))


def unclean(spectask: SpecTask) -> str:
    """Returns the first thing that is still wrong with documents which the planner gave up on, or nothing."""
    if not spectask.plans or not spectask.plans[-1].unclean:
        return ""
    found = findings({name: document.content for name, document in spectask.documents.items()}, spectask.dialect, spectask.flow)
    return found[0] if found else ""


def review_text(spectask: SpecTask, unread: list[str]) -> str:
    """Returns what is said to a person who has documents to read."""
    parts = [f"To be approved: {', '.join(unread)}."]
    if wrong := unclean(spectask):
        parts.append(f"Documents not clean: {shortened(wrong, LONGEST)}")
    if wrong := _not_in_advance(spectask):
        parts.append(f"Not approved in advance, because {wrong}")
    if asked := [question for question in left_open(spectask) if question.document in unread]:
        first = f"{asked[0].document}:{asked[0].line} {shortened(asked[0].text, LONGEST)}"
        parts.append(f"{len(asked)} open questions, the first: {first}" if len(asked) > 1 else f"An open question: {first}")
    return " ".join(parts)


def _not_in_advance(spectask: SpecTask) -> str:
    """Says why what was to be approved in advance was not, or nothing."""
    if not spectask.advance or spectask.approvals:
        return ""
    return next(iter(obstacles(spectask)), "") or ("it is not clean." if unclean(spectask) else "")
