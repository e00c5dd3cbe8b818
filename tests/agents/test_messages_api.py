import asyncio
import itertools
import json
import re
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from specthread.agents.backend import Message, ModelError, ModelRequest, Text, Thinking, ToolUse, Usage
from specthread.agents.messages_api import MessagesApiModel, credentials_present
from specthread.agents.toolspecs import READ, problem_with
from support.fake_messages_api import Break, FakeMessagesApi, Line, Page, Status, events, say, think, use
from support.nesting import nested

CONTENT = (think("hm"), say("I will read the file."), use("read", path="a.txt"))
EVENTS = len(list(events(Line(when="", content=CONTENT), "m", itertools.count())))
REQUEST = ModelRequest(
    run="x-1/ws-1",
    role="implementer",
    turn=1,
    model="claude-sonnet-5-5",
    system="Be brief.",
    messages=(Message(role="user", content=(Text(text="Hello"),)),),
    tools=(),
    max_tokens=1000,
)


@asynccontextmanager
async def served(*script: Line, **options):
    async with FakeMessagesApi(list(script)) as fake:
        model = MessagesApiModel(api_key="k-test", base_url=fake.url, **options)
        try:
            yield model, fake
        finally:
            await model.close()


async def error_of(line: Line, **options) -> ModelError:
    async with served(line, **options) as (model, fake):
        with pytest.raises(ModelError) as caught:
            await model.reply(REQUEST, lambda _text: None)
        assert len(fake.requests) == 1, "the client retried behind our back"
    return caught.value


async def test_a_reply_arrives_whole_and_its_text_while_it_streams():
    pieces: list[str] = []
    usage = {"input_tokens": 100, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 5}
    async with served(Line(when="Hello", content=CONTENT, usage=usage, output_tokens=77)) as (model, fake):
        reply = await model.reply(REQUEST, pieces.append)
    assert reply.content == (
        Thinking(text="hm", signature="c2lnbmVk"),
        Text(text="I will read the file."),
        ToolUse(id="toolu_fake0003", name="read", input={"path": "a.txt"}),
    )
    assert (reply.stop_reason, reply.request_id, reply.model) == ("tool_use", "req_fake0001", "claude-sonnet-5-5")
    assert reply.usage == Usage(input=100, output=77, cache_read=50, cache_write=5)
    assert "".join(pieces) == "I will read the file."
    assert len(pieces) > 2
    assert fake.requests[0].headers["authorization"] == "Bearer k-test"


async def test_an_input_that_nests_deeper_than_anybody_looks_is_none():
    async with served(Line(when="Hello", content=(use("read", path=nested(100)),))) as (model, _):
        reply = await model.reply(REQUEST, lambda _text: None)
    assert reply.content[0].input == {"(nested too deep)": ""}


@pytest.mark.parametrize(
    ("fault", "kind", "retryable", "retry_after"),
    [
        (Status(status=429, headers={"retry-after": "7"}), "rate_limited", True, 7.0),
        (Status(status=429, headers={"retry-after-ms": "250", "retry-after": "1"}), "rate_limited", True, 0.25),
        (Status(status=429, headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}), "rate_limited", True, 0.0),
        (Status(status=529), "overloaded", True, None),
        (Status(status=500), "server", True, None),
        (Status(status=500, headers={"x-should-retry": "false"}), "server", False, None),
        (Status(status=503), "server", True, None),
        (Status(status=400, message="prompt is too long: 210000 tokens > 200000 maximum"), "too_long", False, None),
        (Status(status=400), "bad_request", False, None),
        (Status(status=401), "auth", False, None),
        (Status(status=403), "forbidden", False, None),
        (Status(status=404), "not_found", False, None),
        (Status(status=413), "too_long", False, None),
        (Break(how="error", at=9), "overloaded", True, None),
        (Break(how="error", at=9, error="rate_limit_error"), "rate_limited", True, None),
        (Break(how="error", at=9, error="api_error"), "server", True, None),
        (Break(how="error", at=9, error="invalid_request_error"), "bad_request", False, None),
        (Break(how="cut", at=9), "cut", True, None),
        (Break(how="cut", at=1), "cut", True, None),
        (Break(how="eof", at=9), "no_stop", True, None),
        (Break(how="nonsense", at=9), "server", True, None),
    ],
)
async def test_every_fault_becomes_one_model_error(fault, kind, retryable, retry_after):
    error = await error_of(Line(when="Hello", content=CONTENT, fault=fault))
    assert (error.kind, error.retryable, error.retry_after) == (kind, retryable, retry_after)
    assert error.message.endswith(".")


