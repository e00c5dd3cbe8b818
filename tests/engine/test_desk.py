from __future__ import annotations

import os

import pytest

from specthread.engine.desk_file import exchange_files
from support.desk_story import BOTH, DRAFT, EDITED, ID, REVISED, SAVERS, save_by_rename, save_in_place


async def test_live_documents_appear_on_the_desk_and_follow_the_planner(story):
    async with story.running():
        await story.settled()
        story.planner_writes(REVISED)
        story.planner_writes(b"# Design\n", "design")
        await story.settled()
    assert story.on_disk() == REVISED
    assert story.human_edits() == []


@pytest.mark.parametrize("save", SAVERS)
async def test_a_save_becomes_one_edit_of_the_human_whatever_way_the_editor_writes(story, save):
    async with story.running():
        await story.settled()
        save(story.path(), EDITED)
        await story.until(lambda: story.live() == EDITED)
        await story.looked()
    assert story.human_edits() == [EDITED]


async def test_a_save_of_the_old_text_during_a_planner_revision_keeps_both(story):
    async with story.running():
        await story.settled()
        story.planner_writes(REVISED)
        await story.settled()
        story.path().write_bytes(EDITED)
        await story.until(lambda: story.live() == BOTH)
        await story.settled()
    assert story.human_edits() == [BOTH]


async def test_a_revision_that_lands_between_reading_and_submitting_a_save_is_merged(story):
    async with story.running():
        await story.settled()
        story.before_submit.append(lambda _: story.planner_writes(REVISED))
        story.path().write_bytes(EDITED)
        await story.until(lambda: story.live() == BOTH)
        await story.settled()
    assert [refusal.code for refusal in story.refusals] == ["stale-document"]
    assert story.human_edits() == [BOTH]


async def test_a_saver_that_writes_in_place_in_two_pieces_is_taken_once_it_has_closed_the_file(story):
    async with story.running():
        await story.settled()
        descriptor = os.open(story.path(), os.O_WRONLY | os.O_TRUNC)
        await story.looked()
        os.write(descriptor, EDITED[:40])
        await story.looked()
        os.write(descriptor, EDITED[40:])
        await story.looked()
        assert story.human_edits() == []
        os.close(descriptor)
        await story.until(lambda: story.live() == EDITED)
    assert story.human_edits() == [EDITED]


async def test_a_saver_that_never_closes_the_file_is_believed_when_it_stands_still(story):
    async with story.running():
        await story.settled()
        descriptor = os.open(story.path(), os.O_WRONLY | os.O_TRUNC)
        os.write(descriptor, EDITED)
        await story.looked()
        assert story.human_edits() == []
        story.clock.advance(2.0)
        await story.until(lambda: story.live() == EDITED)
        os.close(descriptor)


async def test_a_revision_waits_while_a_saver_is_in_the_middle_of_writing(story):
    async with story.running():
        await story.settled()
        descriptor = os.open(story.path(), os.O_WRONLY | os.O_TRUNC)
        os.write(descriptor, EDITED[:40])
        await story.looked()
        story.planner_writes(REVISED)
        await story.looked()
        assert story.on_disk() == EDITED[:40]
        os.write(descriptor, EDITED[40:])
        os.close(descriptor)
        await story.until(lambda: story.live() == BOTH)
        await story.settled()
    assert story.human_edits() == [BOTH]


async def test_two_quick_saves_end_as_the_second_also_where_it_takes_back_the_first(story):
    second = DRAFT.replace(b"text", b"tables")
    async with story.running():
        await story.settled()
        story.path().write_bytes(EDITED)
        await story.until(lambda: story.live() == EDITED)
        story.path().write_bytes(second)
        await story.until(lambda: story.live() == second)
        story.path().write_bytes(DRAFT)
        await story.until(lambda: story.live() == DRAFT)
        await story.looked()
    assert story.human_edits() == [EDITED, second, DRAFT]


async def test_a_second_save_while_the_first_is_being_submitted_is_not_overwritten(story):
    second = EDITED.replace(b"# Requirements", b"# All requirements")
    async with story.running():
        await story.settled()
        story.planner_writes(REVISED)
        await story.settled()
        story.before_submit.append(lambda _: story.path().write_bytes(second))
        story.path().write_bytes(EDITED)
        expected = BOTH.replace(b"# Requirements", b"# All requirements")
        await story.until(lambda: story.live() == expected)
        await story.settled()
    assert story.human_edits()[-1] == expected


@pytest.mark.parametrize("save", [save_by_rename, save_in_place])
async def test_a_save_at_the_moment_the_daemon_writes_is_merged(story, save):
    def exchange(first, second):
        if second == story.path() and second.read_bytes() == DRAFT:
            save(second, EDITED)
        return exchange_files(first, second)

    story.exchange = exchange
    async with story.running():
        await story.settled()
        story.planner_writes(REVISED)
        await story.until(lambda: story.live() == BOTH)
        await story.settled()
    assert story.human_edits() == [BOTH]


