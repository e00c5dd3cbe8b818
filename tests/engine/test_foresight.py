import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain.foresight import foreseen_for
from specthread.engine import foresight
from support.engine_world import plan, story_of, task, world
from support.git_fixture import fingerprint, git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

CHECK = 'python3 -c "import names"'


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    monkeypatch.setattr(foresight, "EVERY", 0.01)
    return make_repository(tmp_path / "checkout", {"names.py": "ALL = []\n", "README.md": "Names.\n"})


def steps(text, then):
    return (use("write", path="both.py", text=text),), (use("ask", question="Go on?"),), *then


def conflict(spectask):
    return {pair: known.paths for pair, known in spectask.foreseen.items() if known.paths}


async def test_two_sessions_that_would_conflict_are_told_before_either_is_merged(tmp_path, repository):
    tasks = plan(task(1, "Add one", CHECK, files="both.py"), task(2, "Add two", CHECK, files="both.py"))
    finish = (use("finish", summary="Done."),)
    settled = (
        (use("read", path="both.py"),),
        (use("write", path="both.py", text="ALL = ['one']\n"),),
        (use("ask", question="Still?"),),
        finish,
    )
    script = story_of(tasks, {1: steps("ALL = ['one']\n", (finish,)), 2: steps("ALL = ['two']\n", settled)})
    heard = []

    def recorded(request):
        heard.append(str(request))
        return script(request)

    before = fingerprint(repository)
    async with world(tmp_path, repository, recorded) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(conflict(spectask)))
        one, two = f"{story.id}/ws-1", f"{story.id}/ws-2"
        assert conflict(story.spectask) == {(one, two): ("both.py",)}
        await story.until(lambda spectask: all(each.state == "waiting" and not spectask.uncommitted for each in spectask.sessions.values()))
        told = [item.event for item in await story.engine.read_events(story.id) if isinstance(item.event, e.MessageSent)]
        assert {message.run for message in told} == {one, two}
        assert len(told) == 2
        assert not any("Looking ahead" in request for request in heard)
        # The other one goes on, hears of it, and writes what does not conflict.
        await story.give(c.AnswerQuestion(spectask=story.id, run=two, answer="Yes."))
        await story.until(lambda spectask: story.session(2).state == "waiting" and story.session(2).question.text == "Still?")
        assert any("Looking ahead" in request and "ws-1 (task 1: Add one), in both.py" in request for request in heard)
        await story.until(lambda spectask: not foreseen_for(spectask, one))
        kinds = [type(item.event).__name__ for item in await story.engine.read_events(story.id)]
        assert (kinds.count("ConflictForeseen"), kinds.count("ConflictPassed"), kinds.count("MessageSent")) == (1, 1, 2)
        assert "Looking ahead" in str(await story.engine.read_events(story.id, 0, one))
    assert git(repository, "for-each-ref", "--format=%(refname)", "refs/specthread") == ""
    assert fingerprint(repository) == before
    assert not list((tmp_path / "state" / "scratch").rglob("foresight"))


async def test_a_look_that_fails_stops_nobody(tmp_path, repository, monkeypatch):
    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(foresight.Foresight, "look", broken)
    tasks = plan(
        task(1, "Add one", 'python3 -c "import one"', files="one.py"), task(2, "Add two", 'python3 -c "import two"', files="two.py")
    )
    sessions = {
        number: ((use("write", path=f"{name}.py", text=""),), (use("finish", summary=f"Added {name}."),))
        for number, name in ((1, "one"), (2, "two"))
    }
    async with world(tmp_path, repository, story_of(tasks, sessions)) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review")
        assert story.spectask.trouble == ""
