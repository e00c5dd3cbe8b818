import msgspec
import pytest

from specthread.agents.backend import Assignment, Message, ModelRequest, Reply, RunEnd, Text, Thinking, ToolResult, ToolUse, Turn, Usage
from specthread.agents.tools import READ

REPLY = Reply(
    content=(
        Text(text="Grüße"),
        Thinking(text="", signature="x", redacted=True),
        ToolUse(id="t", name="read", input={"path": "a", "deep": {"list": [1, None]}}),
    ),
    stop_reason="tool_use",
    usage=Usage(input=1, output=2, cache_read=3, cache_write=4, estimated=True),
    request_id="r",
    model="m",
)
RESULT = ToolResult(tool_use_id="t", content="x", is_error=True)
TURN = Turn(number=3, reply=REPLY, results=(RESULT,), follow_up=("go on",), attempts=2)


@pytest.mark.parametrize(
    "value",
    [
        REPLY,
        TURN,
        Turn(number=1, reply=None),
        Message(role="user", content=(RESULT,)),
        RunEnd(kind="stuck", reason="It is."),
        ModelRequest(run="r", role="planner", turn=1, model="m", system="s", messages=(), tools=(READ,), max_tokens=1),
        Assignment(run="r", role="planner", system="s", opening="o", model="m", tools=(READ,), history=(TURN,)),
    ],
)
def test_every_value_comes_back_from_json_as_it_was(value):
    assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value


def test_blocks_are_told_apart_by_kind_in_json_and_in_code():
    blocks = (*REPLY.content, RESULT)
    assert [block.kind for block in blocks] == ["text", "thinking", "tool_use", "tool_result"]
    assert [block["kind"] for block in msgspec.json.decode(msgspec.json.encode(blocks))] == [block.kind for block in blocks]
