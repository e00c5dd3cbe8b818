"""Secrets in what an agent wrote: it goes back, and no history that is merged tells them."""

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.engine.leaks import Leaks
from specthread.engine.settings import RepositorySettings
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

SUB = 'python3 -c "import calc; assert calc.sub(3, 1) == 2"'
GOOD = "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n"
KEY = "ghp_" + "a1b2" * 6
VALUE = "tiger-lily-4711"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"calc.py": "def add(a, b):\n    return a + b\n", ".gitignore": ".env\n"})


def leaking(text):
    return (
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text=f"{GOOD}\n{text}\n"),),
        (use("finish", summary="Added sub."),),
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text=GOOD),),
        (use("finish", summary="Took it out."),),
    )


async def backs(story):
    events = [item.event for item in await story.engine.read_events(story.id, 0, story.session().id)]
    return [event.text for event in events if type(event).__name__ == "SessionSentBack"]


@pytest.mark.parametrize("secret", [KEY, VALUE])
async def test_a_secret_in_the_work_goes_back_with_its_place_and_is_in_no_history_that_is_merged(tmp_path, repository, secret):
    (repository / ".env").write_text(f"DATABASE_PASSWORD={VALUE}\n")
    given = RepositorySettings(include=(".env",))
    story_told = story_of(plan(task(1, "Add sub", SUB)), {1: leaking(f'TOKEN = "{secret}"')})
    async with world(tmp_path, repository, story_told, repository_settings=given) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review")
        (back,) = await backs(story)
        assert "calc.py:8" in back
        assert secret not in back
        assert secret not in git(repository, "log", "-p", "-m", f"spectask/{story.id}/feature")


async def test_a_secret_that_stood_there_before_is_not_the_work_of_the_session(tmp_path, repository):
    (repository / "calc.py").write_text(f'def add(a, b):\n    return a + b\n\n\nTOKEN = "{KEY}"\n')
    git(repository, "commit", "-qam", "A key of the project's own")
    steps = (
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text=f'{GOOD}\n\nTOKEN = "{KEY}"\n'),),
        (use("finish", summary="Added sub."),),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review")
        assert await backs(story) == []


async def test_settings_of_editors_and_agents_are_shown_to_the_person(tmp_path, repository):
    steps = (
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text=GOOD), use("write", path="docs/.vscode/tasks.json", text="{}\n")),
        (use("finish", summary="Added sub, and docs/.vscode/tasks.json for editors."),),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review")
        assert "changes what other tools do here: docs/.vscode/tasks.json" in story.session().verification.evidence


def test_of_many_places_a_few_are_told():
    told = Leaks(places=tuple(f"some/folder/file.py:{line}" for line in range(9_000)), clean=None, merged=None).objection
    assert "in some/folder/file.py:0, some" in told
    assert len(told) < 2_500
