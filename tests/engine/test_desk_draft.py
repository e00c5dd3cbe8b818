from __future__ import annotations

import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.events import ChangesRequested
from specthread.domain.model import DAEMON, Refusal
from specthread.domain.names import answer_draft
from specthread.engine.desk_draft import marker
from specthread.engine.desk_file import DeskFolders
from support.desk_story import ADA, ID, DeskStory

WHAT = "Say below what should change."
MARKER = marker(WHAT)


@pytest.fixture
def story(tmp_path):
    story = DeskStory(tmp_path)
    story.planner_writes(b"# requirements\n")
    story.planner_finishes()
    return story


def requests(story):
    envelopes = [envelope for envelope in story.log if isinstance(envelope.event, ChangesRequested)]
    assert all(envelope.actor == ADA for envelope in envelopes)
    return [envelope.event.message for envelope in envelopes]


async def test_saving_the_draft_without_its_marker_sends_it_and_puts_it_away(story):
    async with story.running() as desk:
        path = await desk.open_draft("request-changes", WHAT, "Open comments: none.\n")
        assert path.read_text() == f"{MARKER}\n\nOpen comments: none.\n"
        path.write_text("Use JSON.\n")
        await story.until(lambda: requests(story) == ["Use JSON."])
        await story.until(lambda: not path.exists())
    kept = DeskFolders.of(story.folder).history / "request-changes"
    assert [draft.read_text() for draft in kept.glob("*.draft")] == ["Use JSON.\n"]


async def test_saving_the_draft_with_its_marker_sends_nothing(story):
    async with story.running() as desk:
        path = await desk.open_draft("request-changes", WHAT)
        path.write_text(f"{MARKER}\nUse JSON.\n")
        await story.settled()
        await story.looked()
        assert path.exists()
    assert requests(story) == []


async def test_opening_a_draft_again_keeps_what_the_human_wrote(story):
    async with story.running() as desk:
        path = await desk.open_draft("request-changes", WHAT)
        path.write_text(f"{MARKER}\nUse JSON.\n")
        assert await desk.open_draft("request-changes", WHAT) == path
        assert path.read_text() == f"{MARKER}\nUse JSON.\n"


async def test_a_draft_saved_while_the_daemon_was_down_is_sent_on_start(story):
    async with story.running() as desk:
        path = await desk.open_draft("request-changes", WHAT)
    path.write_text("Use JSON.\n")
    async with story.running():
        await story.until(lambda: requests(story) == ["Use JSON."])


async def test_a_deleted_draft_sends_nothing_and_can_be_opened_again(story):
    async with story.running() as desk:
        path = await desk.open_draft("request-changes", WHAT)
        path.unlink()
        await story.settled()
        await story.looked()
        story.clock.advance(2.0)
        await story.looked()
        path.write_text("my own file of that name\n")
        await story.looked()
        assert path.exists()
    assert requests(story) == []


async def test_an_answer_draft_belongs_to_its_question_and_goes_with_it(tmp_path):
    story = DeskStory(tmp_path)
    story.planner_writes(b"# requirements\n")
    run = story.spectask.plans[-1].id

    def given(command, actor=DAEMON):
        assert not isinstance(answer := story.give(command, actor), Refusal), answer

    given(reports.StartCall(spectask=ID, run=run, turn=1, reserve_usd=None))
    given(reports.AskQuestion(spectask=ID, run=run, question="first", kind="question", text="First?"))
    async with story.running() as desk:
        path = await desk.open_draft(answer_draft(run, "first"), WHAT)
        given(c.AnswerQuestion(spectask=ID, run=run, answer="By mail."), ADA)
        await story.until(lambda: not path.exists())
    assert answer_draft(run, "second") != answer_draft(run, "first")


async def test_a_refused_draft_stays_and_says_why(tmp_path):
    story = DeskStory(tmp_path)
    story.planner_writes(b"# requirements\n")
    story.planner_writes(b"# tasks\n", "tasks")
    async with story.running() as desk:
        path = await desk.open_draft("request-changes", WHAT)
        path.write_text("Use JSON.\n")
        await story.until(lambda: "was not sent" in story.spectask.trouble)
        assert path.read_text() == "Use JSON.\n"
        assert [refusal.code for refusal in story.refusals] == ["still-planning"]
