import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.domain import commands as c
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

CHECK = 'python3 -c "import one"'
IDLE = (use("finish", summary="Nothing to do."),)
WORK = (use("write", path="one.py", text=""),), (use("finish", summary="Added one."),)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


def failed(spectask):
    return any(session.state == "failed" for session in spectask.sessions.values())


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_retry_goes_on_in_the_same_worktree_and_a_fresh_one_archives_it_first(tmp_path, repository, fresh):
    first = (use("write", path="left.txt", text="from the first try\n"),), (use("finish", summary="Tried."),)
    sessions = {1: (*first, IDLE)}
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", CHECK, files="one.py, left.txt")), sessions)) as story:
        await story.create()
        await story.implement()
        await story.until(failed)
        sessions[1] = WORK
        await story.give(c.RetryRun(spectask=story.id, run=story.session().id, fresh=fresh))
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
        session = story.session()
        assert (session.attempt, session.state) == (2, "completed")
        paths = git(repository, "ls-tree", "-r", "--name-only", f"spectask/{story.id}/feature").splitlines()
        assert ("left.txt" in paths) is not fresh
        archived = git(repository, "for-each-ref", "--format=%(refname)", "refs/specthread/archive")
        assert archived == (f"refs/specthread/archive/{story.id}/ws-1/1" if fresh else "")
        if fresh:
            assert git(repository, "show", f"{archived}:left.txt") == "from the first try"
        transcripts = git(repository, "ls-tree", "-r", "--name-only", f"spectask/{story.id}/specs").count("sessions/ws-1/")
        assert transcripts == session.turn


async def test_pausing_stops_a_session_where_it_is_and_resuming_goes_on(tmp_path, repository):
    async with world(
        tmp_path, repository, story_of(plan(task(1, "Add one", CHECK, files="one.py")), {1: ((use("ask", question="Go?"),), *WORK)})
    ) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().state == "waiting" and not spectask.uncommitted)
        await story.give(c.PauseSpecTask(spectask=story.id))
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session().id, answer="Go."))
        await story.until(lambda spectask: story.session().state == "pending" and not spectask.uncommitted)
        calls = story.session().spend.calls
        await story.give(c.SayToRun(spectask=story.id, run=story.session().id, text="Take your time."))
        assert story.session().spend.calls == calls
        await story.give(c.ResumeSpecTask(spectask=story.id))
        await story.until(lambda spectask: spectask.state == "implementation_review")
