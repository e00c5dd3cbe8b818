from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specthread.agents import compaction
from specthread.agents.backend import ModelError, ModelRequest, Reply, Text, ToolResult, ToolUse, Turn, Usage
from specthread.agents.compaction import SUM_UP, ShownSoFar, shown, stub_of, to_sum_up
from specthread.agents.conversation import conversation, request_bytes
from specthread.agents.prices import NO_COST
from specthread.agents.scripted import ScriptedModel, say, spoken, use
from specthread.agents.turns import MessagesBackend, nobody_knows
from support.journal_port import Crash, Journal, RecordingToolbox
from support.turns_story import ASSIGNMENT, DONE, play, toolbox

FIXED = 300
SUMMARY = "I read it all; the bug is in line 7."
SUMMED = (say(SUMMARY),)


@st.composite
def long_histories(draw: st.DrawFn) -> tuple[list[Turn], int]:
    """Turns as a run would journal them that sums up whenever it is to, and the limit they are held to."""
    limit = draw(st.integers(200, 3_000))
    turns: list[Turn] = []
    for number in range(1, draw(st.integers(1, 25)) + 1):
        last = turns[-1] if turns else None
        paused = last is not None and last.reply is not None and last.reply.stop_reason == "pause_turn"
        through = 0 if paused else to_sum_up(turns, shown(turns, fixed=FIXED, limit=limit))
        said = (f"said after {number}",) if draw(st.booleans()) else ()
        overflows = draw(st.sampled_from([0, 0, 0, 0, 1]))
        usage = draw(st.sampled_from([Usage(), Usage(input=draw(st.integers(100, 4_000)))]))
        if through:
            content: tuple = (Text(text=SUMMARY),) if draw(st.booleans()) else ()
            reply = Reply(content=content, stop_reason="end_turn", usage=usage, request_id="r", model="m")
            turns.append(Turn(number=number, reply=reply, follow_up=said, sums_up=through, overflows=overflows))
            continue
        calls = [
            ToolUse(id=f"t{number}-{index}", name=name, input={"question": f"asked in {number}?"} if name == "ask" else {"path": "a"})
            for index, name in enumerate(draw(st.lists(st.sampled_from(["read", "shell", "ask"]), max_size=3)))
        ]
        stop = draw(st.sampled_from(["tool_use", "tool_use", "tool_use", "end_turn", "pause_turn", "model_context_window_exceeded"]))
        reply = Reply(content=(Text(text="Now."), *calls), stop_reason=stop, usage=usage, request_id="r", model="m")
        results = tuple(
            ToolResult(tool_use_id=call.id, content=f"answer {call.id}" if call.name == "ask" else "x" * draw(st.integers(0, 2_000)))
            for call in calls
            if stop == "tool_use"
        )
        turns.append(Turn(number=number, reply=reply, results=results, follow_up=said, overflows=overflows))
    return turns, limit


def sent(turns, limit):
    state = shown(turns, fixed=FIXED, limit=limit)
    return state, conversation("Begin.", turns, state)


@settings(deadline=None)
@given(long_histories())
def test_whatever_is_left_out_the_conversation_is_one_that_the_api_accepts(history):
    for count in range(len(history[0]) + 1):
        _, messages = sent(history[0][:count], history[1])
        assert messages[0].role == "user"
        assert messages[0].content[0] == Text(text="Begin.")
        assert all(before.role != after.role for before, after in pairwise(messages))
        asked: list[str] = []
        for message in messages:
            answers = [block.tool_use_id for block in message.content if isinstance(block, ToolResult)]
            assert answers == asked
            asked = [block.id for block in message.content if isinstance(block, ToolUse)]


@settings(deadline=None)
@given(long_histories())
def test_what_was_said_and_answered_stays_word_for_word_and_a_summary_stands_before_what_followed_it(history):
    turns, limit = history
    state, messages = sent(turns, limit)
    texts = [block.text if isinstance(block, Text) else getattr(block, "content", "") for message in messages for block in message.content]
    for turn in turns:
        assert all(texts.count(said) == 1 for said in turn.follow_up)
        for call in turn.reply.content:
            if isinstance(call, ToolUse) and call.name == "ask" and turn.results:
                assert sum(f"answer {call.id}" in text for text in texts) == 1
    assert sum(block.text.endswith(SUMMARY) for block in messages[0].content) == (state.summary is not None)


@settings(deadline=None)
@given(long_histories())
def test_nothing_comes_back_that_was_left_out_and_between_two_stages_the_beginning_stays_as_it_is(history):
    turns, limit = history
    states = [sent(turns[:count], limit) for count in range(len(turns) + 1)]
    for (before, earlier), (after, later) in pairwise(states):
        assert before.stubbed_through <= after.stubbed_through
        assert before.begins_after <= after.begins_after
        assert after.limit <= before.limit
        if (before.stubbed_through, before.begins_after) == (after.stubbed_through, after.begins_after):
            assert later[: len(earlier) - 1] == earlier[:-1]
            assert later[len(earlier) - 1].content[: len(earlier[-1].content)] == earlier[-1].content


