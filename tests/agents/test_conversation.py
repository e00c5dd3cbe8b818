from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from specthread.agents.backend import Message, ModelRequest, Reply, Text, Thinking, ToolResult, ToolUse, Turn, Usage
from specthread.agents.conversation import conversation, request_bytes
from specthread.agents.stuck import repeats

STOPS = ["tool_use", "end_turn", "stop_sequence", "max_tokens", "pause_turn", "refusal", "model_context_window_exceeded"]


@st.composite
def histories(draw: st.DrawFn) -> tuple[Turn, ...]:
    turns = []
    for number in range(1, draw(st.integers(0, 6)) + 1):
        calls = draw(st.integers(0, 3))
        content = [*draw(st.lists(st.sampled_from([Text(text=""), Text(text="said"), Thinking(text="", signature="s")]), max_size=2))]
        names = draw(st.lists(st.sampled_from(["read", "finish", "ask"]), min_size=calls, max_size=calls))
        content += [ToolUse(id=f"t{number}-{call}", name=name, input={"path": "a"}) for call, name in enumerate(names)]
        reply = Reply(content=tuple(content), stop_reason=draw(st.sampled_from(STOPS)), usage=Usage(), request_id="r", model="m")
        results = tuple(
            ToolResult(tool_use_id=f"t{number}-{call}", content=draw(st.sampled_from(["", "ok", "x" * 200])))
            for call in range(draw(st.integers(0, calls)))
        )
        said = tuple(draw(st.lists(st.just("a human said this"), max_size=1)))
        turns.append(Turn(number=number, reply=draw(st.sampled_from([reply, None])), results=results, follow_up=said))
    return tuple(replace(turn, results=()) if turn.reply is None else turn for turn in turns)


@settings(deadline=None)
@given(histories())
def test_any_history_becomes_a_conversation_the_api_accepts(turns):
    messages = conversation("Begin.", turns)
    assert messages[0].role == "user"
    assert all(before.role != after.role for before, after in pairwise(messages))
    assert all(message.content for message in messages)
    assert not [message for message in messages if isinstance(message.content[-1], Thinking)]
    assert not [block for message in messages for block in message.content if isinstance(block, Text) and not block.text.strip()]
    for number, message in enumerate(messages):
        calls = [block.id for block in message.content if isinstance(block, ToolUse)]
        if calls:
            answers = messages[number + 1].content[: len(calls)]
            assert [answer.tool_use_id for answer in answers] == calls


@settings(deadline=None)
@given(histories())
def test_the_beginning_of_a_conversation_never_changes_as_it_grows(turns):
    whole = conversation("Begin.", turns)
    for count in range(len(turns)):
        part = conversation("Begin.", turns[:count])
        assert whole[: len(part) - 1] == part[:-1]
        assert whole[len(part) - 1].content[: len(part[-1].content)] == part[-1].content


@settings(deadline=None)
@given(histories())
def test_what_people_said_is_never_left_out(turns):
    said = sum(len(turn.follow_up) for turn in turns)
    texts = [block.text for message in conversation("Begin.", turns) for block in message.content if isinstance(block, Text)]
    assert texts.count("a human said this") == said


@settings(deadline=None)
@given(histories())
def test_repeats_are_counted_for_each_turn_and_never_without_a_call(turns):
    counts = repeats(turns)
    assert len(counts) == len(turns)
    assert all(count == 0 for count, turn in zip(counts, turns, strict=True) if turn.reply is None)


def test_half_a_surrogate_pair_can_be_counted():
    bad = ToolUse(id="t", name="read", input={"path": "\ud83d"})
    reply = Reply(content=(bad,), stop_reason="tool_use", usage=Usage(), request_id="r", model="m")
    turns = [Turn(number=number, reply=reply, results=(ToolResult(tool_use_id="t", content="\udce9"),)) for number in (1, 2)]
    assert repeats(turns) == [1, 2]
    request = ModelRequest(
        run="r", role="planner", turn=1, model="m", system="", messages=(Message(role="user", content=(bad,)),), tools=(), max_tokens=1
    )
    assert request_bytes(request) > 0
