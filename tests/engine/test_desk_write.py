from __future__ import annotations

import asyncio
import errno
import os
from random import Random

import pytest

from specthread.domain.commands import CancelSpecTask, EditDocument, Remark, ResumeSpecTask
from specthread.domain.ids import CommentId
from specthread.domain.model import Refusal
from specthread.engine.desk_file import DeskFolders, exchange_files, held_of, place, swap
from specthread.engine.desk_history import DeskHistory
from support.desk_story import ADA, BOTH, DRAFT, EDITED, ID, REVISED, SAVERS


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
    folders = DeskFolders.of(story.folder)
    held = swap(story.path(), DRAFT, folders=folders, exchange=exchange_files)
    held.write_bytes(DRAFT[:30])
    assert held_of(story.path(), folders) == [held]
    async with story.running():
        await story.looked()
        await story.until(lambda: not held.exists())
    assert story.human_edits() == []


def test_what_was_swapped_out_belongs_to_one_of_several_files_with_one_name(tmp_path):
    folders = DeskFolders.of(tmp_path / "desk" / "repo" / ID)
    one, other = (folders.desk / "specs" / name / "spec.md" for name in ("auth", "notify"))
    for path in (one, other):
        place(path, b"first\n", folders=folders)
    held = swap(other, b"second\n", folders=folders, exchange=exchange_files)
    assert (held_of(one, folders), held_of(other, folders)) == ([], [held])


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
