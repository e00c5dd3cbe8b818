"""A person is asked before something is done, through the real engine: the session waits, keeps its place in the call, and goes on with the answer."""

import pytest

from specthread.agents.permissions import Permissions
from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.agents.turns import MessagesBackend
from specthread.domain import commands as c
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

CHECK = 'python3 -c "import one"'
STEPS = (
    (use("shell", command="echo ran >> log.txt; echo 1 > one.py"),),
    (use("finish", summary="Added one, and log.txt for the record."),),
)
ASKING = {"permissions": Permissions(ask=("shell(echo *)",))}
BARE = {"lacks_sandbox": lambda: "bubblewrap is not installed."}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


def script(*steps):
    return story_of(plan(task(1, "Add one", CHECK, files="one.py, log.txt")), {1: steps or STEPS})


def asks(story):
    def reached(spectask):
        session = spectask.sessions.get(f"{story.id}/ws-1")
        return bool(session and session.question and not session.question.answer_seq and session.state == "waiting")

    return reached


async def answer(story, text):
    await story.give(c.AnswerQuestion(spectask=story.id, run=story.session().id, answer=text))


def written(tmp_path):
    files = list((tmp_path / "state" / "worktrees").glob("*/*/ws-1/log.txt"))
    return files[0].read_text() if files else ""


def results(envelopes):
    return [item.event.content for item in envelopes if type(item.event).__name__ == "ToolFinished"]


needs_bubblewrap = pytest.mark.skipif(not probe().available, reason=probe().reason)


@needs_bubblewrap
async def test_a_command_that_is_asked_about_runs_once_and_only_after_a_yes(tmp_path, repository, monkeypatch):
    begun = []
    run = MessagesBackend.run
    monkeypatch.setattr(MessagesBackend, "run", lambda self, work, *given: begun.append(work.run) or run(self, work, *given))
    async with world(tmp_path, repository, script(), changes=ASKING) as story:
        await story.create()
        await story.implement()
        await story.until(asks(story))
        question = story.session().question
        assert (question.kind, question.choices) == ("permission", ("once", "always here", "no"))
        assert "echo ran >> log.txt" in question.text
        assert written(tmp_path) == ""
        calls = story.session().spend.calls
        await answer(story, "once")
        await story.until(lambda spectask: spectask.state == "implementation_review")
        assert git(repository, "show", f"spectask/{story.id}/feature:log.txt") == "ran"
        # The agent was not stopped meanwhile, and nothing was said twice to its model.
        assert (story.session().spend.calls, begun.count(story.session().id)) == (calls + 1, 1)


@needs_bubblewrap
async def test_a_no_is_told_to_the_agent_with_its_reason_and_nothing_runs(tmp_path, repository):
    steps = (STEPS[0], (use("write", path="one.py", text=""),), STEPS[1])
    async with world(tmp_path, repository, script(*steps), changes=ASKING) as story:
        await story.create()
        await story.implement()
        await story.until(asks(story))
        await answer(story, "No, write the file instead")
        await story.until(lambda spectask: spectask.state == "implementation_review")
        told = results(await story.engine.read_events(story.id, 0, story.session().id))[0]
        assert told == "This was not done. The person did not permit this: write the file instead"


@needs_bubblewrap
async def test_what_is_denied_is_refused_without_a_question(tmp_path, repository):
    steps = ((use("read", path="README.md"),), (use("write", path="one.py", text=""),), STEPS[1])
    denied = {"permissions": Permissions(deny=("read(README.md)",))}
    async with world(tmp_path, repository, script(*steps), changes=denied) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review")
        assert "settings forbid this" in results(await story.engine.read_events(story.id, 0, story.session().id))[0]


@needs_bubblewrap
@pytest.mark.parametrize("answered_first", [False, True])
async def test_a_question_outlives_the_daemon_and_its_answer_counts_once(tmp_path, repository, answered_first):
    async with world(tmp_path, repository, script(), changes=ASKING) as story:
        await story.create()
        await story.implement()
        await story.until(asks(story))
        identifier = story.id
        if answered_first:
            # Paused, so that the answer is in git and nothing has gone on with it when the daemon ends.
            await story.give(c.PauseSpecTask(spectask=identifier))
            await answer(story, "once")
            await story.until(lambda spectask: story.session().state == "pending")
    assert written(tmp_path) == ""
    async with world(tmp_path, repository, script(), changes=ASKING) as story:
        story.id = identifier
        if answered_first:
            await story.give(c.ResumeSpecTask(spectask=identifier))
        else:
            assert asks(story)(story.spectask)
            await answer(story, "once")
        await story.until(lambda spectask: spectask.state == "implementation_review")
        told = results(await story.engine.read_events(identifier, 0, story.session().id))
        assert "exit code 0" in told[0]
        used = [item for item in await story.engine.read_events(identifier) if type(item.event).__name__ == "PermissionUsed"]
        assert len(used) == 1


async def test_without_a_sandbox_each_command_and_the_check_are_asked_about_and_labelled(tmp_path, repository):
    async with world(tmp_path, repository, script(), changes=BARE) as story:
        await story.create()
        await story.implement()
        for piece in ("echo ran", CHECK):
            await story.until(asks(story))
            assert story.session().question.text.startswith("Without a sandbox")
            assert piece in story.session().question.text
            await answer(story, "always here")
            await story.until(lambda spectask: not (story.session().question and not story.session().question.answer_seq))
        await story.until(lambda spectask: spectask.state == "implementation_review")
        assert story.session().verification.unprotected
        assert any("UNSANDBOXED" in line for line in await story.engine.in_git.cautions(story.spectask))


async def test_without_a_sandbox_an_unanswered_check_is_not_run(tmp_path, repository):
    steps = ((use("write", path="one.py", text=""),), (use("finish", summary="Added one."),))
    check = f"touch {tmp_path}/escaped"
    story_script = story_of(plan(task(1, "Add one", check, files="one.py")), {1: steps})
    async with world(tmp_path, repository, story_script, changes=BARE) as story:
        await story.create()
        await story.implement()
        await story.until(asks(story))
        assert check in story.session().question.text
        await answer(story, "no")
        await story.until(lambda spectask: bool(story.session().verification))
        assert story.session().verification.outcome == "cannot-run"
    assert not (tmp_path / "escaped").exists()
