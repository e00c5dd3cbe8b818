from __future__ import annotations

import asyncio
import errno
import os
from random import Random

import pytest

from specthread.domain.commands import CancelSpecTask, EditDocument, Remark, ResumeSpecTask
from specthread.domain.model import CommentId, Refusal
from specthread.engine.desk_file import DeskFolders, exchange_files
from specthread.engine.desk_history import DeskHistory
from support.desk_story import ADA, ID, DeskStory

DRAFT = b"# Requirements\n\n### Requirement 1: JSON\n\nThe tool prints text.\n\n### Requirement 2: Errors\n\nThe tool exits 1.\n"
REVISED = DRAFT.replace(b"exits 1", b"exits 2")
EDITED = DRAFT.replace(b"prints text", b"prints JSON")
BOTH = REVISED.replace(b"prints text", b"prints JSON")


@pytest.fixture
def story(tmp_path):
    story = DeskStory(tmp_path)
    story.planner_writes(DRAFT)
    story.planner_writes(b"# tasks\n", "tasks")
    return story


def save_by_rename(path, content):
    beside = path.with_name(f".{path.name}.saving")
    beside.write_bytes(content)
    beside.replace(path)


def save_like_vim(path, content):
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    path.write_bytes(content)
    backup.unlink()


def save_in_place(path, content):
    path.write_bytes(content)


SAVERS = [save_by_rename, save_like_vim, save_in_place]


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
    async with story.running() as desk:
        await story.settled()
        story.planner_writes(REVISED)
        await story.settled()
        desk.set_dirty("requirements", REVISED)
        story.path().write_bytes(DRAFT)
        desk.set_dirty("requirements", None)
        await story.until(lambda: story.live() == DRAFT)
    assert story.human_edits() == [DRAFT]


async def test_the_file_is_not_written_while_an_editor_holds_unsaved_text(story):
    async with story.running() as desk:
        await story.settled()
        desk.set_dirty("requirements", DRAFT)
        story.planner_writes(REVISED)
        await story.looked()
        assert desk.dirty_documents() == {"requirements"}
        assert story.on_disk() == DRAFT
        desk.set_dirty("requirements", None)
        await story.settled()
        assert desk.dirty_documents() == frozenset()
    assert story.live() == REVISED


async def test_a_dirty_buffer_saved_over_a_waiting_revision_is_merged_from_what_the_editor_started_from(story):
    async with story.running() as desk:
        await story.settled()
        desk.set_dirty("requirements", DRAFT)
        story.planner_writes(REVISED)
        await story.looked()
        story.path().write_bytes(EDITED)
        await story.until(lambda: story.live() == BOTH)
        assert story.on_disk() == EDITED
        desk.set_dirty("requirements", None)
        await story.settled()
    assert story.human_edits() == [BOTH]


async def test_a_remark_line_becomes_a_comment_and_leaves_the_document(story):
    typed = DRAFT.replace(b"exits 1.\n", b"exits 1.\n<!--? Which error? -->\n")
    async with story.running():
        await story.settled()
        story.path().write_bytes(typed)
        await story.until(lambda: story.spectask.comments)
        await story.settled()
        story.path().write_bytes(typed.replace(b"prints text", b"prints JSON"))
        await story.until(lambda: story.live() == EDITED)
        await story.settled()
    comments = [(comment.text, comment.quote, comment.line, comment.author) for comment in story.spectask.comments.values()]
    assert comments == [("Which error?", "The tool exits 1.", 9, ADA.name)]
    assert story.on_disk() == EDITED


async def test_a_save_made_while_the_daemon_was_down_is_taken_on_start(story):
    async with story.running():
        await story.settled()
    story.path().write_bytes(EDITED)
    story.planner_writes(REVISED)
    async with story.running():
        await story.until(lambda: story.live() == BOTH)
        await story.settled()
    assert story.human_edits() == [BOTH]


