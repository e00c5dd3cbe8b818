import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.engine.settings import RepositorySettings
from support.engine_world import plan, story_of, task, world
from support.git_fixture import fingerprint, git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

FILES = {"src/one.py": "ONE = 1\n", "data/large.csv": "1,2\n", "top.txt": "t\n", ".gitignore": ".env\n"}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    checkout = make_repository(tmp_path / "checkout", FILES)
    (checkout / ".env").write_text("KEY=from-the-checkout\n")
    return checkout


def reviewed(spectask):
    return spectask.state == "implementation_review" and not spectask.uncommitted


async def briefed(story):
    envelopes = await story.engine.read_events(story.id, 0, story.session().id)
    return next(item.event.text for item in envelopes if type(item.event).__name__ == "RunBriefed")


async def shell_result(story):
    envelopes = await story.engine.read_events(story.id, 0, story.session().id)
    return next(item.event.content for item in envelopes if type(item.event).__name__ == "ToolFinished")


async def test_a_session_works_in_the_folders_it_needs_and_its_check_sees_everything(tmp_path, repository):
    check = "test -f data/large.csv && grep -q TWO src/two.py"
    look = (use("shell", command="git status --porcelain; ls -d data src top.txt"),)
    steps = (look, (use("write", path="src/two.py", text="TWO = 2\n"),), (use("finish", summary="Added two."),))
    before = fingerprint(repository)
    settings = RepositorySettings(sparse=("src",))
    tasks = plan(task(1, "Add two", check, files="src/two.py"))
    async with world(tmp_path, repository, story_of(tasks, {1: steps}), repository_settings=settings) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        seen = await shell_result(story)
        assert "src\ntop.txt" in seen
        assert "large.csv" not in seen
        assert "these folders are in your worktree: src." in await briefed(story)
        assert story.session().verification.outcome == "verified"
        assert story.session().verification.changed == ("src/two.py",)
        feature = f"spectask/{story.id}/feature"
        assert git(repository, "show", f"{feature}:data/large.csv") == "1,2"
        assert (
            git(tmp_path / "state" / "worktrees" / next((tmp_path / "state/worktrees").iterdir()).name / story.id / "ws-1", "status", "-s")
            == ""
        )
    assert fingerprint(repository) == before


async def test_allowed_ignored_files_are_there_for_the_work_and_its_check_and_in_no_commit(tmp_path, repository):
    check = "grep -q KEY .env && grep -q TWO src/two.py"
    steps = (
        (use("shell", command="cat .env"),),
        (use("shell", command="cp .env src/settings.env"),),
        (use("write", path="src/two.py", text="TWO = 2\n"),),
        (use("read", path=".gitignore"),),
        (use("write", path=".gitignore", text="nothing\n"),),
        (use("finish", summary="Added src/two.py; .gitignore no longer names it."),),
    )
    settings = RepositorySettings(include=(".env",))
    tasks = plan(task(1, "Add two", check, files="src/two.py, .gitignore"))
    async with world(tmp_path, repository, story_of(tasks, {1: steps}), repository_settings=settings) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        assert "KEY=from-the-checkout" in await shell_result(story)
        assert "copied from the human's checkout and are not committed, under another name neither;" in await briefed(story)
        verification = story.session().verification
        assert (verification.outcome, verification.dropped) == ("verified", (".env: copied-in", "src/settings.env: copied-in"))
        objects = git(repository, "rev-list", "--objects", "--all", f"--glob=spectask/{story.id}/*")
        assert not {".env", "src/settings.env"} & {line.partition(" ")[2] for line in objects.splitlines()}
        transcripts = [
            git(repository, "cat-file", "-p", line.split()[0])
            for line in objects.splitlines()
            if "/sessions/" in line and line.endswith(".md")
        ]
        assert any("KEY=[redacted]" in text for text in transcripts)
        assert not any("from-the-checkout" in text for text in transcripts)


async def test_nothing_is_copied_that_nobody_allowed(tmp_path, repository):
    (repository / ".worktreeinclude").write_text(".env\n")
    steps = ((use("shell", command="ls -a"),), (use("write", path="src/two.py", text="TWO = 2\n"),), (use("finish", summary="Added two."),))
    tasks = plan(task(1, "Add two", "grep -q TWO src/two.py", files="src/two.py"))
    async with world(tmp_path, repository, story_of(tasks, {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        assert ".env" not in (await shell_result(story)).splitlines()
        assert "Your worktree" not in await briefed(story)
