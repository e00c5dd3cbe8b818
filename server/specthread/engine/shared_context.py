"""What a session is told at its start of the others: what people decided, what sessions know together, and what was said to it before it began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from specthread.agents.prompts import cut
from specthread.domain import events as e
from specthread.domain.coordination import Message
from specthread.domain.family import short
from specthread.domain.messages import as_told
from specthread.domain.model import SpecTask
from specthread.domain.run import WorkSession
from specthread.domain.text import material
from specthread.engine.settings import Settings

MOST_TOLD = 20
"""Answers, broadcasts, facts and messages told at most: the last ones."""


def shared_context(settings: Settings, spectask: SpecTask, session: WorkSession, envelopes: Sequence[e.Envelope]) -> str:
    """Returns it as sections of an opening; `envelopes` are the session's. What was said to it by name is told whatever the settings switch off."""
    began = max((envelope.seq for envelope in envelopes if isinstance(envelope.event, e.SessionStarted)), default=0)
    before = [message for message in spectask.messages if message.seq < began]
    shared = [*_decided(spectask, before, session, settings), *_known(spectask, settings)] if settings.shares_context else []
    parts = [*_family(session), *shared, *_inbox(before, session)]
    return "".join(f"\n{part}\n" for part in parts)


def _family(session: WorkSession) -> Iterator[str]:
    if session.parent:
        yield (
            f"# Who gave you this\n\n{short(session.parent)}, another worker, in its own words; the approved spec stands above them. "
            "You begin on what is merged so far, without its unmerged files. Your summary is what it gets."
        )
    elif session.work:
        yield "# Who gave you this\n\nA person, beside the plan of the approved spec, which stands."


def _decided(spectask: SpecTask, before: Sequence[Message], session: WorkSession, settings: Settings) -> Iterator[str]:
    most = settings.context_characters
    answers = [
        f"- {short(each.run)} asked: {cut(each.question, most)}\n  {each.person} answered: {cut(each.answer, most)}"
        for each in spectask.shared_answers[-MOST_TOLD:]
    ]
    told = [message for message in before if message.kind == "broadcast" and session.id not in message.receivers]
    lines = [*answers, *(f"- {short(each.sender)} told everybody: {cut(each.text, most)}" for each in told[-MOST_TOLD:])]
    text = "\n".join(lines)
    if text:
        yield f"# Decided so far\n\n{material('decisions', text)}"


def _known(spectask: SpecTask, settings: Settings) -> Iterator[str]:
    facts = sorted(spectask.facts.values(), key=lambda fact: (fact.now.time, fact.key))[-MOST_TOLD:]
    lines = [
        f"- {fact.key} (version {fact.now.version}, {short(fact.now.by)}): {cut(fact.now.value, settings.context_characters)}"
        for fact in facts
    ]
    text = "\n".join(lines)
    if text:
        yield f"# Shared facts\n\n{material('facts', text)}"


def _inbox(before: Sequence[Message], session: WorkSession) -> Iterator[str]:
    names = {str(session.id), *([f"task {session.task}"] if session.task else [])}
    said = [message for message in before if names & set(message.receivers)][-MOST_TOLD:]
    # A question that was answered or closed since needs nobody.
    told = [
        as_told(each.number, each.kind, each.sender, each.text, each.answers) for each in said if each.kind != "question" or each.is_open
    ]
    if told:
        yield "# Messages to you\n\n" + "\n\n".join(told)
