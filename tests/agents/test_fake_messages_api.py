import pytest

from specthread.agents.backend import Message, ModelError, ModelRequest, Text, Thinking, ToolResult, ToolUse
from specthread.agents.messages_api import MessagesApiModel
from specthread.agents.tools import EDIT, READ
from specthread.agents.wire_messages import wire_from_request
from support.fake_messages_api import FakeMessagesApi, Line, say, schema_faults


def whole_request() -> ModelRequest:
    call = ToolUse(id="toolu_1", name="read", input={"path": "a", "lines": 3})
    said = (Thinking(text="hm", signature="c2ln"), Thinking(text="", signature="ZGF0YQ==", redacted=True), Text(text="I read it."), call)
    heard = (ToolResult(tool_use_id="toolu_1", content="", is_error=True), Text(text="go on"))
    return ModelRequest(
        run="x-1/ws-1",
        role="implementer",
        turn=2,
        model="claude-sonnet-5-5",
        system="Be brief.",
        messages=(
            Message(role="user", content=(Text(text="Hi"),)),
            Message(role="assistant", content=said),
            Message(role="user", content=heard),
        ),
        tools=(READ, EDIT),
        max_tokens=1000,
        effort="medium",
    )


def body() -> dict:
    return wire_from_request(whole_request()) | {"stream": True}


def test_what_we_send_fits_the_clients_own_types():
    assert schema_faults(body()) == ""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.update(bogus=1),
        lambda body: body.update(temperature=0.5),
        lambda body: body["messages"][0].update(bogus=1),
        lambda body: body["messages"][0]["content"][0].update(bogus=1),
        lambda body: body["messages"][2]["content"][0].update(bogus=1),
        lambda body: body["tools"][0].update(bogus=1),
        lambda body: body["cache_control"].update(bogus=1),
        lambda body: body["output_config"].update(effort="immense"),
        lambda body: body.pop("max_tokens"),
    ],
)
def test_a_key_the_api_does_not_know_is_found_at_every_depth(spoil):
    spoilt = body()
    spoil(spoilt)
    assert schema_faults(spoilt)


async def test_an_unscripted_request_fails_the_test_and_prints_it():
    fake = FakeMessagesApi([Line(when="something else", content=(say("x"),))])
    await fake.__aenter__()
    with pytest.raises(ModelError):
        await MessagesApiModel(api_key="k", base_url=fake.url).reply(whole_request(), print)
    with pytest.raises(AssertionError, match=r"no line for this request[^$]*go on"):
        await fake.__aexit__()


async def test_lines_that_were_not_spoken_are_known():
    lines = [Line(when="go on", content=(say("x"),)), Line(when="never", content=(say("y"),))]
    async with FakeMessagesApi(lines) as fake:
        await MessagesApiModel(api_key="k", base_url=fake.url).reply(whole_request(), print)
        assert fake.unused() == [lines[1]]
