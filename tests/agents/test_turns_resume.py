import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from specthread.agents.backend import ModelError, ModelRequest, Reply, RunEnd, Text, ToolUse, Turn, Usage
from specthread.agents.messages_api import MessagesApiModel
from specthread.agents.prices import NO_COST
from specthread.agents.provider import Provider
from specthread.agents.scripted import ScriptedModel, replies_before, say, spoken, use
from specthread.agents.throttle import Throttle
from specthread.agents.turns import MessagesBackend
from support.fake_messages_api import Break, FakeMessagesApi, Status, events
from support.fake_messages_api import Line as WireLine
from support.fake_messages_api import say as wire_say
from support.fake_messages_api import use as wire_use
from support.journal_port import Crash, Journal, RecordingToolbox
from support.turns_story import ASSIGNMENT, DONE, Sleeps, heard, play, toolbox
from support.virtual_time import VirtualTime


async def test_what_a_human_says_reaches_the_agent_after_the_turn_and_starts_the_count_anew():
    again = use("shell", command="make")
    end, _, _, requests, _ = await play(*[again] * 5, DONE, journal=Journal(said={4: ["Use ninja."]}))
    assert end.kind == "finished"
    assert heard(requests[4]) == ["shell done", "Use ninja.", heard(requests[3])[1]]


async def test_the_run_ends_at_its_limit_of_turns():
    end, journal, _, _, _ = await play(use("read", path="a"), use("read", path="b"), max_turns=2)
    assert (end.kind, len(journal.of("started"))) == ("limit", 2)


async def test_a_new_attempt_has_turns_of_its_own_under_numbers_that_go_on():
    end, journal, _, _, _ = await play(use("read", path="a"), use("read", path="b"), max_turns=2, first_turn=7)
    assert (end.kind, [turn for turn, *_ in journal.of("started")]) == ("limit", [7, 8])


async def test_a_stopped_run_says_why():
    end, _, box, _, _ = await play(use("read", path="a"), journal=Journal(stop_before_call=1))
    assert (end, len(box.used)) == (RunEnd(kind="stopped", reason="Paused by the human."), 1)


def fault(kind: str = "server", **options: Any) -> ModelError:
    return ModelError(kind, "Broken on purpose.", **{"retryable": True, **options})


async def test_a_failed_call_is_retried_three_times_each_a_call_of_its_own():
    end, journal, _, _, sleeps = await play(fault(), fault(), fault(), DONE)
    assert end.kind == "finished"
    assert [entry[:2] for entry in journal.of("started")] == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert sleeps == [8.0, 16.0, 32.0]
    end, journal, _, _, _ = await play(*[fault()] * 4)
    assert (end.kind, "Broken on purpose" in end.reason, len(journal.of("failed"))) == ("failed", True, 4)


async def test_the_retries_of_one_turn_do_not_count_for_the_next():
    end, _, _, _, _ = await play(*[fault()] * 3, use("read", path="a"), *[fault()] * 3, DONE)
    assert end.kind == "finished"


async def test_a_fault_that_will_not_pass_is_not_retried():
    end, journal, _, _, sleeps = await play(fault("auth", retryable=False))
    assert (end.kind, sleeps, len(journal.of("failed"))) == ("failed", [], 1)


async def test_a_key_that_is_refused_before_it_ever_worked_ends_the_run_and_one_that_worked_is_waited_for():
    end, _, _, _, _ = await play(fault("auth", retryable=False))
    assert (end.kind, end.outside) == ("failed", True)
    end, journal, _, _, sleeps = await play(use("read", path="a"), *[fault("auth", retryable=False)] * 9, DONE)
    assert (end.kind, sleeps, len(journal.of("failed"))) == ("finished", [], 9)


async def test_being_told_that_there_are_too_many_calls_costs_no_try_and_waits_at_the_gate():
    end, journal, _, _, sleeps = await play(*[fault("overloaded")] * 9, fault("rate_limited", retry_after=500.0), DONE)
    assert (end.kind, sleeps, len(journal.of("failed"))) == ("finished", [], 10)


