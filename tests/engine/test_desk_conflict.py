from __future__ import annotations

import pytest

from specgit.errors import GitError
from specthread.engine.desk_file import DeskFolders, exchange_files
from support.desk_story import DeskStory

DRAFT = b"# Requirements\n\nThe tool prints text.\n\nMore words.\n"
PLANNER = DRAFT.replace(b"text", b"YAML")
HUMAN = DRAFT.replace(b"text", b"JSON")
AGREED = DRAFT.replace(b"text", b"JSON or YAML")


@pytest.fixture
def story(tmp_path):
    story = DeskStory(tmp_path)
    story.planner_writes(DRAFT)
    story.planner_writes(b"# tasks\n", "tasks")
    return story


async def conflict(story, saved=HUMAN):
    """Brings about a conflict: while an editor holds unsaved text, the planner changes the same line, then the human saves."""
    await story.settled()
    story.typed(saved)
    story.planner_writes(PLANNER)
    await story.looked()
    story.saved()
    await story.until(lambda: story.question.exists() and "same lines" in story.spectask.trouble)


async def test_an_editors_save_at_the_very_moment_the_daemon_writes_is_asked_about_too(story):
    saves = [HUMAN]

    def exchange(first, second):
        if saves and second == story.path() and story.live() == PLANNER:
            story.typed(saves.pop())
            story.saved()
        return exchange_files(first, second)

    story.exchange = exchange
    async with story.running():
        await story.settled()
        story.typed(DRAFT)
        story.planner_writes(PLANNER)
        await story.until(lambda: story.question.exists() and "same lines" in story.spectask.trouble)
        assert (story.on_disk(), story.live(), saves) == (HUMAN, PLANNER, [])


CRITERIA = b"# Requirements\n\n### Requirement 1: Text\n\n#### Acceptance Criteria\n\n1. THE tool SHALL a.\n2. THE tool SHALL b.\n"


async def meeting(story, human, planner):
    """Brings about a save of a text that is older than what the planner wrote meanwhile."""
    story.planner_writes(CRITERIA)
    await story.settled()
    story.typed(human)
    story.planner_writes(planner)
    await story.looked()
    story.saved()


async def test_two_criteria_that_stand_side_by_side_are_changed_by_two_without_a_question(story):
    async with story.running():
        await meeting(story, CRITERIA.replace(b"SHALL a", b"SHALL A"), CRITERIA.replace(b"SHALL b", b"SHALL B"))
        both = CRITERIA.replace(b"SHALL a", b"SHALL A").replace(b"SHALL b", b"SHALL B")
        await story.until(lambda: story.live() == both == story.on_disk())
        assert not story.question.exists()


async def test_what_was_meant_differently_is_asked_in_words(story):
    async with story.running():
        await meeting(story, CRITERIA + b"3. THE tool SHALL c.\n", CRITERIA + b"3. THE tool SHALL d.\n")
        await story.until(lambda: story.question.exists() and bool(story.spectask.trouble))
        assert "Criterion 1.3 was added on both sides, with different words." in story.spectask.trouble
        assert b"Criterion 1.3 was added on both sides" in story.question.read_bytes()


async def test_both_sides_are_kept_and_shown_and_the_saved_file_stays(story):
    async with story.running():
        await conflict(story)
        await story.looked()
        assert story.conflicts == [("requirements", PLANNER, HUMAN)]
        assert story.on_disk() == HUMAN
        shown = story.question.read_bytes()
        assert b"prints YAML" in shown
        assert b"prints JSON" in shown
        assert shown.startswith(b"<!-- specthread:conflict ")
    assert story.live() == PLANNER
    assert story.human_edits() == []


async def test_saving_the_shown_text_without_markers_settles_it(story):
    async with story.running():
        await conflict(story)
        header = story.question.read_bytes().splitlines(keepends=True)[0]
        story.question.write_bytes(header + AGREED)
        await story.until(lambda: story.live() == AGREED)
        await story.settled()
        await story.until(lambda: not story.spectask.trouble)
        assert not story.question.exists()
    assert story.human_edits() == [AGREED]


async def test_deleting_the_shown_text_lets_the_saved_file_win(story):
    async with story.running():
        await conflict(story)
        story.question.unlink()
        await story.looked()
        assert story.human_edits() == []
        story.clock.advance(2.0)
        await story.until(lambda: story.live() == HUMAN and not story.spectask.trouble)
    assert story.on_disk() == HUMAN


async def test_deleting_the_saved_file_goes_on_with_the_live_version(story):
    async with story.running():
        await conflict(story)
        story.path().unlink()
        await story.looked()
        story.clock.advance(2.0)
        await story.settled()
        await story.until(lambda: not story.spectask.trouble)
        assert not story.question.exists()
    assert story.on_disk() == PLANNER
    assert story.human_edits() == []


