"""What a person must be able to rely on when the world around the daemon is not as it was."""

import pytest

from specthread.domain import commands as c
from specthread.domain.model import Refusal
from support.engine_world import ADA, plan, story_of, task, world
from support.git_fixture import commit_files, git, isolate_git, make_repository

CHECK = 'python3 -c "import one"'


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "Hi\n"})


def planned():
    return story_of(plan(task(1, "Add one", CHECK, files="one.py")), {})


def in_review(spectask):
    return spectask.state == "spec_review" and not spectask.uncommitted


async def test_a_trouble_ends_with_its_cause_even_after_a_restart(tmp_path, repository):
    async with world(tmp_path, repository, planned()) as story:
        await story.create()
        await story.until(in_review)
        identifier = story.id
        repository.rename(tmp_path / "away")
        comment = c.Remark(comment="c-1", quote="", section="", line=1, text="Why?")
        await story.give(c.AddComment(spectask=story.id, document="design", remark=comment))
        await story.until(lambda spectask: spectask.trouble)
    (tmp_path / "away").rename(repository)
    async with world(tmp_path, repository, planned()) as story:
        story.id = identifier
        await story.until(lambda spectask: not spectask.trouble and not spectask.uncommitted)


async def test_what_was_saved_and_not_taken_is_not_approved_in_other_words(tmp_path, repository):
    async with world(tmp_path, repository, planned()) as story:
        await story.create()
        await story.until(in_review)
        file = story.engine.desk_path(story.id) / story.spectask.documents["design"].path
        await story.until(lambda _: file.exists())
        buffers = story.engine.buffers(story.id)
        buffers.hold("design", "vim", file.read_bytes())
        buffers.hold("design", "vim", b"# Design\n\n## Overview\n\nMine.\n")
        live = story.spectask.documents["design"].content
        theirs = c.EditDocument(spectask=story.id, document="design", content=live.replace(b"One", b"No"), expects=live, kind="human")
        await story.give(theirs)
        file.write_bytes(b"# Design\n\n## Overview\n\nMine.\n")
        buffers.save("design", "vim")
        await story.until(lambda spectask: "same lines" in spectask.trouble)
        documents = tuple((name, document.digest) for name, document in story.spectask.documents.items())
        answer = await story.engine.submit(c.Submission(command=c.ApproveDocuments(spectask=story.id, documents=documents), actor=ADA))
        assert isinstance(answer, Refusal)
        assert (answer.code, "design" in answer.message) == ("unsettled-save", True)


async def test_a_target_that_moved_is_noticed_with_what_would_conflict(tmp_path, repository):
    async with world(tmp_path, repository, planned()) as story:
        await story.create()
        await story.approve()
        commit_files(repository, {"two.py": ""}, "Two")
        moved = await story.engine.in_git.target_moved(story.spectask)
        assert (moved.behind, moved.conflicts) == (1, ())
        commit_files(repository, {story.spectask.documents["design"].path: "other\n"}, "Three")
        moved = await story.engine.in_git.target_moved(story.spectask)
        assert (moved.behind, moved.conflicts) == (2, (story.spectask.documents["design"].path,))


async def test_where_the_feature_branch_stands_is_read_from_git(tmp_path, repository):
    async with world(tmp_path, repository, planned()) as story:
        await story.create()
        await story.approve()
        branch = f"refs/heads/spectask/{story.id}/feature"
        assert await story.engine.in_git.feature_tip(story.spectask) == story.spectask.feature
        git(repository, "update-ref", "-d", branch)
        assert await story.engine.in_git.feature_tip(story.spectask) == ""