async def test_a_restart_finds_nothing_new_where_nobody_saved(story):
    async with story.running():
        await story.settled()
        story.planner_writes(REVISED)
        await story.settled()
        story.path().write_bytes(BOTH)
        await story.until(lambda: story.live() == BOTH)
        await story.looked()
    edits = story.human_edits()
    async with story.running():
        await story.looked()
    assert story.human_edits() == edits
    assert story.on_disk() == BOTH


async def test_a_late_save_into_a_swapped_out_file_survives_the_end_of_the_daemon(story):
    async with story.running():
        await story.settled()
        descriptor = os.open(story.path(), os.O_WRONLY | os.O_TRUNC)
        os.write(descriptor, DRAFT)
        story.planner_writes(REVISED)
        await story.until(lambda: story.on_disk() == REVISED)
        await story.looked()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, EDITED, 0)
    os.close(descriptor)
    async with story.running():
        await story.until(lambda: story.live() == BOTH)
        await story.settled()


async def test_a_prepared_file_that_was_never_swapped_is_not_taken_for_a_save(story):
    async with story.running():
        await story.settled()
    held = story.state_folder / "desk" / ".held" / "repo" / ID
    (held / "requirements.md.abc").write_bytes(DRAFT[:30])
    async with story.running():
        await story.looked()
        await story.until(lambda: not list(held.glob("requirements.md.*")))
    assert story.human_edits() == []


async def test_a_deleted_document_is_written_back_after_a_moment(story):
    async with story.running():
        await story.settled()
        story.path().unlink()
        await story.looked()
        assert story.on_disk() is None
        story.clock.advance(2.0)
        await story.settled()
    assert story.human_edits() == []


async def test_a_deleted_desk_is_written_back_and_is_still_watched(story):
    async with story.running():
        await story.settled()
        for name in ("requirements", "tasks"):
            story.path(name).unlink()
        story.path().parent.rmdir()
        await story.until(lambda: story.clock.timers)
        story.clock.advance(2.0)
        await story.settled()
        story.path().write_bytes(EDITED)
        await story.until(lambda: story.live() == EDITED)


async def test_files_the_desk_did_not_make_are_left_alone(story):
    async with story.running():
        await story.settled()
        own = story.path().with_name("my notes.md")
        own.write_bytes(b"mine")
        await story.looked()
    assert own.read_bytes() == b"mine"


@pytest.mark.parametrize(("content", "reason"), [(b"a\0b", "binary"), (b"x" * 5_000_001, "larger than 5 MB")])
async def test_what_is_no_document_is_refused_kept_and_left_on_the_disk(story, content, reason):
    async with story.running():
        await story.settled()
        story.path().write_bytes(content)
        await story.until(lambda: reason in story.spectask.trouble)
        story.planner_writes(REVISED)
        await story.looked()
        assert story.on_disk() == content
        kept = DeskFolders.of(story.folder).history / "requirements"
        assert [path.read_bytes() for path in kept.glob("*.refused")] == [content]
        story.path().write_bytes(EDITED)
        await story.until(lambda: story.live() == BOTH and not story.spectask.trouble)


