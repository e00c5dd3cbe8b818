"""The scheduler in a whole engine, on a real repository with a scripted model."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from specthread.agents.backend import ModelError
from specthread.agents.sandbox import probe
from specthread.agents.scripted import ScriptedModel, use
from specthread.domain import commands as c
from specthread.domain.events import RunInterrupted
from specthread.domain.model import State
from specthread.domain.run import WORKING_RUN_STATES
from specthread.domain.run_options import RunOptions
from specthread.domain.state import apply
from specthread.engine.engine import Engine
from specthread.engine.settings import RepositorySettings, Timeouts
from specthread.plan.waiting import tasks_for_a_yes, why_waiting
from support.engine_world import plan, story_of, task, world
from support.git_fixture import isolate_git, make_repository
from support.twenty_tasks import TWENTY

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "Files.\n"})


def a_file(number, **more):
    return task(number, f"Write file {number}", f"test -f f{number}.txt", files=f"f{number}.txt", **more)


def written(number):
    return ((use("write", path=f"f{number}.txt", text="x\n"),), (use("finish", summary="Done."),))


def script(*numbers, tasks=None):
    return story_of(tasks or plan(*map(a_file, numbers)), {number: written(number) for number in numbers})


def merged(spectask):
    return sum(each.state == "merged" for each in spectask.tasks.values())


async def most_at_work(story):
    """The most sessions that ever held a place at once, as the log tells it."""
    state, most = State(), 0
    for envelope in await story.engine.read_events(story.id):
        state = apply(state, envelope)
        working = sum(session.state in WORKING_RUN_STATES for session in state.spectasks[story.id].sessions.values())
        most = max(most, working)
    return most


async def test_of_twenty_tasks_never_more_than_six_are_at_work(tmp_path, repository):
    tasks = plan(*(a_file(each.number, depends=", ".join(each.depends) or "none") for each in TWENTY))
    async with world(tmp_path, repository, script(*(each.number for each in TWENTY), tasks=tasks)) as story:
        await story.create()
        await story.implement()
        for count in range(1, 21):
            await story.until(lambda spectask, count=count: merged(spectask) >= count)
        assert await most_at_work(story) == 6
        kinds = [type(item.event).__name__ for item in await story.engine.read_events(story.id)]
        assert kinds.count("SessionStarted") == 20


async def test_one_at_a_time_never_has_two_at_work(tmp_path, repository):
    async with world(tmp_path, repository, script(1, 2, 3)) as story:
        await story.create()
        await story.approve()
        await story.give(c.StartImplementation(spectask=story.id, limits=story.spectask.limits, options=RunOptions(mode="sequential")))
        await story.until(lambda spectask: merged(spectask) == 3)
        assert await most_at_work(story) == 1


async def test_a_yes_given_before_a_restart_still_counts_after_it(tmp_path, repository):
    async with world(tmp_path, repository, script(1, 2)) as story:
        await story.create()
        await story.approve()
        await story.give(c.StartImplementation(spectask=story.id, limits=story.spectask.limits, options=RunOptions(interactive=True)))
        await story.until(lambda spectask: tasks_for_a_yes(spectask) == ("1", "2"))
        await story.give(c.StartImplementation(spectask=story.id, limits=story.spectask.limits, tasks=("2",)))
        identifier = story.id
    async with world(tmp_path, repository, script(1, 2)) as story:
        story.id = identifier
        await story.until(lambda spectask: spectask.tasks["2"].state == "merged")
        assert story.spectask.tasks["1"].state == "open"
        assert tasks_for_a_yes(story.spectask) == ("1",)


class HangingModel(ScriptedModel):
    """Plans, and then never says a word."""

    async def reply(self, request, on_text):
        if request.role != "planner":
            await asyncio.Event().wait()
        return await super().reply(request, on_text)


@pytest.mark.parametrize("settings", [Timeouts(every=0.2), Timeouts(every=9e9, roles={"implementer": 0.2})], ids=["every", "role"])
async def test_a_session_whose_time_is_over_fails_and_says_so(tmp_path, repository, settings):
    model = HangingModel(story=script(1))
    async with world(tmp_path, repository, None, model=model, repository_settings=RepositorySettings(timeouts=settings)) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().state == "failed")
        assert story.session().reason.startswith("its time is over: it may take 0.2 seconds and was not done; `_Timeout:` in its task or")
        said = why_waiting(story.engine.visible, story.id)
        assert said.startswith("Task 1 is blocked: ws-1 failed: its time is over")


@pytest.mark.parametrize("set_back", [timedelta(0), timedelta(days=1)], ids=["", "the clock was set back"])
async def test_a_restart_tells_when_the_daemon_before_was_last_known_to_be_alive(tmp_path, repository, monkeypatch, set_back):
    ahead = [set_back]
    monkeypatch.setitem(Engine.__init__.__kwdefaults__, "now", lambda: datetime.now(UTC) + ahead[0])
    async with world(tmp_path, repository, None, model=HangingModel(story=script(1))) as story:
        await story.create("Something else")
        await story.until(lambda spectask: spectask.state == "spec_review" and not spectask.uncommitted)
        await story.until(lambda spectask: all(run.logged_turn == run.turn for run in spectask.plans))
        ahead[0] = timedelta(0)
        await story.create()
        await story.implement()
        await story.until(lambda spectask: any(session.open_call for session in spectask.sessions.values()))
        identifier = story.id
    async with world(tmp_path, repository, None, model=HangingModel(story=script(1))) as story:
        story.id = identifier
        events = await story.engine.read_events(story.id)
    first = next(place for place, envelope in enumerate(events) if isinstance(envelope.event, RunInterrupted))
    assert events[first].event.alive == events[first - 1].time < events[first].time


async def test_the_time_that_a_provider_lets_a_session_wait_is_not_its_own(tmp_path, repository):
    spoken = script(1)

    def busy(request):
        if request.role != "planner" and request.attempt == 1 and request.turn == 1:
            return ModelError("rate_limited", "too many", retryable=True, retry_after=3.0)
        return spoken(request)

    timeouts = RepositorySettings(timeouts=Timeouts(every=2.5))
    async with world(tmp_path, repository, busy, repository_settings=timeouts) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().ended is not None)
        assert (story.session().state, story.session().reason) == ("completed", "")


async def test_a_task_may_say_itself_how_long_it_may_take(tmp_path, repository):
    tasks = plan(f"{a_file(1)}  - _Timeout: 0.2s_\n")
    model = HangingModel(story=script(1, tasks=tasks))
    async with world(tmp_path, repository, None, model=model) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().state == "failed")
        assert "its time is over" in story.session().reason


def asking(number):
    return ((use("ask", question=f"Go on with {number}?"),), *written(number))


async def test_however_many_are_answered_tried_again_or_let_go_on_at_once_never_more_work_than_there_are_places(tmp_path, repository):
    tasks = plan(*map(a_file, range(1, 6)))
    script = story_of(tasks, {1: asking(1), 2: asking(2), 3: asking(3), 4: written(4), 5: written(5)})
    async with world(tmp_path, repository, script) as story:
        await story.create()
        await story.approve()
        await story.give(c.StartImplementation(spectask=story.id, limits=replace(story.spectask.limits, max_parallel=1)))
        await story.until(lambda spectask: merged(spectask) == 2 and all(story.session(n).state == "waiting" for n in (1, 2, 3)))
        await story.give(c.CancelRun(spectask=story.id, run=story.session(3).id))
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session(2).id, answer="Yes."))
        await story.give(c.PauseRun(spectask=story.id, run=story.session(2).id))
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session(1).id, answer="Yes."))
        await story.give(c.RetryRun(spectask=story.id, run=story.session(3).id))
        await story.give(c.ResumeRun(spectask=story.id, run=story.session(2).id))
        await story.give(c.PauseSpecTask(spectask=story.id))
        await story.give(c.ResumeSpecTask(spectask=story.id))
        await story.until(lambda spectask: merged(spectask) == 4 and story.session(3).state == "waiting")
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session(3).id, answer="Yes."))
        await story.until(lambda spectask: merged(spectask) == 5)
        assert await most_at_work(story) == 1


async def test_who_waits_for_a_place_to_go_on_gets_it_after_a_restart_too(tmp_path, repository):
    tasks = plan(a_file(1), a_file(2))
    script = story_of(tasks, {1: asking(1), 2: asking(2)})
    async with world(tmp_path, repository, script) as story:
        await story.create()
        await story.implement()
        await story.until(
            lambda spectask: len(spectask.sessions) == 2 and all(each.state == "waiting" for each in spectask.sessions.values())
        )
        await story.give(c.PauseSpecTask(spectask=story.id))
        for number in (1, 2):
            await story.give(c.AnswerQuestion(spectask=story.id, run=story.session(number).id, answer="Yes."))
        await story.until(lambda spectask: all(each.state == "pending" for each in spectask.sessions.values()))
        identifier = story.id
    async with world(tmp_path, repository, script) as story:
        story.id = identifier
        await story.give(c.ResumeSpecTask(spectask=story.id))
        await story.until(lambda spectask: merged(spectask) == 2)
