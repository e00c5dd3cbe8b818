from __future__ import annotations

import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.completion import final_documents
from specthread.domain.model import DAEMON
from specthread.domain.react import mergeable, wanted
from support.situation import GIVEN, implementing, in_final_review, planning, reviewing, working
from support.story import ID, oid, ws


def names(story) -> set[str]:
    return {type(effect).__name__ for effect in wanted(story.spectask)}


@pytest.mark.parametrize(
    ("given", "work"),
    [
        ("planning", {"RunPlanner"}),
        ("reviewing", set()),
        ("approved", set()),
        ("implementing", set()),
        ("working", {"RunSession", "WriteSpecs"}),
        ("waiting", {"WriteSpecs"}),
        ("verifying", {"VerifyClaim", "WriteSpecs"}),
        ("merging", {"MergeSessions", "WriteSpecs"}),
        ("failed", {"WriteSpecs"}),
        ("in final review", {"WriteSpecs"}),
    ],
)
def test_each_situation_calls_for_its_own_work(given, work):
    assert names(GIVEN[given]()) == work | {"KeepDesk"}


@pytest.mark.parametrize("given", ["done", "cancelled", "planning failed"])
def test_what_has_ended_calls_at_most_for_writing(given):
    story = GIVEN[given]()
    story.do(reports.RecordTranscript(spectask=ID, run=ws(1), turn=1, oid=oid(1)), DAEMON) if story.spectask.sessions else None
    assert names(story) <= {"WriteSpecs"}


def test_a_pause_leaves_the_writer_and_the_desk():
    story = working()
    story.do(c.PauseSpecTask(spectask=ID))
    assert names(story) == {"WriteSpecs", "KeepDesk"}


def test_an_open_record_calls_for_the_writer():
    story = reviewing()
    story.git = False
    story.edit("design", b"# D\n")
    assert names(story) == {"WriteSpecs", "KeepDesk"}


def test_a_sync_calls_for_the_merge_of_the_target():
    story = implementing()
    story.do(c.SyncTarget(spectask=ID))
    assert names(story) == {"MergeTarget", "KeepDesk"}


def test_the_last_publication_waits_until_git_holds_the_last_tick():
    story = implementing()
    story.complete("1", "2", "3.1")
    story.give("3.2")
    story.claim(4)
    story.checked(4)
    story.git = False
    story.merged(4)
    assert "PublishFinal" not in names(story)
    story.acknowledge()
    assert "PublishFinal" in names(story)


def test_an_optional_task_that_nobody_started_does_not_hold_up_the_end():
    assert in_final_review().task("4").state == "open"


def test_nothing_to_plan_is_nothing_to_publish():
    assert "PublishFinal" not in names(planning())


def test_the_lowest_task_is_merged_first():
    story = implementing()
    for number, task in enumerate(("2", "1"), 1):
        story.give(task)
        story.claim(number)
        story.checked(number)
    assert [session.task for session in mergeable(story.spectask)] == ["1", "2"]


def test_a_new_attempt_and_a_new_claim_are_new_work():
    story = working()
    first = wanted(story.spectask)
    story.do(c.CancelRun(spectask=ID, run=ws(1)))
    story.do(c.RetryRun(spectask=ID, run=ws(1)))
    assert wanted(story.spectask).isdisjoint({effect for effect in first if type(effect).__name__ == "RunSession"})


def test_a_box_ticked_by_hand_claims_nothing_in_the_last_publication():
    story = in_final_review()
    live = story.spectask.documents["tasks"].content
    story.edit("tasks", live.replace(b"[ ]* 4.", b"[x]* 4."))
    files = final_documents(story.spectask)
    published = files[story.spectask.documents["tasks"].path]
    assert b"[x]* 4." in story.spectask.documents["tasks"].content
    assert (published.count(b"[x]"), b"[ ]* 4." in published) == (live.count(b"[x]"), True)


def test_the_last_publication_ticks_what_is_merged_whatever_a_hand_did_to_the_box():
    story = in_final_review()
    story.edit("tasks", story.spectask.documents["tasks"].content.replace(b"- [x] 1. ", b"- [ ] 1. "))
    files = final_documents(story.spectask)
    assert b"- [x] 1. " in files[story.spectask.documents["tasks"].path]


def test_boxes_with_the_same_number_do_not_keep_the_last_publication_from_being_made():
    story = in_final_review()
    twice = story.spectask.documents["tasks"].content + b"- [x]* 4. Polish again\n  - _Requirements: 2.1_\n- [x]* 4. And again\n"
    story.edit("tasks", twice.replace(b"[ ]* 4. Polish\n", b"[x]* 4. Polish\n"))
    assert final_documents(story.spectask)


def test_what_is_archived_is_put_away_once():
    story = GIVEN["done"]()
    story.log_turns()
    story.do(c.ArchiveSpecTask(spectask=ID))
    assert names(story) == {"PutAway"}
    story.do(reports.FinishArchive(spectask=ID), DAEMON)
    assert names(story) == set()
