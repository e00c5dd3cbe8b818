"""The gate before a provider, one call at a time and in crowds; time is virtual."""

import asyncio
from datetime import UTC, datetime

import pytest

from specthread.agents.backend import ModelError
from specthread.agents.breaker import Breaker
from specthread.agents.provider import Provider
from specthread.agents.throttle import Throttle
from specthread.agents.turns import tell
from specthread.domain.provider import waiting_sentences
from support.virtual_time import VirtualTime

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def provider(most=6, **options):
    time = VirtualTime()
    return Provider(name="models.example", throttle=Throttle(most=most), clock=time, sleep=time.sleep, **options), time


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


def entering(gate, *runs):
    return [asyncio.create_task(gate.enter(run), name=run) for run in runs]


def entered(tasks):
    return [task.get_name() for task in tasks if task.done() and not task.cancelled()]


async def test_calls_beyond_the_limit_wait_and_go_in_the_order_they_came():
    gate, _ = provider(most=2)
    tasks = entering(gate, "a", "b", "c", "d")
    await settle()
    assert entered(tasks) == ["a", "b"]
    tasks[1].result().leave()
    await settle()
    assert entered(tasks) == ["a", "b", "c"]
    tasks[3].cancel()
    await settle()
    assert gate.state(NOON).waiting == ()


async def test_the_turn_of_one_who_is_stopped_goes_to_the_next():
    gate, _ = provider(most=1)
    first, second, third = entering(gate, "a", "b", "c")
    await settle()
    second.cancel()
    first.result().leave()
    await settle()
    assert entered([second, third]) == ["c"]


async def test_whoever_was_refused_goes_before_those_who_came_later():
    gate, time = provider(most=1)
    first, second = entering(gate, "a", "b")
    await settle()
    first.result().refused("overloaded", 5.0)
    first.result().leave()
    again = entering(gate, "a")[0]
    async with time.passing():
        place = await again
    assert (time.now, second.done()) == (5.0, False)
    place.answered()
    place.leave()
    await settle()
    assert entered([second]) == ["b"]


@pytest.mark.parametrize(("named", "waited"), [(42.0, 42.0), (80_000.0, 60.0)])
async def test_nothing_leaves_before_the_time_an_answer_named_but_for_a_minute_at_most(named, waited):
    gate, time = provider()
    gate.hold(named)
    (task,) = entering(gate, "a")
    await settle()
    assert not task.done()
    async with time.passing():
        await task
    assert time.now == waited


async def test_an_open_circuit_lets_one_probe_through_and_its_answer_lets_all_go_on():
    gate, time = provider(breaker=Breaker(failures=2, first=10))
    for _ in range(2):
        place = await gate.enter("a")
        place.failed("The model server cannot be reached")
        place.leave()
    tasks = entering(gate, "a", "b", "c")
    await settle()
    assert entered(tasks) == []
    async with time.passing():
        await tasks[0]
        await settle()
        assert (time.now, entered(tasks), tasks[0].result().probe > 0) == (10.0, ["a"], True)
        tasks[0].result().answered()
        tasks[0].result().leave()
        await asyncio.gather(*tasks)
    assert time.now == 10.0


async def test_a_probe_that_fails_doubles_the_wait_and_one_that_is_stopped_hands_the_try_on():
    gate, time = provider(breaker=Breaker(failures=1, first=10, longest=15))
    waits = []
    async with time.passing():
        for _ in range(4):
            place = await gate.enter("a")
            waits.append(time.now)
            place.failed("down")
            place.leave()
        stopped = await gate.enter("a")
        stopped.leave()
        assert (await gate.enter("b")).probe > 0
    assert waits == [0.0, 10.0, 25.0, 40.0]


async def test_those_who_wait_can_be_told_in_a_sentence_what_for():
    gate, _ = provider(most=6)
    places = [await gate.enter(f"x-1/ws-{number}") for number in range(6)]
    for place in places:
        place.refused("overloaded", 40.0)
    (task,) = entering(gate, "x-1/ws-7")
    await settle()
    state = gate.state(NOON)
    assert (state.limit, state.most, state.free, state.in_flight) == (3, 6, 0, 6)
    assert waiting_sentences((state,)) == {
        "x-1/ws-7": "Waits for models.example: limit 3 of 6 after “overloaded”; tried again at 12:00:40."
    }
    task.cancel()


@pytest.mark.parametrize(("failures", "said"), [(1, "nothing is sent after “down”; tried again at 12:00:10"), (2, "")])
async def test_a_circuit_that_is_open_says_when_it_is_tried_again(failures, said):
    gate, _ = provider(breaker=Breaker(failures=failures))
    place = await gate.enter("a")
    place.failed("down")
    place.leave()
    assert gate.state(NOON).trouble == said


async def test_places_all_taken_are_a_sentence_too():
    gate, _ = provider(most=1)
    await gate.enter("x-1/ws-1")
    tasks = entering(gate, "x-1/ws-2", "x-1/ws-3")
    await settle()
    assert list(waiting_sentences((gate.state(NOON),)).values()) == [
        "Waits for models.example: its one place is taken.",
        "Waits for models.example: its one place is taken; 1 waits before it.",
    ]
    for task in tasks:
        task.cancel()


@pytest.mark.parametrize("sent", [True, False])
async def test_only_a_refusal_of_what_was_sent_is_an_answer_of_the_provider(sent):
    gate, _ = provider()
    place = await gate.enter("a")
    tell(place, ModelError("too_long", "Too long.", retryable=False, sent=sent), under_way=False)
    assert gate.has_answered == sent
