"""Rules for what is noted about a SpecTask: who may note what, and who answers."""

from __future__ import annotations

from specthread.domain import events as e
from specthread.domain.commands_note import AnswerPut, PutQuestion, TakeNote
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.notes import LONGEST_NOTE, MOST_NOTES, Note
from specthread.domain.rules_spectask import ended
from specthread.domain.run import LIVE_RUN_STATES
from specthread.domain.runs import find_run

Decision = tuple[e.Event, ...] | Refusal


def take_note(spectask: SpecTask, command: TakeNote, actor: Actor) -> Decision:
    """Notes progress or a decision; a session notes for itself only, while it is at work."""
    refused = ended(spectask) or _not_its_own(spectask, command, actor) or _not_sayable(spectask, command.text)
    if refused:
        return refused
    noted = e.DecisionNoted if command.kind == "decision" else e.ProgressReported
    return (noted(by=_named(actor), run=command.run, text=command.text.strip()),)


def put_question(spectask: SpecTask, command: PutQuestion, actor: Actor) -> Decision:
    """Asks a person; the same question again is no second one."""
    known = question_named(spectask, command.question)
    if known is not None:
        return ()
    refused = ended(spectask) or _not_sayable(spectask, command.text)
    if refused:
        return refused
    return (e.QuestionPut(question=command.question, by=_named(actor), text=command.text.strip(), choices=command.choices),)


def answer_put(spectask: SpecTask, command: AnswerPut, actor: Actor) -> Decision:
    """Answers the question of somebody outside of our runs."""
    note = question_named(spectask, command.question)
    if note is None or not note.is_open:
        text = f"Nobody waits for an answer to question {command.question} of {spectask.id}."
        return Refusal(code="no-question", message=text, hint=f"`specthread show {spectask.id}` shows who waits.")
    if not command.answer.strip():
        return Refusal(code="empty-answer", message="The answer is empty.", hint="Say what the one who asks should do.")
    return (e.PutQuestionAnswered(question=note.id, text=note.text, answer=command.answer, person=actor.name),)


def question_named(spectask: SpecTask, name: str) -> Note | None:
    """Returns the question with this id, answered or not."""
    return next((note for note in spectask.notes if note.kind == "question" and note.id == name), None)


def _named(actor: Actor) -> str:
    return actor.name or str(actor)


def _not_its_own(spectask: SpecTask, command: TakeNote, actor: Actor) -> Refusal | None:
    if actor.kind != "session" and command.run is None:
        return None
    run = find_run(spectask, command.run) if command.run else None
    if actor.kind != "session" or run is None or actor.name != run.id:
        return Refusal(code="not-yours", message=f"{actor} does not speak for {command.run}.", hint="A session speaks for itself only.")
    if run.state not in LIVE_RUN_STATES:
        return Refusal(code="wrong-state", message=f"{run.id} is {run.state}.", hint="Nothing more is noted for it.")
    return None


def _not_sayable(spectask: SpecTask, text: str) -> Refusal | None:
    if not text.strip():
        return Refusal(code="empty-note", message="There is nothing to note.", hint="Say in `text` what a person should know.")
    if len(text) > LONGEST_NOTE:
        message = f"The note is {len(text)} characters long; at most {LONGEST_NOTE} are taken."
        return Refusal(code="too-long", message=message, hint="Say what matters; what is long belongs into a file of the project.")
    if spectask.noted >= MOST_NOTES:
        message = f"{MOST_NOTES} notes were taken about {spectask.id}, and no more are."
        return Refusal(code="too-many", message=message, hint="Put what others need to know into a document of the spec.")
    return None
