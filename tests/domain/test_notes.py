"""What agents of other programs, and sessions, note about a SpecTask, and what they ask of a person."""

from __future__ import annotations

from specthread.domain.commands_note import AnswerPut, PutQuestion, TakeNote
from specthread.domain.ids import RunId
from specthread.domain.model import Actor
from specthread.domain.notes import KEPT_NOTES, LONGEST_NOTE
from specthread.views.progress import needs
from support.situation import implementing, working
from support.story import ADA, ID, Story, ws

ONE = Actor(kind="session", name=ws(1))


def asked(story: Story, number: int = 1, **more: object) -> None:
    story.do(PutQuestion(spectask=ID, question=f"q-{number}", text=f"Which of them, {number}?", **more), ADA)


def test_a_decision_goes_to_git_and_progress_does_not():
    story = implementing()
    story.git = False
    story.do(TakeNote(spectask=ID, kind="progress", text=" Half of it. "), ADA)
    assert not story.spectask.uncommitted
    story.do(TakeNote(spectask=ID, kind="decision", text="JSON, not YAML."), ADA)
    assert list(story.spectask.uncommitted.values()) == ["decision"]
    assert [(note.kind, note.by, note.text) for note in story.spectask.notes] == [
        ("progress", ADA.name, "Half of it."),
        ("decision", ADA.name, "JSON, not YAML."),
    ]


def test_what_a_session_reports_is_what_it_does():
    story = working()
    story.do(TakeNote(spectask=ID, kind="progress", text="Tests are written.\nMore.", run=RunId(ws(1))), ONE)
    assert story.spectask.sessions[RunId(ws(1))].doing == "Tests are written."


def test_nobody_notes_in_the_name_of_another_session():
    story = implementing()
    for run, actor in ((ws(2), ONE), (ws(1), ADA), (None, ONE), (f"{ID}/ws-9", Actor(kind="session", name=f"{ID}/ws-9"))):
        command = TakeNote(spectask=ID, kind="progress", text="Done.", run=RunId(run) if run else None)
        assert story.refused(command, actor) == "not-yours"


def test_a_note_is_neither_empty_nor_endless():
    story = implementing()
    for text, code in ((" ", "empty-note"), ("x" * (LONGEST_NOTE + 1), "too-long")):
        assert story.refused(TakeNote(spectask=ID, kind="decision", text=text)) == code


def test_a_question_is_asked_once_and_waits_for_a_person_until_it_is_answered():
    story = implementing()
    story.git = False
    asked(story, choices=("A", "B"))
    assert story.do(PutQuestion(spectask=ID, question="q-1", text="Which of them, 1?")) == ()
    (need,) = [need for need in needs(story.spectask) if need.kind == "question"]
    assert (need.run, need.question, need.choices) == (None, "q-1", ("A", "B"))
    assert need.text == f"{ADA.name} asks: Which of them, 1?"
    story.do(AnswerPut(spectask=ID, question="q-1", answer="B"), ADA)
    assert not [need for need in needs(story.spectask) if need.kind == "question"]
    assert story.refused(AnswerPut(spectask=ID, question="q-1", answer="A")) == "no-question"
    assert list(story.spectask.uncommitted.values()) == ["decision"]


def test_only_a_person_answers():
    story = implementing()
    asked(story)
    for actor in (ONE, Actor(kind="daemon")):
        assert story.refused(AnswerPut(spectask=ID, question="q-1", answer="Yes."), actor) == "human-only"


def test_an_open_question_is_not_forgotten_over_many_notes():
    story = implementing()
    asked(story)
    for number in range(KEPT_NOTES + 5):
        story.do(TakeNote(spectask=ID, kind="progress", text=f"Step {number}."), ADA)
    assert len(story.spectask.notes) == KEPT_NOTES + 1
    assert story.spectask.notes[0].id == "q-1"
