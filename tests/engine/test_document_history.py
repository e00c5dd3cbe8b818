"""Each text that a document had is found in git, under the names people know: its digest, and the version it became."""

import pytest

from specthread.agents.sandbox import probe
from specthread.domain import commands as c
from support.engine_world import ADA, REQUIREMENTS, plan, story_of, task, world
from support.git_fixture import isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


async def test_every_text_is_there_with_who_wrote_it_and_what_it_became(tmp_path, repository):
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", "pytest")), {})) as story:
        await story.create()
        await story.approve()
        live = story.spectask.documents["requirements"]
        edited = REQUIREMENTS.replace("their difference", "their exact difference").encode()
        edit = c.EditDocument(spectask=story.id, document="requirements", content=edited, expects=live.content, kind="human")
        await story.give(edit, ADA)
        await story.until(lambda spectask: not spectask.uncommitted)
        texts = await story.engine.in_git.versions_of(story.spectask, "requirements")
        assert [(text.content, text.author, text.version) for text in texts] == [
            (edited, "Ada Example", ""),
            (REQUIREMENTS.encode(), "Specthread plan-1", "v1"),
        ]
        assert texts[1].digest == story.spectask.versions[0].digests[0][1]
        assert await story.engine.in_git.versions_of(story.spectask, "none") == ()
