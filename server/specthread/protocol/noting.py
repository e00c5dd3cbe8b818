"""Requests by which agents of other programs say how far they are, what they decided, and what they must know of a person."""

from __future__ import annotations

import hashlib

from specthread.domain.commands_note import PutQuestion, TakeNote
from specthread.domain.ids import RunId
from specthread.domain.model import Refusal
from specthread.domain.rules_note import question_named
from specthread.protocol import wire_note
from specthread.protocol.request import Answer, Request, named_spectask
from specthread.views.redaction import redacted


async def note(request: Request, params: wire_note.NoteParams) -> Answer:
    """Notes progress or a decision, in the name of who asks."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    actor = await request.client.actor(found.repository)
    text = redacted(params.text, request.ports.secrets)
    run = RunId(actor.name) if actor.kind == "session" else None
    return await request.change(TakeNote(spectask=found.id, kind=params.kind, text=text, run=run), params.key)


async def ask(request: Request, params: wire_note.AskParams) -> Answer:
    """Puts a question to the person, or says what became of it: a question is known by its words, so that whoever lost the answer can ask again."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    name = question_name(params.question)
    known = question_named(found, name)
    if known is None:
        text = redacted(params.question, request.ports.secrets)
        choices = tuple(redacted(choice, request.ports.secrets) for choice in params.choices)
        answer = await request.submit(PutQuestion(spectask=found.id, question=name, text=text, choices=choices), params.key)
        if isinstance(answer, Refusal):
            return answer
    return wire_note.AskResult(spectask=found.id, question=name, answer=known.answer if known else "")


def question_name(text: str) -> str:
    """Returns the id of a question with these words."""
    return f"q-{hashlib.sha256(' '.join(text.split()).encode(errors='replace')).hexdigest()[:8]}"
