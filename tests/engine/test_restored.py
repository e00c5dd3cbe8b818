"""After going back to a backup, what git knows since then is neither done twice nor overwritten."""

from datetime import UTC, datetime

import pytest

from specthread.agents.scripted import use
from specthread.domain import commands as c
from specthread.engine.log_files import back_up, restore
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STORY = story_of(
    plan(task(1, "Add one", "python3 -c \"import one\"", files="one.py")),
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