async def test_a_server_that_falls_silent_is_a_stall():
    error = await error_of(Line(when="Hello", content=CONTENT, fault=Break(how="stall", at=9)), read_timeout=0.2)
    assert (error.kind, error.retryable) == ("stall", True)


@pytest.mark.parametrize("at", range(EVENTS))
async def test_a_stream_that_ends_before_its_last_event_is_never_a_reply(at):
    error = await error_of(Line(when="Hello", content=CONTENT, fault=Break(how="eof", at=at)))
    assert (error.kind, error.retryable) == ("no_stop", True)


async def test_a_reply_of_a_kind_that_nobody_asked_for_has_still_been_paid():
    line = Line(
        when="Hello", content=(say("Hm."), {"type": "container_upload", "file_id": "f"}), usage={"input_tokens": 100}, output_tokens=77
    )
    error = await error_of(line)
    assert (error.kind, error.usage, error.request_id) == ("server", Usage(input=100, output=77), "req_fake0001")


async def test_a_reply_without_a_stop_reason_is_never_a_reply():
    assert (await error_of(Line(when="Hello", content=CONTENT, stop_reason="none"))).kind == "no_stop"


async def test_a_broken_call_says_what_it_cost():
    line = Line(when="Hello", content=(say("x" * 70),), usage={"input_tokens": 300}, fault=Break(how="cut", at=8))
    assert (await error_of(line)).usage == Usage(input=300, output=9, estimated=True)
    assert (await error_of(Line(when="Hello", fault=Status(status=529)))).usage is None


async def test_a_refusal_is_a_reply_for_the_loop_to_judge_with_what_was_said_of_it():
    details = {"category": "cyber", "explanation": "This asks for an exploit."}
    async with served(Line(when="Hello", stop_reason="refusal", stop_details=details)) as (model, _fake):
        reply = await model.reply(REQUEST, lambda _text: None)
    assert (reply.stop_reason, reply.content, reply.refusal) == ("refusal", (), "cyber: This asks for an exploit")


HTML = "<!doctype html><html><head><title>Sign in\n to Acme</title></head></html>"
WHOLE = '{"type": "message", "content": []}'


@pytest.mark.parametrize(
    ("page", "kind", "retryable", "said"),
    [
        (Page(body=HTML), "not_found", False, "does not answer as a Messages API: instead of a stream of events came a web page, “Sign in to Acme”."),
        (Page(body=WHOLE, content_type="application/json"), "not_found", False, f"instead of a stream of events came application/json (“{WHOLE}”)."),
        (Page(body="ok", content_type="text/plain"), "not_found", False, "came text/plain (“ok”)."),
        (Page(body=HTML, status=404), "not_found", False, "answered HTTP 404: a web page, “Sign in to Acme”. Check `messages.base_url`"),
        (Page(body=HTML, status=502), "server", True, "answered HTTP 502: a web page, “Sign in to Acme”."),
    ],
)  # fmt: skip
async def test_what_is_no_messages_api_is_named_with_its_address_and_with_what_came(page, kind, retryable, said):
    error = await error_of(Line(when="Hello", fault=page))
    assert (error.kind, error.retryable) == (kind, retryable)
    assert said in error.message
    assert "http://127.0.0.1:" in error.message


async def test_a_model_that_is_not_there_is_named():
    error = await error_of(Line(when="Hello", fault=Status(status=404, message="model: claude-sonnet-5-5")))
    assert re.match(
        r"The Messages API at http://127.0.0.1:\d+ has no model `claude-sonnet-5-5` \(HTTP 404, request req_fake0001: ", error.message
    )


@pytest.mark.parametrize("fault", [Status(status=529), Break(how="cut", at=9), Break(how="eof", at=9), Break(how="error", at=9)])
async def test_a_call_that_failed_keeps_the_name_the_provider_knows_it_by(fault):
    assert (await error_of(Line(when="Hello", content=CONTENT, fault=fault))).request_id.startswith("req_fake")