async def test_a_call_that_waits_for_its_turn_is_not_in_the_journal_and_is_forgotten_with_its_run():
    provider = Provider(throttle=Throttle(most=1))
    other = await provider.enter("x-1/ws-2")
    journal = Journal()
    model = ScriptedModel(story=lambda request: spoken(request, DONE))
    run = asyncio.create_task(MessagesBackend(model=model, prices=NO_COST, provider=provider).run(ASSIGNMENT, journal, toolbox()))
    while not provider.state(datetime.now(UTC)).waiting:  # noqa: ASYNC110  the price table is loaded in a thread first
        await asyncio.sleep(0.001)
    assert journal.kinds() == []
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert (journal.kinds(), provider.state(datetime.now(UTC)).waiting) == ([], ())
    other.leave()
    assert (await MessagesBackend(model=model, prices=NO_COST, provider=provider).run(ASSIGNMENT, journal, toolbox())).kind == "finished"


async def test_nothing_to_shorten_is_a_failure_at_once():
    end, _, _, requests, _ = await play(fault("too_long", retryable=False))
    assert (end.kind, len(requests)) == ("failed", 1)


async def test_a_call_reserves_what_it_can_cost_and_an_unknown_price_is_unknown():
    for model, known in (("claude-opus-5-5", True), ("my-local-model", False)):
        journal = Journal()
        backend = MessagesBackend(model=ScriptedModel(story=lambda request: spoken(request, DONE)))
        await backend.run(replace(ASSIGNMENT, model=model), journal, toolbox())
        ((_, _, reserve),), ((_, _, cost),) = journal.of("started"), journal.of("finished")
        assert (reserve is not None, cost is not None) == (known, known)
        if known:
            assert Decimal(0) < cost < reserve


async def test_resuming_after_a_crash_at_any_entry_ends_the_same_and_repeats_no_call_and_no_effect():
    script = [
        use("read", path="a"),
        (use("ask", question="Which?"), use("shell", command="make")),
        (say("Now."), use("read", path="b")),
        DONE,
    ]

    def story(request: ModelRequest) -> Reply:
        step = script[replies_before(request)]
        return spoken(request, *(step if isinstance(step, tuple) else (step,)))

    async def run(journal: Journal, box: RecordingToolbox, calls: list[ModelRequest]) -> RunEnd:
        model = ScriptedModel(story=lambda request: calls.append(request) or story(request))
        backend = MessagesBackend(model=model, prices=NO_COST)
        return await backend.run(replace(ASSIGNMENT, history=journal.history()), journal, box)

    whole = Journal(answers=["this"])
    end = await run(whole, toolbox(), [])
    for crash_after in range(len(whole.entries)):
        journal, box, calls = Journal(answers=["this", "this"], crash_after=crash_after), toolbox(), []
        with pytest.raises(Crash):
            await run(journal, box, calls)
        journal.crash_after = None
        assert await run(journal, box, calls) == end
        names = [(request.turn, request.attempt) for request in calls]
        assert len(names) == len(set(names)), "a call number was sent twice"
        assert len({call.id for call in box.used}) == len(box.used), "a tool was used twice for one call"
        assert len({entry[0] for entry in journal.of("done")}) == 1


async def test_a_tool_cut_off_by_a_crash_is_an_error_result_the_model_sees():
    reply = Reply(
        content=(ToolUse(id="t1", name="shell", input={"command": "make"}),),
        stop_reason="tool_use",
        usage=Usage(),
        request_id="r",
        model="m",
    )
    journal = Journal(turns={1: Turn(number=1, reply=reply)})
    end, journal, box, requests, _ = await play(DONE, journal=journal, history=journal.history())
    assert (end.kind, box.used) == ("finished", [])
    assert "interrupted" in heard(requests[0])[0]
    assert journal.of("tool")[0][1].is_error
    assert requests[0].turn == 2