async def test_a_further_save_that_no_longer_conflicts_settles_it(story):
    async with story.running():
        await conflict(story)
        story.path().write_bytes(PLANNER.replace(b"More", b"Many more"))
        await story.until(lambda: story.live() == PLANNER.replace(b"More", b"Many more"))
        await story.until(lambda: not story.spectask.trouble)
        assert not story.question.exists()


async def test_a_live_version_that_no_longer_conflicts_settles_it(story):
    async with story.running():
        await conflict(story)
        story.planner_writes(DRAFT.replace(b"More", b"Fewer"))
        await story.until(lambda: story.live() == HUMAN.replace(b"More", b"Fewer"))
        await story.settled()
        assert not story.question.exists()


async def test_a_further_save_that_conflicts_renews_what_is_shown(story):
    async with story.running():
        await conflict(story)
        story.path().write_bytes(HUMAN.replace(b"JSON", b"XML"))
        await story.until(lambda: b"prints XML" in story.question.read_bytes())
    assert [theirs for _, _, theirs in story.conflicts] == [HUMAN, HUMAN.replace(b"JSON", b"XML")]


async def test_typing_on_after_a_conflicting_save_does_not_make_its_words_agreed(story):
    async with story.running():
        await conflict(story)
        story.typed(HUMAN.replace(b"More", b"Many more"))
        story.saved()
        await story.until(lambda: len(story.conflicts) == 2)
        await story.looked()
    assert story.live() == PLANNER


async def test_what_the_human_began_to_resolve_is_not_replaced_by_a_further_save(story):
    async with story.running():
        await conflict(story)
        begun = story.question.read_bytes().replace(b"More", b"Begun")
        story.question.write_bytes(begun)
        story.path().write_bytes(HUMAN.replace(b"JSON", b"XML"))
        await story.until(lambda: len(story.conflicts) == 2)
        await story.looked()
        assert story.question.read_bytes() == begun


async def test_edits_made_in_the_document_after_the_question_survive_the_answer(story):
    async with story.running():
        await conflict(story)
        later = HUMAN.replace(b"More", b"Many more")
        story.path().write_bytes(later)
        await story.until(lambda: len(story.conflicts) == 2)
        await story.looked()
        story.question.write_bytes(AGREED)
        story.path().write_bytes(later.replace(b"# Req", b"# All req"))
        await story.until(lambda: b"# All req" in story.live() and b"JSON or YAML" in story.live())


async def test_a_conflict_survives_a_restart_and_can_be_settled_meanwhile(story):
    async with story.running():
        await conflict(story)
    async with story.running():
        await story.looked()
        assert story.on_disk() == HUMAN
        assert story.question.exists()
    story.question.write_bytes(AGREED)
    async with story.running():
        await story.until(lambda: story.live() == AGREED)
        await story.settled()
        await story.until(lambda: not story.spectask.trouble)
    assert story.human_edits() == [AGREED]


async def test_a_late_save_into_a_swapped_out_file_that_conflicts_is_put_back_and_asked_about(story):
    async with story.running():
        await story.settled()
        with story.path().open("r+b") as late:
            story.planner_writes(PLANNER)
            await story.settled()
            late.write(HUMAN)
        await story.until(lambda: story.question.exists() and story.on_disk() == HUMAN)
        await story.looked()
    assert story.conflicts[-1] == ("requirements", PLANNER, HUMAN)


async def test_a_remark_in_a_conflicting_save_is_taken_with_the_answer(story):
    async with story.running():
        await conflict(story, HUMAN + b"<!--? Why more? -->\n")
        assert b"<!--? Why more? -->" in story.question.read_bytes()
        story.question.write_bytes(AGREED + b"<!--? Why more? -->\n")
        await story.until(lambda: story.spectask.comments)
        await story.settled()
    assert [comment.text for comment in story.spectask.comments.values()] == ["Why more?"]
    assert story.live() == AGREED


async def test_a_text_without_any_known_ancestor_is_asked_about(story):
    story.path().parent.mkdir(parents=True)
    story.path().write_bytes(b"# Mine\n")
    async with story.running():
        await story.until(story.question.exists)
        assert story.on_disk() == b"# Mine\n"
    kept = DeskFolders.of(story.folder).history / "requirements"
    assert [path.read_bytes() for path in kept.glob("*.conflict")] == [b"# Mine\n"]


async def test_nothing_is_asked_before_git_holds_both_sides(story):
    story.git_faults.append(GitError("The disk of the repository is full. Free some space.", command=("git",), exit_code=128, stderr=""))
    async with story.running():
        await story.settled()
        story.typed(HUMAN)
        story.planner_writes(PLANNER)
        await story.looked()
        story.saved()
        await story.until(lambda: "disk of the repository" in story.spectask.trouble)
        assert not story.question.exists()
        await story.looked()
        story.clock.advance(5.0)
        await story.until(lambda: story.question.exists() and "same lines" in story.spectask.trouble)
    assert story.conflicts == [("requirements", PLANNER, HUMAN)]
