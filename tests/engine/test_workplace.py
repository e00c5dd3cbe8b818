"""Making a session's place, against real git: whichever step fails, nothing half-made is left where it ends, and what somebody put there stays."""

import asyncio
from dataclasses import replace

import pytest

from specthread.agents.retry import RetryPolicy
from specthread.agents.sandbox import probe
from specthread.agents.scripted import ScriptedModel, use
from specthread.domain import commands as c
from specthread.engine import workplace
from specthread.engine.effects import Effects
from specthread.plan.waiting import why_waiting
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

STEPS = range(4)
WORK = (use("write", path="one.py", text=""),), (use("finish", summary="Added one."),)
STORY = story_of(plan(task(1, "Add one", 'python3 -c "import one"', files="one.py")), {1: WORK})
QUICK = {"retry": RetryPolicy(attempts=None, base=0.01, cap=0.05)}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n", ".gitignore": "*.log\n"})


@pytest.fixture
def breaking(monkeypatch):
    """Lets a step fail, before or after it has done its work, until `faults` is emptied."""
    real, faults = workplace.workplace_steps, {}

    def steps(*given):
        return tuple(replace(step, do=lambda step=step, number=number: done(step, number)) for number, step in enumerate(real(*given)))

    def done(step, number):
        when, fault = faults.get(number, (None, None))
        if when == "before":
            raise fault
        step.do()
        if when == "after":
            raise fault

    monkeypatch.setattr(workplace, "workplace_steps", steps)
    return faults


def left_over(story, repository):
    """Returns the worktrees, folders and branches that are there for sessions."""
    state = [*(repository.parent / "state").rglob("ws-1"), *(repository.parent / "state").rglob("git-ws-1-*")]
    worktrees = [
        line
        for line in git(repository, "worktree", "list", "--porcelain").splitlines()
        if line.startswith("worktree ") and line.endswith("/ws-1")
    ]
    return state, worktrees, git(repository, "for-each-ref", "--format=%(refname)", f"refs/heads/spectask/{story.id}/ws-1")


async def until_failed(story):
    await story.until(lambda spectask: any(session.state == "failed" for session in spectask.sessions.values()))


async def until_given_back(story, repository):
    """Waits for the effect that was cancelled to end: it is over when the next one on the same run could begin."""
    while any(getattr(effect, "run", None) == story.session().id for effect in story.engine._effects._running):
        await story.engine._ports.changes.wait_change(story.id, 0.05)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_that_breaks_for_good_leaves_nothing_and_a_retry_makes_it_anew(tmp_path, repository, breaking, step, when):
    async with world(tmp_path, repository, STORY) as story:
        await story.create()
        breaking[step] = when, RuntimeError("a bug")
        await story.implement()
        await until_failed(story)
        assert "a bug" in story.session().reason
        assert left_over(story, repository) == ([], [], "")
        assert git(repository, "status", "--porcelain") == ""
        breaking.clear()
        await story.give(c.RetryRun(spectask=story.id, run=story.session().id))
        await story.until(lambda spectask: spectask.state == "implementation_review")


@pytest.mark.parametrize("step", STEPS)
async def test_a_fault_of_the_world_is_tried_again_and_what_was_made_is_kept(tmp_path, repository, breaking, step):
    async with world(tmp_path, repository, STORY, changes=QUICK) as story:
        await story.create()
        breaking[step] = "after", OSError("no space left on device")
        await story.implement()
        await story.until(lambda spectask: "no space left" in spectask.trouble)
        assert bool(left_over(story, repository)[1]) is (step > 0)
        breaking.clear()
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.trouble)


@pytest.mark.parametrize("step", STEPS)
async def test_a_human_who_cancels_what_cannot_be_made_finds_nothing_left(tmp_path, repository, breaking, step):
    async with world(tmp_path, repository, STORY, changes=QUICK) as story:
        await story.create()
        breaking[step] = "after", OSError("no space left on device")
        await story.implement()
        await story.until(lambda spectask: "no space left" in spectask.trouble)
        await story.give(c.CancelRun(spectask=story.id, run=story.session().id))
        await until_given_back(story, repository)
        assert left_over(story, repository) == ([], [], "")


@pytest.mark.parametrize("name", ["mine.txt", "mine.log"], ids=["seen by git", "ignored"])
async def test_what_somebody_put_into_a_worktree_stays_and_is_told(tmp_path, repository, breaking, name):
    async with world(tmp_path, repository, STORY, changes=QUICK) as story:
        await story.create()
        breaking[3] = "before", OSError("no space left on device")
        await story.implement()
        await story.until(lambda spectask: "no space left" in spectask.trouble)
        worktree = left_over(story, repository)[1][0].removeprefix("worktree ")
        (tmp_path / worktree / name).write_text("a human's\n")
        breaking[3] = "before", RuntimeError("a bug")
        await until_failed(story)
        assert f"{name}, which Specthread did not put there" in story.session().reason
        assert (tmp_path / worktree / name).read_text() == "a human's\n"


class SilentModel(ScriptedModel):
    """Plans, and then never says a word."""

    async def reply(self, request, on_text):
        if request.role != "planner":
            await asyncio.Event().wait()
        return await super().reply(request, on_text)


async def until_called(story):
    await story.create()
    await story.implement()
    await story.until(lambda spectask: bool(spectask.sessions) and story.session().open_call)


async def test_what_stays_of_a_cancelled_session_is_told(tmp_path, repository):
    async with world(tmp_path, repository, STORY, model=SilentModel(story=STORY)) as story:
        await until_called(story)
        worktree = left_over(story, repository)[1][0].removeprefix("worktree ")
        (tmp_path / worktree / "mine.txt").write_text("a human's\n")
        await story.give(c.CancelRun(spectask=story.id, run=story.session().id))
        await story.until(lambda _: "mine.txt, which Specthread did not put there" in story.session().reason)
        assert story.session().state == "cancelled"
        assert "mine.txt" in why_waiting(story.engine.visible, story.id)
        identifier = story.id
    async with world(tmp_path, repository, STORY) as story:
        story.id = identifier
        assert story.session().reason.count("mine.txt") == 1
        assert (tmp_path / worktree / "mine.txt").read_text() == "a human's\n"


async def test_what_a_daemon_that_died_had_not_given_back_goes_when_the_next_one_starts(tmp_path, repository, monkeypatch):
    async def died(*_):
        return ""

    with monkeypatch.context() as patched:
        patched.setattr(Effects, "_undo", died)
        async with world(tmp_path, repository, STORY, model=SilentModel(story=STORY)) as story:
            await until_called(story)
            await story.give(c.CancelRun(spectask=story.id, run=story.session().id))
            await until_given_back(story, repository)
            assert left_over(story, repository)[1] != []
            identifier = story.id
    async with world(tmp_path, repository, STORY) as story:
        story.id = identifier
        assert left_over(story, repository) == ([], [], "")


async def test_a_session_that_has_worked_keeps_its_place_when_it_is_cancelled(tmp_path, repository):
    asking = story_of(plan(task(1, "Add one", 'python3 -c "import one"', files="one.py")), {1: (WORK[0], (use("ask", question="Go?"),))})
    async with world(tmp_path, repository, asking) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().state == "waiting")
        await story.give(c.CancelRun(spectask=story.id, run=story.session().id))
        await until_given_back(story, repository)
        _, worktrees, branch = left_over(story, repository)
        assert (len(worktrees), branch) == (1, f"refs/heads/spectask/{story.id}/ws-1")
