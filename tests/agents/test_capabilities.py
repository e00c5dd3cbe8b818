"""Servers that speak a part of the Messages API, through the real client."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from specthread.agents.backend import Message, ModelError, ModelRequest, Text, ToolSpec, Usage
from specthread.agents.capabilities import EVERYTHING, Capabilities, Learned, is_vendors, without
from specthread.agents.messages_api import MessagesApiModel
from specthread.agents.structured import answer_of
from support.fake_messages_api import Break, FakeMessagesApi, Line, Page, Status, say, use

SCHEMA = {"type": "object", "properties": {"met": {"type": "boolean"}}, "required": ["met"], "additionalProperties": False}
TOOL = ToolSpec(name="read", description="Reads.", schema={"type": "object", "properties": {}, "required": []}, strict=True)
REQUEST = ModelRequest(
    run="x-1/ws-1",
    role="implementer",
    turn=1,
    model="qwen3",
    system="Be brief.",
    messages=(Message(role="user", content=(Text(text="Hello"),)),),
    tools=(TOOL,),
    max_tokens=1000,
    effort="low",
)
ASKING = replace(REQUEST, schema=SCHEMA)
HELLO = Line(when="Hello", content=(say("Hello."),), times=None)


@asynccontextmanager
async def server(*script, file=None, probes=True, **options):
    async with FakeMessagesApi(list(script or [HELLO]), **options) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url, learned=Learned(file), probes=probes)
        try:
            yield fake, model
        finally:
            await model.close()


def ask(model, request=REQUEST):
    return model.reply(request, lambda _text: None)


async def test_a_server_that_takes_everything_is_asked_once_and_that_counts_as_used():
    async with server() as (fake, model):
        first = await ask(model)
        second = await ask(model)
    assert (len(fake.probes), len(fake.requests)) == (1, 2)
    assert (first.usage, second.usage) == (Usage(input=20, output=51), Usage(input=10, output=42))
    assert {"cache_control", "output_config", "tools"} <= fake.requests[0].body.keys()
    assert fake.requests[0].body["tools"][0]["strict"] is True


async def test_a_strict_server_gets_the_core_of_the_api_and_is_not_asked_again_after_a_restart(tmp_path):
    file = tmp_path / "capabilities.json"
    async with server(refuses=("cache_control", "output_config", "strict"), file=file) as (fake, model):
        await ask(model)
        again = MessagesApiModel(api_key="k", base_url=fake.url, learned=Learned(file), probes=True)
        await ask(again)
        await again.close()
    assert len(fake.probes) == 4
    assert len(fake.requests) == 2
    for request in fake.requests:
        assert request.body.keys() == {"model", "max_tokens", "system", "messages", "tools", "stream"}
        assert request.body["tools"][0].keys() == {"name", "description", "input_schema"}


async def test_a_server_that_refuses_without_a_name_gets_the_core_and_one_without_tools_none():
    class Sullen(FakeMessagesApi):
        def _refused(self, request):
            return Line(when="", fault=Status(status=400, message="Bad request")) if len(request.body) > 5 else None

    async with Sullen([HELLO]) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url, probes=True)
        await ask(model)
        await model.close()
    assert "tools" not in fake.requests[0].body


async def test_a_reply_without_a_reason_is_whole_only_where_the_server_never_gives_one():
    line = Line(when="Hello", content=(use("read"),), stop_reason="none", times=None)
    async with server(line, null_stop=True) as (_, model):
        assert (await ask(model)).stop_reason == "tool_use"
    async with server(line) as (_, model):
        with pytest.raises(ModelError) as caught:
            await ask(model)
    assert caught.value.kind == "no_stop"


PROBED = Usage(input=10, output=9)


@pytest.mark.parametrize(
    ("line", "options", "kind", "usage"),
    [
        (replace(HELLO, fault=Status(status=500)), {}, "server", PROBED),
        (replace(HELLO, stop_reason="none"), {}, "no_stop", replace(PROBED, input=20, output=51)),
        (HELLO, {"models": ({"id": "qwen3", "max_model_len": 20},)}, "too_long", PROBED),
        # Nobody knows what it used: what was reserved for it stays charged as a whole.
        (replace(HELLO, fault=Break(how="cut", at=0)), {}, "cut", None),
    ],
)
async def test_what_finding_out_has_used_is_told_where_the_call_breaks_then(line, options, kind, usage):
    async with server(line, **options) as (_, model):
        with pytest.raises(ModelError) as caught:
            await ask(model)
    assert (caught.value.kind, caught.value.usage) == (kind, usage)


@pytest.mark.parametrize(
    ("options", "script", "sent"),
    [
        ({}, (say('{"met": true}'),), "output_config"),
        ({"obeys": False}, (use("answer", met=True),), "tools"),
        ({"refuses": ("output_config", "tools")}, (say('```json\n{"met": true}\n```'),), "system"),
    ],
)
async def test_an_answer_with_a_form_is_had_from_every_kind_of_server(options, script, sent):
    async with server(Line(when="Hello", content=script), **options) as (fake, model):
        reply = await ask(model, replace(ASKING, tools=()))
    assert answer_of(reply, SCHEMA) == {"met": True}
    body = fake.requests[0].body
    assert ("format" in body.get("output_config", {}), "tools" in body, "JSON schema" in body["system"]) == (
        sent == "output_config",
        sent == "tools",
        sent == "system",
    )


async def test_what_a_call_is_refused_for_by_name_is_left_out_of_it_and_of_all_later_ones(tmp_path):
    file = tmp_path / "capabilities.json"
    lines = [Line(when="Hello", fault=Status(status=400, message="This model does not support the effort parameter.")), HELLO]
    async with server(*lines, file=file) as (fake, model):
        assert (await ask(model)).stop_reason == "end_turn"
        await ask(model)
        known = Learned(file).read()
    assert [request.body.get("output_config") for request in fake.requests] == [{"effort": "low"}, None, None]
    assert known == {f"{fake.url} qwen3": Capabilities(effort=False)}


async def test_a_reply_is_asked_to_be_no_longer_than_the_model_can_make_it(tmp_path):
    refusal = "max_tokens: 1000 > 512, which is the maximum allowed number of output tokens for qwen3"
    async with server(Line(when="Hello", fault=Status(status=400, message=refusal)), HELLO) as (fake, model):
        await ask(model)
        await ask(model, replace(REQUEST, max_tokens=100))
    assert [request.body["max_tokens"] for request in fake.requests] == [1000, 512, 100]


async def test_a_setting_that_denies_tools_is_not_taken_for_something_learned(tmp_path):
    file = tmp_path / "c.json"
    lines = [Line(when="Hello", fault=Status(status=400, message='json: unknown field "cache_control"')), HELLO]
    async with server(*lines, file=file) as (fake, model):
        model.tools = False
        await ask(model)
        assert "tools" not in fake.requests[-1].body
        assert list(Learned(file).read().values()) == [Capabilities(cache_control=False)]


async def test_without_leave_nothing_is_tried():
    async with server(probes=False) as (fake, model):
        await ask(model)
    assert (len(fake.probes), fake.requests[0].body["cache_control"]) == (0, {"type": "ephemeral"})


async def test_trying_says_what_is_wrong_as_any_call_and_learns_nothing_from_it(tmp_path):
    class Portal(FakeMessagesApi):
        def _refused(self, request):
            return Line(when="", fault=Page(body="<html><title>Acme</title></html>"))

    async with Portal([]) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url, learned=Learned(tmp_path / "c.json"), probes=True)
        with pytest.raises(ModelError, match="came a web page, “Acme”"):
            await ask(model)
        await model.close()
    assert not (tmp_path / "c.json").exists()


def test_a_damaged_memory_is_no_memory(tmp_path):
    (tmp_path / "c.json").write_text("{")
    assert Learned(tmp_path / "c.json").read() == {}


@pytest.mark.parametrize(
    ("said", "lost"),
    [
        ('json: unknown field "cache_control"', {"cache_control"}),
        ("output_config.format: Extra inputs are not permitted", {"schemas"}),
        ("output_config.effort: Extra inputs are not permitted", {"effort"}),
        ("library/gemma3 does not support tools", {"tools"}),
        ('"auto" tool choice requires --enable-auto-tool-choice', {"tools"}),
        ("tools.0.custom.strict: Extra inputs are not permitted", {"strict"}),
        ("A maximum of 4 blocks with cache_control may be provided. Found 5.", set()),
        ("messages.3: `tool_use` ids were found without `tool_result` blocks", set()),
        ("thinking blocks cannot be modified", set()),
        ("Something is not supported", set()),
    ],
)
def test_only_what_is_refused_by_name_is_given_up(said, lost):
    fewer = without(EVERYTHING, said)
    changed = {name for name in Capabilities.__struct_fields__ if fewer and getattr(fewer, name) != getattr(EVERYTHING, name)}
    assert changed == lost


def test_the_vendors_own_address_is_known():
    assert [is_vendors(url) for url in ("https://api.anthropic.com", "http://localhost:11434", "https://anthropic.com.evil.example")] == [
        True,
        False,
        False,
    ]


async def test_how_much_a_model_takes_at_once_is_known_once_its_server_was_asked():
    async with server(models=({"id": REQUEST.model, "max_model_len": 32_768},)) as (_, model):
        assert await model.room(REQUEST.model) is None
        await ask(model)
        assert (await model.room(REQUEST.model), await model.room("another")) == (32_768, None)