async def test_a_saver_that_had_the_file_open_before_the_daemon_wrote_still_counts_afterwards(story):
    async with story.running():
        await story.settled()
        descriptor = os.open(story.path(), os.O_WRONLY)
        story.planner_writes(REVISED)
        await story.settled()
        story.clock.advance(15.0)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, EDITED[:40])
        await story.looked()
        os.write(descriptor, EDITED[40:])
        os.close(descriptor)
        await story.until(lambda: story.live() == BOTH)
        await story.settled()
    assert story.human_edits() == [BOTH]


async def test_a_file_swapped_out_is_let_go_after_ten_seconds_and_never_stands_in_the_desk(story):
    held = story.state_folder / "desk" / ".held" / "repo" / ID
    async with story.running():
        await story.settled()
        story.planner_writes(REVISED)
        await story.until(lambda: list(held.iterdir()))
        await story.settled()
        assert sorted(path.name for path in story.path().parent.iterdir()) == ["requirements.md", "tasks.md"]
        await story.looked()
        story.clock.advance(10.0)
        await story.until(lambda: not list(held.iterdir()))


async def test_without_an_exchange_in_the_system_the_daemon_still_sees_a_late_save(story):
    story.exchange = lambda _first, _second: False
    async with story.running():
        await story.settled()
        descriptor = os.open(story.path(), os.O_WRONLY)
        story.planner_writes(REVISED)
        await story.settled()
        os.write(descriptor, EDITED)
        os.close(descriptor)
        await story.until(lambda: story.live() == BOTH)


async def test_saving_an_old_text_unchanged_after_a_revision_is_no_edit(story):
    async with story.running():
        await story.settled()
        story.planner_writes(REVISED)
        await story.settled()
        story.path().write_bytes(DRAFT)
        await story.looked()
        await story.settled()
    assert story.live() == REVISED
    assert story.human_edits() == []


async def test_an_editor_that_reports_its_base_can_undo_a_revision(story):
    async with story.running():
        await story.settled()
        story.planner_writes(REVISED)
        await story.settled()
        story.typed(DRAFT)
        story.saved()
        await story.until(lambda: story.live() == DRAFT)
    assert story.human_edits() == [DRAFT]


async def test_the_file_is_not_written_while_an_editor_holds_unsaved_text(story):
    async with story.running():
        await story.settled()
        story.typed(EDITED)
        story.planner_writes(REVISED)
        await story.looked()
        assert story.buffers.unsaved() == {"requirements": ("vim",)}
        assert story.on_disk() == DRAFT
        story.typed(DRAFT)
        await story.settled()
        assert story.buffers.unsaved() == {}
    assert story.live() == REVISED


async def test_a_dirty_buffer_saved_over_a_waiting_revision_is_merged_from_what_the_editor_started_from(story):
    async with story.running():
        await story.settled()
        story.typed(EDITED)
        story.planner_writes(REVISED)
        await story.looked()
        story.saved()
        await story.until(lambda: story.live() == BOTH)
        await story.settled()
    assert story.human_edits() == [BOTH]


async def test_a_save_of_text_an_editor_had_before_the_daemon_knew_it_is_an_edit(story):
    async with story.running():
        await story.settled()
        story.typed(EDITED, opened=EDITED, editor="restored")
        story.saved(editor="restored")
        await story.until(lambda: story.live() == EDITED)
        await story.settled()
    assert story.human_edits() == [EDITED]


async def test_two_editors_that_hold_unsaved_text_of_one_document_lose_nothing(story):
    more = DRAFT.replace(b"### Requirement 2", b"### Requirement 2 (strict)")
    async with story.running():
        await story.settled()
        story.typed(EDITED, editor="vim")
        story.typed(more, editor="code")
        story.saved(editor="vim")
        await story.until(lambda: story.live() == EDITED)
        assert story.buffers.unsaved() == {"requirements": ("code",)}
        story.saved(editor="code")
        both = EDITED.replace(b"### Requirement 2", b"### Requirement 2 (strict)")
        await story.until(lambda: story.live() == both)
        await story.settled()


async def test_an_editor_that_closes_after_a_save_it_never_told_is_merged_from_its_base(story):
    async with story.running():
        await story.settled()
        story.typed(EDITED)
        story.planner_writes(REVISED)
        await story.looked()
        story.path().write_bytes(EDITED)
        story.buffers.drop("requirements", "vim")
        await story.until(lambda: story.live() == BOTH)
        await story.settled()