def test_a_stub_says_how_long_it_was_how_it_ended_and_how_to_have_it_again():
    shell = ToolUse(id="t", name="shell", input={"command": "make"})
    stub = stub_of(shell, ToolResult(tool_use_id="t", content="x" * 500 + "\n[exit code 2]", is_error=True))
    assert stub.content == "[514 characters were removed to save space. Run the command again if you need it.] [exit code 2]"
    assert stub.is_error
    read = ToolUse(id="t", name="read", input={"path": "a"})
    assert "Use `read` with the same input" in stub_of(read, ToolResult(tool_use_id="t", content="x" * 500)).content
    assert stub_of(read, ToolResult(tool_use_id="t", content="short")).content == "short"


@settings(deadline=None)
@given(long_histories(), st.data())
def test_going_on_from_what_was_shown_before_shows_the_same_as_beginning_anew(history, data):
    turns, limit = history
    so_far = ShownSoFar(fixed=FIXED, limit=limit)
    for count in data.draw(st.lists(st.integers(0, len(turns)), min_size=1)):
        begun = [*turns[:count], Turn(number=count + 1, reply=None, overflows=data.draw(st.integers(0, 1)))]
        assert so_far.after(begun) == shown(begun, fixed=FIXED, limit=limit)
    assert so_far.after(turns) == shown(turns, fixed=FIXED, limit=limit)


@pytest.mark.parametrize("name", ["write_document", "edit", "answer_comment"])
def test_a_stub_of_what_changed_something_does_not_ask_for_it_again(name):
    result = ToolResult(tool_use_id="t", content="x" * 500)
    done = stub_of(ToolUse(id="t", name=name, input={"text": "old"}), result)
    assert done.content == "[500 characters were removed to save space. The call was made; do not repeat it.]"


READS = [use("read", path=str(number)) for number in range(12)]


def long_box() -> RecordingToolbox:
    return toolbox(do=lambda call: f"{call.input.get('path')} " + "x" * 1_500)


def kept(request: ModelRequest) -> list[str]:
    """Returns the first words of the results that are shown whole."""
    results = [block.content for message in request.messages for block in message.content if isinstance(block, ToolResult)]
    return [result.split(" ")[0] for result in results if "removed to save space" not in result]


async def test_old_results_go_at_half_of_the_limit_many_at_once_and_no_call_passes_the_limit():
    _, _, _, requests, _ = await play(*READS, DONE, box=long_box(), context_tokens=8_000)
    shortened = [before for before, after in pairwise(requests) if after.messages[: len(before.messages)] != before.messages]
    assert 0 < len(shortened) < 5
    assert not any(SUM_UP in str(request.messages[-1]) for request in requests)
    assert kept(requests[-1])[-1] == "11"
    assert max(request_bytes(request) for request in requests) < 4 * 8_000


async def test_a_turn_late_in_a_long_conversation_takes_no_more_work_than_an_early_one(monkeypatch):
    measured, after = [], []
    size = compaction._size
    monkeypatch.setattr(compaction, "_size", lambda *parts: measured.append(1) or size(*parts))
    reads = [use("read", path=str(number)) for number in range(150)]

    def do(call):
        after.append(len(measured))
        return "x" * 1_500

    await play(*reads, DONE, box=toolbox(do=do), context_tokens=20_000, max_turns=200)
    work = sorted(late - early for early, late in pairwise(after))
    assert len(work) > 100
    assert work[-2] < 60, "only the turn with the summary looks at all turns"


def wordy(number: int) -> tuple:
    return say("I think about it. " * 40), use("read", path=str(number))


async def run_long(steps, journal: Journal, box: RecordingToolbox, summary=SUMMED, *, stop_reason=None, room=nobody_knows, **changes):
    """Runs with the steps in order, and with `summary` wherever the model is asked for one."""
    requests: list[ModelRequest] = []

    def story(request: ModelRequest) -> Reply:
        requests.append(request)
        if SUM_UP in str(request.messages[-1]):
            return spoken(replace(request, attempt=1), *summary, stop_reason=stop_reason)
        worked = [turn for turn in journal.turns.values() if not turn.sums_up and turn.reply]
        step = steps[min(len(worked), len(steps) - 1)]
        return spoken(replace(request, attempt=1), *(step if isinstance(step, tuple) else (step,)))

    backend = MessagesBackend(model=ScriptedModel(story=story), prices=NO_COST, room=room)
    assignment = replace(ASSIGNMENT, **{"context_tokens": 2_600, "history": journal.history(), **changes})
    return await backend.run(assignment, journal, box), requests


