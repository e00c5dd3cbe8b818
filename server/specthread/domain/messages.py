"""What sessions say to each other, as events and as the words an agent reads."""

from __future__ import annotations

from collections.abc import Iterator

from specthread.domain import events as e
from specthread.domain.coordination import Message, MessageKind
from specthread.domain.family import short
from specthread.domain.ids import RunId
from specthread.domain.model import SpecTask
from specthread.domain.run import ENDED_RUN_STATES, stage
from specthread.domain.text import material


def said(
    spectask: SpecTask,
    kind: MessageKind,
    sender: str,
    receivers: tuple[str, ...],
    text: str,
    *,
    call: str = "",
    answers: int = 0,
    attempt: int = 0,
) -> Iterator[e.Event]:
    """Yields a message and, for each receiver that has begun, that it is told; the others are told when they begin."""
    number = next_message(spectask)
    yield e.CoordinationSent(
        number=number, kind=kind, sender=sender, receivers=receivers, text=text.strip(), answers=answers, call=call, attempt=attempt
    )
    for name in receivers:
        session = spectask.sessions.get(RunId(name))
        if session is not None and stage(session) != "pending" and session.state not in ENDED_RUN_STATES:
            told = as_told(number, kind, sender, text, answers)
            yield e.MessageSent(run=session.id, after_turn=session.turn, text=told, source=short(sender) or sender)


def as_told(number: int, kind: MessageKind, sender: str, text: str, answers: int = 0) -> str:
    """Returns a message as an agent reads it: what others say is material, and cannot pass for a word of Specthread or of a person."""
    words = {
        "handoff": f"Message {number}: {short(sender) or sender} hands this to you.",
        "question": f"Question {number}: {short(sender) or sender} asks you. Answer with `coordinate`, action `answer`, question {number}.",
        "answer": f"Message {number}: the answer of {short(sender) or sender} to your question {answers}.",
        "broadcast": f"Message {number}: {short(sender) or sender} tells everybody.",
        "blocked": f"Message {number}: {short(sender) or sender} is blocked.",
        "unblocked": f"Message {number}: {short(sender) or sender} is no longer blocked.",
        "finished": f"Message {number}: {short(sender)} has ended.",
    }
    return f"{words[kind]}\n{material(f'message of {short(sender) or sender}', text)}" if text.strip() else words[kind]


def next_message(spectask: SpecTask) -> int:
    """Returns the number of a message that is sent now."""
    return spectask.messages[-1].number + 1 if spectask.messages else 1


def open_question(spectask: SpecTask, number: int) -> Message | None:
    """Returns the question between sessions with this number, if nobody has answered it."""
    return next((message for message in spectask.messages if message.number == number and message.is_open), None)


def open_questions(spectask: SpecTask, *, of: str = "", to: str = "") -> tuple[Message, ...]:
    """Returns the unanswered questions of one session, or to one, oldest first."""
    return tuple(
        message for message in spectask.messages if message.is_open and of in {"", message.sender} and (not to or to in message.receivers)
    )


def answered(spectask: SpecTask, question: Message, sender: str, text: str, call: str = "") -> Iterator[e.Event]:
    """Yields the answer to a question between sessions, whoever gives it."""
    yield from said(spectask, "answer", sender, (question.sender,), text, call=call, answers=question.number)