async def test_work_sent_back_goes_on_after_its_finish_with_what_was_found():
    first = Journal()
    await play(DONE, journal=first)
    history = first.history()
    sent_back = (*history[:-1], replace(history[-1], follow_up=("The check failed: 1 test is red.",)))
    first.turns = {turn.number: turn for turn in sent_back}
    end, _, _, requests, _ = await play(use("read", path="a"), DONE, journal=first, history=sent_back)
    assert end.kind == "finished"
    assert heard(requests[0])[1] == "The check failed: 1 test is red."
    assert not requests[0].messages[-1].content[0].is_error


async def test_a_lost_call_is_made_again_under_the_next_number():
    journal = Journal(turns={1: Turn(number=1, reply=None, attempts=2)})
    _, journal, _, _, _ = await play(DONE, journal=journal, history=journal.history())
    assert journal.of("started")[0][:2] == (1, 3)


WIRE = (wire_say("I will look."), wire_use("read", path="a.txt"))
WIRE_EVENTS = len(list(events(WireLine(when="", content=WIRE), "m", itertools.count())))


@pytest.mark.parametrize("how", ["eof", "cut"])
@pytest.mark.parametrize("at", range(WIRE_EVENTS))
async def test_a_stream_cut_after_any_event_runs_no_tool_and_is_retried_once(how, at):
    lines = [
        WireLine(when="do it", content=WIRE, fault=Break(how=how, at=at)),
        WireLine(when="do it", content=(wire_use("finish", summary="Done."),)),
    ]
    journal, box = Journal(), toolbox()
    async with FakeMessagesApi(lines) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url)
        end = await MessagesBackend(model=model, sleep=Sleeps()).run(ASSIGNMENT, journal, box)
        await model.close()
    assert end.kind == "finished"
    assert not box.used
    assert journal.kinds() == ["started", "failed", "started", "finished", "done"]


async def test_the_whole_story_over_the_wire_meets_every_passing_fault_once():
    def line(when: str, *content: Any, **options: Any) -> WireLine:
        return WireLine(when=when, content=content, **options)

    lines = [
        line("do it", fault=Status(status=429, headers={"retry-after": "3"})),
        line("do it", wire_use("read", path="a.txt")),
        line("read done", fault=Status(status=529)),
        line("read done", *WIRE, fault=Break(how="cut", at=8)),
        line("read done", *WIRE, fault=Break(how="eof", at=12)),
        line("read done", wire_use("finish", summary="Done.")),
    ]
    journal, sleeps, time = Journal(), Sleeps(), VirtualTime()
    provider = Provider(clock=time, sleep=time.sleep)
    time.busy = lambda: provider.throttle.in_flight > 0
    async with FakeMessagesApi(lines) as fake, time.passing():
        model = MessagesApiModel(api_key="k", base_url=fake.url)
        backend = MessagesBackend(model=model, provider=provider, sleep=sleeps, jitter=lambda: 1.0)
        end = await backend.run(ASSIGNMENT, journal, toolbox())
        await model.close()
        assert not fake.unused()
    assert end == RunEnd(kind="finished", summary="Done.")
    assert [error.kind for _, error in journal.of("failed")] == ["rate_limited", "overloaded", "cut", "no_stop"]
    assert (sleeps, time.now) == ([8.0, 16.0], 4.0)
    assert all(isinstance(cost, Decimal) for _, _, cost in journal.of("finished"))


async def test_empty_text_never_goes_back_over_the_wire():
    end, _, _, requests, _ = await play((say(""), use("read", path="a")), ((), "end_turn"), DONE)
    assert end.kind == "finished"
    assert not [block for request in requests for message in request.messages for block in message.content if block == Text(text="")]
    assert all(message.content for request in requests for message in request.messages)
    sides = [message.role for message in requests[-1].messages]
    assert sides == ["user", "assistant", "user"]