WORDY = [wordy(number) for number in range(6)]


def asking(requests: list[ModelRequest]) -> list[ModelRequest]:
    return [request for request in requests if SUM_UP in str(request.messages[-1])]


async def test_at_four_fifths_the_model_sums_up_once_and_goes_on_from_its_summary():
    journal, box = Journal(said={2: ["Use tabs."]}), long_box()
    end, requests = await run_long([*WORDY, DONE], journal, box, (say(SUMMARY), use("read", path="never")))
    assert end.kind == "finished"
    (asked,) = asking(requests)
    assert journal.turns[asked.turn].sums_up > 0
    assert "never" not in [call.input["path"] for call in box.used]
    first = [block.text for block in requests[-1].messages[0].content if isinstance(block, Text)]
    assert first[0] == ASSIGNMENT.opening
    assert "Use tabs." in first
    assert SUMMARY in str(first)
    assert request_bytes(requests[asked.turn]) < request_bytes(asked) / 2


async def test_a_model_that_takes_less_than_our_limit_is_never_given_more_with_room_for_its_reply():
    async def room(_model: str) -> int:
        return 3_600

    end, requests = await run_long([*WORDY, DONE], Journal(), long_box(), room=room, context_tokens=150_000, max_tokens=1_000)
    assert (end.kind, len(asking(requests))) == ("finished", 1)
    assert max(request_bytes(request) for request in requests) < 4 * 3_600 - 4 * 500


@pytest.mark.parametrize(("summary", "stop_reason"), [((), "refusal"), ((use("read", path="a"),), None)])
async def test_a_summary_that_is_none_changes_nothing_and_is_not_asked_for_again_at_once(summary, stop_reason):
    end, requests = await run_long([*WORDY, DONE], Journal(), long_box(), summary, stop_reason=stop_reason)
    assert end.kind == "finished"
    assert len(asking(requests)) == 1
    assert requests[-1].messages[0].content == (Text(text=ASSIGNMENT.opening),)


async def test_the_turn_of_a_summary_is_none_of_those_that_the_run_may_take():
    end, requests = await run_long([*WORDY, DONE], Journal(), long_box(), max_turns=7)
    assert (end.kind, len(requests), len(asking(requests))) == ("finished", 8, 1)


async def test_resuming_after_a_crash_at_any_entry_around_a_summary_shows_the_model_the_same():
    whole = Journal()
    end, requests = await run_long([*WORDY, DONE], whole, long_box())
    expected = {request.turn: request.messages for request in requests}
    assert len(asking(requests)) == 1
    for crash_after in range(len(whole.entries)):
        journal = Journal(crash_after=crash_after)
        with pytest.raises(Crash):
            await run_long([*WORDY, DONE], journal, long_box())
        journal.crash_after = None
        again, calls = await run_long([*WORDY, DONE], journal, long_box())
        assert again == end
        if any("interrupted" in str(done.results) for done in journal.turns.values()):
            continue  # a result that was lost is shorter, so the conversation is another one
        assert [done.sums_up > 0 for done in journal.turns.values()].count(True) == 1
        assert all(request.messages == expected[request.turn] for request in calls)


def too_long() -> ModelError:
    return ModelError("too_long", "Too long.", retryable=False)


@pytest.mark.parametrize("overflow", ["error", "reply"])
async def test_an_overflow_takes_old_results_out_and_is_tried_again_exactly_once(overflow):
    full = too_long() if overflow == "error" else ((), "model_context_window_exceeded")
    end, journal, _, requests, _ = await play(*READS[:8], full, DONE, box=long_box())
    assert end.kind == "finished"
    assert 0 < len(kept(requests[-1])) < 4
    assert kept(requests[-1])[-1] == "7"
    assert request_bytes(requests[-1]) < request_bytes(requests[-2]) / 2
    end, _, _, requests, _ = await play(*READS[:8], full, full, box=long_box())
    assert (end.kind, len(requests)) == ("failed", 10)
    # What overflowed is the limit from now on, also for a run that goes on after a restart.
    limits = [shown(journal.history()[:count], fixed=FIXED, limit=150_000).limit for count in (8, 9)]
    assert limits[1] < limits[0] or overflow == "reply"


async def test_an_overflow_before_a_restart_counts():
    journal = Journal(stop_before_call=8)
    await play(*READS[:8], journal=journal, box=long_box())
    journal.turns[9] = Turn(number=9, reply=None, attempts=1, overflows=1)
    journal.stop_before_call = None
    end, _, _, requests, _ = await play(too_long(), journal=journal, history=journal.history())
    assert (end.kind, len(requests), len(kept(requests[0])) < 4) == ("failed", 1, True)