async def test_a_link_in_place_of_a_document_is_refused_and_not_followed(story, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret\n")
    async with story.running():
        await story.settled()
        story.path().unlink()
        story.path().symlink_to(secret)
        await story.until(lambda: "is a link" in story.spectask.trouble)
        story.planner_writes(REVISED)
        await story.looked()
        story.path().unlink()
        await story.looked()
        story.clock.advance(2.0)
        await story.settled()
        await story.until(lambda: not story.spectask.trouble)
    assert secret.read_bytes() == b"secret\n"


async def test_a_refused_save_stays_on_the_disk_and_is_taken_when_it_is_allowed_again(story):
    async with story.running():
        await story.settled()
        story.give(CancelSpecTask(spectask=ID), ADA)
        story.path().write_bytes(EDITED)
        await story.until(lambda: "was not taken" in story.spectask.trouble)
        assert story.on_disk() == EDITED
        story.give(ResumeSpecTask(spectask=ID), ADA)
        await story.until(lambda: story.live() == EDITED and not story.spectask.trouble)


async def test_a_save_during_a_full_disk_is_offered_again(story):
    story.answer_with.append(Refusal(code="store-unavailable", message="The disk is full."))
    async with story.running():
        await story.settled()
        story.path().write_bytes(EDITED)
        await story.until(lambda: "disk is full" in story.spectask.trouble)
        story.clock.advance(5.0)
        await story.until(lambda: story.live() == EDITED)


async def test_a_save_whose_submission_the_daemon_did_not_survive_is_neither_lost_nor_doubled(story):
    second = EDITED.replace(b"prints JSON", b"prints XML")
    async with story.running():
        await story.settled()
    history = DeskHistory(DeskFolders.of(story.folder).history / "requirements")
    history.begin_offer(EDITED)
    story.give(EditDocument(spectask=ID, document="requirements", content=EDITED, expects=DRAFT, kind="human"), ADA)
    story.path().write_bytes(second)
    async with story.running():
        await story.until(lambda: story.live() == second)
        await story.looked()
    assert story.human_edits() == [EDITED, second]


async def test_a_remark_that_was_taken_when_the_daemon_died_is_not_taken_twice(story):
    typed = EDITED + b"<!--? Why? -->\n"
    async with story.running():
        await story.settled()
    DeskHistory(DeskFolders.of(story.folder).history / "requirements").begin_offer(typed)
    remark = Remark(comment=CommentId("first"), quote="The tool exits 1.", section="", line=9, text="Why?")
    story.give(EditDocument(spectask=ID, document="requirements", content=EDITED, expects=DRAFT, kind="human", remarks=(remark,)), ADA)
    story.path().write_bytes(typed)
    async with story.running():
        await story.until(lambda: story.on_disk() == EDITED)
        await story.looked()
    assert list(story.spectask.comments) == ["first"]


async def test_a_save_that_was_about_to_be_submitted_is_submitted_by_the_next_daemon(story):
    async with story.running():
        await story.settled()
    DeskHistory(DeskFolders.of(story.folder).history / "requirements").begin_offer(EDITED)
    async with story.running():
        await story.until(lambda: story.live() == EDITED)
        await story.settled()


async def test_a_disk_that_does_not_let_the_daemon_write_is_reported_and_tried_again(story):
    faults = [OSError(errno.ENOSPC, "No space left on device")]

    def exchange(first, second):
        if faults:
            raise faults.pop()
        return exchange_files(first, second)

    story.exchange = exchange
    async with story.running():
        await story.settled()
        story.planner_writes(REVISED)
        await story.until(lambda: "No space left" in story.spectask.trouble)
        await story.looked()
        assert story.on_disk() == DRAFT
        story.clock.advance(5.0)
        await story.until(lambda: story.on_disk() == REVISED and not story.spectask.trouble)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_saved_while_the_planner_writes_ends_up_in_the_live_document(story, seed):
    """A human who saves in any way, against a planner that never waits; every line has one owner, and the human reads on from the file."""
    random = Random(seed)
    story.planner_writes(b"".join(b"line %d\n" % number for number in range(31)))
    async with story.running():
        await story.settled()
        for turn in range(25):
            word = b" human-%d" % turn
            rows = story.path().read_bytes().splitlines()
            rows[random.choice([1, 7, 13, 19, 25])] += word
            if random.random() < 0.7:
                planned = story.live().splitlines()
                planned[random.choice([4, 10, 16, 22, 28])] += b" planner-%d" % turn
                story.planner_writes(b"".join(line + b"\n" for line in planned))
            for _ in range(random.randrange(4)):
                await asyncio.sleep(0)
            random.choice(SAVERS)(story.path(), b"".join(line + b"\n" for line in rows))
            await story.until(lambda word=word: word in story.live() and word in (story.on_disk() or b""))
        await story.settled()
    words = story.live().split()
    assert [word for word in (b"human-%d" % turn for turn in range(25)) if word not in words] == []
    assert story.conflicts == []
