"""A provider that holds the sessions of an engine back: they wait, say so, and go on by themselves."""

import asyncio
from datetime import UTC, datetime

import pytest

from specthread.agents.backend import ModelError
from specthread.agents.breaker import Breaker
from specthread.agents.provider import Provider
from specthread.agents.scripted import replies_before
from specthread.agents.throttle import Throttle
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain.provider import waiting_sentences
from specthread.plan.capacity import Crowd
from specthread.plan.waiting import why_waiting
from specthread.protocol.convert import summary_view
from support.engine_world import plan, story_of, task, world
from support.git_fixture import isolate_git, make_repository
from support.virtual_time import VirtualTime

PLAN = story_of(plan(task(1, "Add one", "false", files="one.py")), {})


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


def stumbling(*faults):
    """Returns a story in which the first calls of the second turn fail, one after the other."""
    left = list(faults)

    def story(request):
        return left.pop(0) if replies_before(request) == 1 and left else PLAN(request)

    return story


def kinds(envelopes):
    return [
        type(envelope.event).__name__ for envelope in envelopes if isinstance(envelope.event, e.CallStarted | e.CallFinished | e.CallLost)
    ]


async def until_waiting(engine):
    async with asyncio.timeout(30):
        while not any(provider.waiting for provider in engine.providers):  # noqa: ASYNC110  no event tells of it
            await asyncio.sleep(0.01)


async def test_a_planner_that_is_told_to_wait_says_until_when_has_started_no_call_and_goes_on_by_itself(tmp_path, repository):
    time = VirtualTime()
    provider = Provider(name="models.example", throttle=Throttle(most=6), clock=time, sleep=time.sleep)
    busy = ModelError("overloaded", "Overloaded.", retryable=True, retry_after=1800.0)
    async with world(tmp_path, repository, stumbling(busy), provider=provider) as story:
        await story.create()
        await until_waiting(story.engine)
        (state,) = story.engine.providers
        (run,) = state.waiting
        assert run == f"{story.id}/plan-1"
        assert 1795 < (state.again - datetime.now(state.again.tzinfo)).total_seconds() <= 1800
        held = Crowd(held=waiting_sentences((state,)))
        said = why_waiting(story.engine.visible, story.id, held)
        assert said == why_waiting(story.engine.visible, run, held)
        assert said == f"Waits for models.example: limit 1 of 6 after “overloaded”; tried again at {state.again:%H:%M:%S}."
        assert state.free == 0
        assert kinds(await story.engine.read_events(story.id)) == ["CallStarted", "CallFinished", "CallStarted", "CallLost"]
        async with time.passing():
            await story.until(lambda spectask: spectask.state == "spec_review")
        assert (time.now, story.engine.providers[0].free > 0) == (1800.0, True)


async def test_a_server_that_is_down_is_asked_by_one_probe_and_nobody_fails_once_that_is_known(tmp_path, repository):
    time = VirtualTime()
    breaker = Breaker(failures=2, first=10, longest=40)
    provider = Provider(name="models.example", breaker=breaker, clock=time, sleep=time.sleep)
    down = ModelError("connection", "The model server cannot be reached: refused.", retryable=True, retry_after=0.0)
    async with world(tmp_path, repository, stumbling(*[down] * 8), provider=provider) as story:
        await story.create()
        await until_waiting(story.engine)
        (said,) = waiting_sentences(story.engine.providers).values()
        assert said.startswith(
            "Waits for models.example: nothing is sent after “The model server cannot be reached: refused”; tried again at "
        )
        async with time.passing():
            await story.until(lambda spectask: spectask.state == "spec_review")
        assert time.now == 10 + 20 + 40 * 5
        assert story.engine.providers[0].trouble == ""


async def test_a_key_that_is_refused_in_the_middle_is_asked_for_once_and_the_work_goes_on_when_one_works(tmp_path, repository):
    time = VirtualTime()
    provider = Provider(name="models.example", clock=time, sleep=time.sleep)
    refused = ModelError("auth", "The key was refused. Put a working one there.", retryable=False)
    async with world(tmp_path, repository, stumbling(*[refused] * 3), provider=provider) as story:
        await story.create()
        await until_waiting(story.engine)
        spectask = story.spectask
        (need,) = summary_view(story.engine.visible, spectask, datetime.now(UTC), story.engine.crowd).needs
        assert (need.kind, need.text) == ("trouble", "The key was refused. Put a working one there.")
        assert (spectask.state, spectask.plans[-1].state) == ("planning", "running")
        async with time.passing():
            await story.until(lambda spectask: spectask.state == "spec_review")
        assert story.engine.crowd.asks == {}
        assert not any(need.kind == "trouble" for need in summary_view(story.engine.visible, story.spectask, datetime.now(UTC)).needs)


async def test_a_run_that_waits_can_be_stopped_and_gives_its_turn_away(tmp_path, repository):
    provider = Provider(throttle=Throttle(most=1))
    place = await provider.enter("somebody-else/ws-1")
    async with world(tmp_path, repository, PLAN, provider=provider) as story:
        await story.create()
        await until_waiting(story.engine)
        await story.give(c.CancelSpecTask(spectask=story.id))
        async with asyncio.timeout(30):
            while provider.state(datetime.now(UTC)).waiting:  # noqa: ASYNC110  no event tells of it
                await asyncio.sleep(0.01)
        assert kinds(await story.engine.read_events(story.id)) == []
        place.leave()