async def test_an_allowance_that_a_stream_says_is_used_up_is_told():
    heard: list[float] = []
    headers = {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-11-20T10:00:20Z",
        "date": "Fri, 20 Nov 2026 10:00:00 GMT",
    }
    async with served(Line(when="Hello", content=CONTENT, headers=headers), exhausted=heard.append) as (model, _fake):
        await model.reply(REQUEST, lambda _text: None)
    assert heard == [20.0]


async def test_content_nobody_asked_for_is_an_error():
    odd = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    error = await error_of(Line(when="Hello", content=(odd,), stop_reason="end_turn"))
    assert (error.kind, error.retryable) == ("server", False)


@pytest.mark.parametrize("given", ["a.py", ["a.py"], None, 7])
async def test_an_input_that_is_no_object_reaches_the_loop_which_answers_it(given):
    wrong = {"type": "tool_use", "name": "read", "input": given}
    async with served(Line(when="Hello", content=(wrong,))) as (model, _fake):
        reply = await model.reply(REQUEST, lambda _text: None)
    assert reply.content[0].input == {"(not an object)": json.dumps(given)}
    assert problem_with((READ,), reply.content[0]) == "`read` needs `path`."


@pytest.mark.parametrize("left_out", ["message_start", "message_delta"])
async def test_a_stream_that_leaves_out_what_it_used_is_a_fault_of_the_server(left_out):
    line = Line(when="Hello", content=CONTENT, usage={"input_tokens": 300})
    whole = [event.decode() for event in events(line, "m", itertools.count())]
    body = "".join(re.sub(r', "usage": {[^}]*}', "", event) if left_out in event else event for event in whole)
    error = await error_of(Line(when="Hello", fault=Page(body=body, content_type="text/event-stream")))
    assert (error.kind, error.retryable) == ("server", True)
    assert error.usage.input == (300 if left_out == "message_delta" else 0)
    assert error.usage.output > 1


async def test_a_stream_that_is_not_packed_as_its_header_says_is_a_fault_of_the_server():
    error = await error_of(Line(when="Hello", content=CONTENT, headers={"content-encoding": "gzip"}))
    assert (error.kind, error.retryable) == ("server", True)


