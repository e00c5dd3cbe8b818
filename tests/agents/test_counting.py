"""How many tokens a request has, through the real client."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from specthread.agents.backend import Message, ModelError, ModelRequest, Text
from specthread.agents.capabilities import Learned
from specthread.agents.messages_api import MessagesApiModel
from specthread.agents.tools import READ
from support.fake_messages_api import FakeMessagesApi, Line, say


def request(text="Hello", **changes):
    said = Message(role="user", content=(Text(text=text),))
    return ModelRequest(run="", role="", turn=1, model="m", system="Be brief.", messages=(said,), tools=(READ,), max_tokens=9, **changes)


@asynccontextmanager
async def server(file=None, **options):
    async with FakeMessagesApi([Line(when="Hello", content=(say("Hi."),), times=None)], **options) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url, learned=Learned(file), probes=True)
        try:
            yield fake, model
        finally:
            await model.close()


async def test_a_request_is_counted_once_whichever_call_it_is():
    async with server(tokens=1234) as (fake, model):
        assert str(await model.count(request())) == "1,234 tokens"
        assert (await model.count(replace(request(), run="x-2/plan-1", turn=9))).tokens == 1234
        assert len(fake.asides) == 1
        await model.count(request("Hello again"))
    assert [aside.path for aside in fake.asides] == ["/v1/messages/count_tokens"] * 2
    assert fake.asides[0].body.keys() == {"model", "system", "messages", "tools"}


async def test_a_server_that_does_not_count_is_asked_once_and_the_estimate_says_what_it_is(tmp_path):
    async with server(tmp_path / "c.json") as (fake, model):
        said = str(await model.count(request("x" * 35_000)))
        await model.count(request("y" * 35_000))
    assert said.startswith("about 10,")
    assert said.endswith(" tokens (estimated from its length)")
    assert len(fake.asides) == 1


async def test_a_server_that_is_down_is_no_server_that_does_not_count(unused_tcp_port):
    model = MessagesApiModel(api_key="k", base_url=f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(ModelError, match="cannot be reached"):
        await model.count(request())


ROOM = ({"id": "m", "max_model_len": 8192},)


@pytest.mark.parametrize(
    ("size", "tokens", "said"),
    [
        (1_000, None, None),
        (20_000, 8_000, None),
        (20_000, 9_000, "The conversation has 9,000 tokens, and m holds 8,192 at once."),
        (35_000, None, "tokens (estimated from its length), and m holds 8,192 at once."),
    ],
)
async def test_what_does_not_fit_into_the_model_is_told_and_not_sent(size, tokens, said):
    async with server(models=ROOM, tokens=tokens) as (fake, model):
        if said is None:
            await model.reply(request("Hello" + "x" * size), lambda _: None)
        else:
            with pytest.raises(ModelError) as caught:
                await model.reply(request("Hello" + "x" * size), lambda _: None)
            assert said in caught.value.message
            assert (caught.value.kind, caught.value.retryable, caught.value.sent) == ("too_long", False, False)
    assert len(fake.requests) == (said is None)
