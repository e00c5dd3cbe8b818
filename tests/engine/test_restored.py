"""After going back to a backup, what git knows since then is neither done twice nor overwritten."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from specthread.agents.scripted import use
from specthread.domain import commands as c
from specthread.domain.react import wanted
from specthread.engine import engine as engine_module
from specthread.engine import ports
from specthread.engine.log import EventLog
from specthread.engine.log_files import back_up, restore
from specthread.engine.overtaken import is_overtaken
from specthread.engine.rebuilding import Rebuilt
from specthread.engine.replaying import replayed
from specthread.plan.waiting import why_waiting
from specthread.views.progress import needs
from support.engine_world import ADA, plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STORY = story_of(
    plan(task(1, "Add one", 'python3 -c "import one"', files="one.py")),
    {1: ((use("write", path="one.py", text="ONE = 1\n"),), (use("finish", summary="Added one."),))},
)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "Names.\n"})


async def reviewed(story):
    await story.create()
    await story.until(lambda spectask: spectask.state == "spec_review" and not spectask.uncommitted)


async def test_a_record_that_git_got_after_the_backup_is_found_there(tmp_path, repository):
    log = tmp_path / "events.db"
    async with world(tmp_path, repository, STORY) as story:
        await reviewed(story)
        documents = tuple((name, document.digest) for name, document in story.spectask.documents.items())
        await story.give(c.ApproveDocuments(spectask=story.id, documents=documents))
        back_up(log, tmp_path / "copy.db")
        await story.until(lambda spectask: spectask.state == "approved" and not spectask.uncommitted)
        before, feature = story.id, story.spectask.feature
    commits = git(repository, "rev-list", "--count", f"spectask/{before}/specs")
    restore(log, tmp_path / "copy.db", now=NOW)
    async with world(tmp_path, repository, STORY) as story:
        story.id = before
        await story.until(lambda spectask: spectask.state == "approved" and not spectask.uncommitted)
        assert (story.spectask.feature, dict(story.spectask.troubles)) == (feature, {})
        assert git(repository, "rev-list", "--count", f"spectask/{before}/specs") == commits


async def test_what_git_has_taken_further_is_held_and_then_read_back(tmp_path, repository):
    log = tmp_path / "events.db"
    async with world(tmp_path, repository, STORY) as story:
        await reviewed(story)
        back_up(log, tmp_path / "copy.db")
        design = story.spectask.documents["design"].content
        edit = c.EditDocument(spectask=story.id, document="design", content=design + b"\nBy Ada.\n", expects=design, kind="human")
        await story.give(edit)
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
        before, desk = story.spectask, story.engine.desk_path(story.id)
    restore(log, tmp_path / "copy.db", now=NOW)
    refs = git(repository, "for-each-ref")
    files = {path: path.read_bytes() for path in desk.rglob("*.md")}
    for _ in range(2):  # it stays so over another start
        async with world(tmp_path, repository, STORY) as story:
            story.id = before.id
            told = why_waiting(story.engine.visible, story.id)
            assert told.endswith(f"`specthread rebuild {story.id}` takes that over.")
            assert [need.text for need in needs(story.spectask)] == [told]
            answer = await story.engine.submit(c.Submission(command=replace(edit, expects=design), actor=ADA))
            assert (answer.code, f"rebuild {story.id}" in answer.message) == ("overtaken", True)
            assert wanted(story.spectask) == frozenset()
        assert git(repository, "for-each-ref") == refs
        assert {path: path.read_bytes() for path in desk.rglob("*.md")} == files
    async with world(tmp_path, repository, STORY) as story:
        story.id = before.id
        assert await story.engine.in_git.rebuild(repository, ADA, story.id) == (Rebuilt(spectask=story.id, outcome="rebuilt"),)
        after = story.spectask
        assert (after.state, after.feature, after.final) == ("implementation_review", before.feature, before.final)
        assert after.documents["design"].content == before.documents["design"].content
        await story.give(c.AcceptSpecTask(spectask=story.id, feature=after.final))
        await story.until(lambda spectask: spectask.state == "done" and not spectask.uncommitted)
    assert replayed_state(log).spectasks[before.id].state == "done"


async def test_one_that_was_archived_after_the_backup_is_held_too(tmp_path, repository):
    log = tmp_path / "events.db"
    async with world(tmp_path, repository, STORY) as story:
        await reviewed(story)
        await story.give(c.CancelSpecTask(spectask=story.id))
        await story.until(lambda spectask: not spectask.uncommitted and all(run.turn == run.logged_turn for run in spectask.plans))
        back_up(log, tmp_path / "copy.db")
        await story.give(c.ArchiveSpecTask(spectask=story.id))
        await story.until(lambda spectask: spectask.put_away)
        before = story.id
    restore(log, tmp_path / "copy.db", now=NOW)
    async with world(tmp_path, repository, STORY) as story:
        story.id = before
        assert story.spectask.overtaken
        await story.engine.in_git.rebuild(repository, ADA)
        assert (story.spectask.state, story.spectask.put_away) == ("archived", True)


async def test_a_restored_log_that_git_does_not_go_beyond_goes_on(tmp_path, repository):
    log = tmp_path / "events.db"
    async with world(tmp_path, repository, STORY) as story:
        await reviewed(story)
        before = story.id
    back_up(log, tmp_path / "copy.db")
    restore(log, tmp_path / "copy.db", now=NOW)
    for _ in range(2):
        async with world(tmp_path, repository, STORY) as story:
            story.id = before
            assert not story.spectask.overtaken
            if story.spectask.state == "spec_review":
                await story.implement()
            await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)


async def test_where_a_repository_cannot_be_looked_at_nothing_is_done_before_it_was(tmp_path, repository):
    log = tmp_path / "events.db"
    async with world(tmp_path, repository, STORY) as story:
        await reviewed(story)
        back_up(log, tmp_path / "copy.db")
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
        before = story.id
    restore(log, tmp_path / "copy.db", now=NOW)
    refs = git(repository, "for-each-ref")
    repository.rename(tmp_path / "away")
    async with world(tmp_path, repository, STORY) as story:
        story.id = before
        assert not story.spectask.overtaken
        (tmp_path / "away").rename(repository)
        await story.until(lambda spectask: spectask.overtaken)
    assert git(repository, "for-each-ref") == refs


@pytest.fixture
def compared(monkeypatch):
    """The SpecTasks that were compared with git, one after the other."""
    seen = []

    def look(repository, spectask, is_known):
        seen.append(spectask.id)
        return is_overtaken(repository, spectask, is_known)

    monkeypatch.setattr(ports, "is_overtaken", look)
    return seen


@pytest.fixture
async def restored(tmp_path, repository):
    """Makes a restored log of two SpecTasks that git has not taken further."""
    async with world(tmp_path, repository, STORY) as story:
        await reviewed(story)
        await reviewed(story)
    back_up(tmp_path / "events.db", tmp_path / "copy.db")
    restore(tmp_path / "events.db", tmp_path / "copy.db", now=NOW)


async def start(folder, repository):
    async with world(folder, repository, STORY):
        pass


async def test_a_restored_log_is_compared_with_git_once(tmp_path, repository, restored, compared):
    await start(tmp_path, repository)
    assert len(set(compared)) == len(compared) == 2
    await start(tmp_path, repository)
    assert len(compared) == 2
    restore(tmp_path / "events.db", tmp_path / "copy.db", now=NOW.replace(hour=10))
    await start(tmp_path, repository)
    assert sorted(compared) == sorted([*compared[:2]] * 2)


async def test_what_was_not_compared_before_a_kill_is_compared_by_the_next_start(tmp_path, repository, restored, compared, monkeypatch):
    look = ports.is_overtaken

    def look_and_die(repository, spectask, is_known):
        if compared:
            back_up(tmp_path / "events.db", tmp_path / "killed.db")  # what a kill at this moment leaves
        return look(repository, spectask, is_known)

    monkeypatch.setattr(ports, "is_overtaken", look_and_die)
    await start(tmp_path, repository)
    (tmp_path / "killed.db").replace(tmp_path / "events.db")
    monkeypatch.setattr(ports, "is_overtaken", look)
    await start(tmp_path, repository)
    assert compared[2:] == [compared[1]]


async def test_a_daemon_starts_though_it_cannot_note_what_it_compared(tmp_path, repository, restored, compared, monkeypatch):
    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(engine_module, "note_compared", full)
    await start(tmp_path, repository)
    monkeypatch.undo()
    async with world(tmp_path, repository, STORY) as story:
        assert not any(spectask.overtaken for spectask in story.engine.visible.spectasks.values())


def replayed_state(path):
    log = EventLog.open(path, host="test")
    try:
        return replayed(log)[0]
    finally:
        log.discard()