async def test_a_server_that_is_not_there_is_a_connection_error(unused_tcp_port):
    model = MessagesApiModel(api_key="k", base_url=f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(ModelError) as caught:
        await model.reply(REQUEST, lambda _text: None)
    assert (caught.value.kind, caught.value.retryable) == ("connection", True)


@pytest.fixture
def _no_credentials(monkeypatch, tmp_path):
    for name in ("API_KEY", "AUTH_TOKEN", "PROFILE", "FEDERATION_RULE_ID", "CONFIG_DIR", "BASE_URL"):
        monkeypatch.delenv(f"ANTHROPIC_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("_no_credentials")
async def test_without_credentials_the_error_names_the_ways_out():
    assert not credentials_present()
    with pytest.raises(ModelError, match=r"ANTHROPIC_API_KEY.*local server.*ACP.*specthread demo") as caught:
        await MessagesApiModel().reply(REQUEST, lambda _text: None)
    assert (caught.value.kind, caught.value.retryable) == ("auth", False)


@pytest.mark.usefixtures("_no_credentials")
async def test_without_credentials_nobody_knows_what_a_model_takes_and_only_the_call_fails():
    assert await MessagesApiModel().room(REQUEST.model) is None


@pytest.mark.usefixtures("_no_credentials")
async def test_a_local_server_is_asked_without_credentials():
    async with FakeMessagesApi([Line(when="Hello", content=CONTENT)]) as fake:
        model = MessagesApiModel(base_url=fake.url)
        assert (await model.reply(REQUEST, lambda _text: None)).stop_reason == "tool_use"
        await model.close()


@pytest.mark.usefixtures("_no_credentials")
@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_credentials_of_the_environment_are_seen(monkeypatch, name):
    monkeypatch.setenv(name, "k")
    assert credentials_present()


@pytest.mark.usefixtures("_no_credentials")
def test_a_profile_on_disk_is_seen(tmp_path):
    (tmp_path / ".config/anthropic").mkdir(parents=True)
    (tmp_path / ".config/anthropic/active_config").write_text("work")
    assert credentials_present()


@pytest.mark.usefixtures("_no_credentials")
async def test_a_profile_that_cannot_be_used_is_an_error_about_credentials(monkeypatch, tmp_path):
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    with pytest.raises(ModelError, match="cannot be used: Config file not found") as caught:
        await MessagesApiModel().reply(REQUEST, lambda _text: None)
    assert (caught.value.kind, caught.value.retryable) == ("auth", False)


def test_the_key_is_not_in_the_models_description():
    assert "k-secret" not in repr(MessagesApiModel(api_key="k-secret"))


def test_importing_the_agents_never_loads_the_client():
    program = """
import importlib, pkgutil, sys
import specthread.agents
for module in pkgutil.iter_modules(specthread.agents.__path__):
    if module.name != "messages_api" and not module.name.startswith("acp_"):
        importlib.import_module(f"specthread.agents.{module.name}")
assert not {"anthropic", "genai_prices", "pydantic"} & set(sys.modules), sorted(sys.modules)
importlib.import_module("specthread.agents.messages_api")
assert "anthropic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_a_connection_that_breaks_after_the_request_was_sent_is_not_one_that_never_was():
    async def hang_up(reader, writer):
        await reader.read(1)
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        model = MessagesApiModel(api_key="k", base_url=f"http://127.0.0.1:{port}")
        with pytest.raises(ModelError) as caught:
            await model.reply(REQUEST, lambda _text: None)
        await model.close()
    assert (caught.value.kind, caught.value.retryable) == ("cut", True)


async def test_thinking_that_nobody_signed_is_not_sent_back():
    thought = Message(role="assistant", content=(Thinking(text="hm", signature=""), Text(text="So.")))
    request = replace(REQUEST, messages=(*REQUEST.messages, thought, *REQUEST.messages))
    async with served(Line(when="Hello", content=CONTENT)) as (model, fake):
        await model.reply(request, lambda _text: None)
    assert [block["type"] for block in fake.requests[0].body["messages"][1]["content"]] == ["text"]


async def test_half_a_surrogate_pair_is_neither_taken_over_nor_sent():
    request = replace(REQUEST, messages=(Message(role="user", content=(Text(text="\udce9 Hello"),)),))
    async with served(Line(when="Hello", content=(say("a \ud83d b"),))) as (model, _fake):
        reply = await model.reply(request, lambda _text: None)
    assert reply.content == (Text(text="a \ufffd b"),)


@pytest.fixture
def _clouds(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("CLOUD_ML_REGION", "europe-west1")
    monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", "acme")


@pytest.mark.usefixtures("_clouds")
@pytest.mark.parametrize(
    ("cloud", "url"),
    [("bedrock", "https://bedrock-runtime.eu-central-1.amazonaws.com"), ("vertex", "https://europe-west1-aiplatform.googleapis.com/v1/")],
)
async def test_a_cloud_is_reached_by_its_own_client_and_needs_no_key_of_ours(monkeypatch, cloud, url):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: object())
    model = MessagesApiModel(cloud=cloud)
    client = await model._connected()
    assert (str(client.base_url), client.max_retries) == (url, 0)
    # Its libraries are not installed here, and what they say is said in our words.
    with pytest.raises(ModelError, match="The credentials cannot be used: ") as caught:
        await model.reply(REQUEST, lambda _text: None)
    assert (caught.value.kind, caught.value.retryable) == ("auth", False)


@pytest.mark.parametrize(("cloud", "title"), [("bedrock", "Amazon Bedrock"), ("vertex", "Google Vertex AI")])
async def test_what_a_cloud_needs_is_named_where_it_is_missing(monkeypatch, cloud, title):
    def nothing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.util.find_spec", nothing)
    with pytest.raises(ModelError, match=rf"{title} needs more .* install `specthread\[{cloud}\]`"):
        await MessagesApiModel(cloud=cloud).reply(REQUEST, lambda _text: None)


@pytest.mark.usefixtures("_clouds")
async def test_a_cloud_without_a_region_is_told_as_that(monkeypatch):
    monkeypatch.delenv("CLOUD_ML_REGION")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: object())
    with pytest.raises(ModelError, match="No region was given"):
        await MessagesApiModel(cloud="vertex").reply(REQUEST, lambda _text: None)
