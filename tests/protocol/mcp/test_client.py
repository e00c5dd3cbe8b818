"""A real MCP client, the SDK's, over stdin and stdout of the real `specthread mcp`, which speaks to a daemon with the real rules."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from specthread import shim
from support.fake_engine import ID, FakeEngine, serving
from support.rpc_client import calling

COMMAND = [sys.executable, "-m", "specthread", "mcp"]
AHEAD = {"execute": True}


@pytest.fixture
async def person(monkeypatch):
    """A person's daemon, and the environment that reaches it; the folder's name is short, for the sake of sockets."""
    with tempfile.TemporaryDirectory(prefix="st-") as name:
        folder = Path(name)
        monkeypatch.setenv("HOME", name)
        monkeypatch.setenv("SPECTHREAD_STATE", str(folder / "state"))
        engine = FakeEngine(folder)
        async with serving(engine, folder, shim.socket_path(shim.state_folder(os.environ))) as path:
            yield engine, folder, path


@asynccontextmanager
async def client_in(folder, *arguments):
    parameters = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], *arguments], env=dict(os.environ), cwd=folder)
    async with asyncio.timeout(60), Client(parameters) as client:
        yield client


def words(result):
    return "".join(each.text for each in result.content)


async def test_it_creates_a_spectask_reads_it_reports_decides_and_asks(person):
    engine, folder, path = person
    async with client_in(folder) as client:
        made = await client.call_tool("create_spectask", {"prompt": "Add JSON output."})
        assert not made.is_error, words(made)
        (spectask,) = engine.visible.spectasks
        assert made.structured_content["id"] == spectask
        assert engine.visible.spectasks[spectask].repository == str(folder)
        await engine.plan(spectask)

        listed = await client.call_tool("list_spectasks", {})
        assert [each["id"] for each in listed.structured_content["spectasks"]] == [spectask]
        shown = await client.call_tool("show_spectask", {"id": spectask})
        assert [need["kind"] for need in shown.structured_content["needs"]] == ["review"]
        assert "To be approved: requirements, design, tasks." in words(shown)
        spec = await client.call_tool("read_spec", {"id": spectask})
        assert "# Requirements" in words(spec)
        one = await client.call_tool("read_spec", {"id": spectask, "document": "tasks", "first_line": 3})
        assert [(each["name"], each["text"][:6]) for each in one.structured_content["documents"]] == [("tasks", "- [ ] ")]
        assert not (await client.call_tool("trace_requirements", {"id": spectask})).is_error

        assert words(await client.call_tool("report_progress", {"id": spectask, "text": "Half of it."})).endswith(": Half of it.")
        assert " decided: JSON." in words(await client.call_tool("record_decision", {"id": spectask, "text": "JSON."}))
        assert [note.kind for note in engine.visible.spectasks[spectask].notes] == ["progress", "decision"]

        asking = asyncio.create_task(
            client.call_tool("ask", {"id": spectask, "question": "Tabs or spaces?", "choices": ["Tabs", "Spaces"]})
        )
        async with calling(path) as human:
            await human.call("watch", id=spectask, since=0)
            while (await human.note())["params"]["kind"] != "QuestionPut":
                pass
            await human.call("answer", target=spectask, text="Spaces")
        answered = await asking
        assert answered.structured_content == {"question": answered.structured_content["question"], "answered": True, "answer": "Spaces"}
        owner = engine.visible.spectasks[spectask].owner.name
        assert owner.startswith("Ada through ")


async def test_what_goes_wrong_is_told_by_the_tool_in_sentences(person):
    engine, folder, _ = person
    await engine.create()
    async with client_in(folder) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert not {"approve", "accept", "run", "answer", "allow"} & set(tools)
        assert all(tool.description and tool.title and tool.input_schema["additionalProperties"] is False for tool in tools.values())
        assert {name for name, tool in tools.items() if tool.annotations.read_only_hint} >= {
            "list_spectasks",
            "read_spec",
            "check_documents",
        }
        for name, arguments, sentence in (
            ("approve", {"id": ID}, "There is no tool `approve` here."),
            ("show_spectask", {}, "`show_spectask` needs `id`."),
            ("show_spectask", {"id": "nobody"}, "There is no SpecTask nobody."),
            ("create_spectask", {"prompt": "x", **AHEAD}, "`create_spectask` knows no `execute`"),
            ("create_spectask", {"prompt": " "}, "must not be empty"),
            ("comment", {"id": ID, "document": "design", "line": 0, "text": "x"}, "`line` of `comment` must be at least 1."),
            ("spawn", {"id": ID, "work": "Do it"}, f"Nothing of {ID} runs yet"),
            ("check_documents", {"path": "nowhere"}, "There is nothing at nowhere."),
        ):
            result = await client.call_tool(name, arguments)
            assert (result.is_error, result.structured_content) == (True, None)
            assert sentence in words(result)


async def test_an_unanswered_question_comes_back_in_time(person):
    engine, folder, _ = person
    await engine.create()
    async with client_in(folder) as client:
        result = await client.call_tool("ask", {"id": ID, "question": "Why?", "wait_seconds": 0})
        assert result.structured_content["answered"] is False
        assert "Nobody has answered yet." in words(result)
    assert [note.text for note in engine.visible.spectasks[ID].notes] == ["Why?"]


async def test_many_tools_are_used_at_once(person):
    engine, folder, _ = person
    await engine.create()
    async with client_in(folder) as client:
        texts = [f"Step {number}." for number in range(20)]
        results = await asyncio.gather(*(client.call_tool("report_progress", {"id": ID, "text": text}) for text in texts))
    assert not any(result.is_error for result in results)
    assert sorted(note.text for note in engine.visible.spectasks[ID].notes) == sorted(texts)


GARBAGE = [
    b"\xff\xfe\x00",
    b"{nonsense",
    b"[" * 100_000,
    b"[]",
    b"null",
    b'"text"',
    b'{"jsonrpc": "1.0", "id": 1, "method": "tools/list"}',
    b'{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": 7}}',
    b'{"jsonrpc": "2.0", "id": 3, "method": "dance"}',
    b'{"jsonrpc": "2.0", "id": {}, "method": "tools/list"}',
    b'{"jsonrpc": "2.0", "method": "notifications/nothing"}',
    b'{"jsonrpc": "2.0", "id": 4, "result": {}}',
    b"a" * 3_000_000,
]


def test_garbage_on_stdin_neither_ends_it_nor_is_answered_by_anything_but_messages(tmp_path):
    hello = {
        "jsonrpc": "2.0",
        "id": 100,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
    }
    first = json.dumps(hello).encode()
    last = b'{"jsonrpc": "2.0", "id": 101, "method": "tools/list"}'
    said = b"\n".join([*GARBAGE, first, b'{"jsonrpc": "2.0", "method": "notifications/initialized"}', *GARBAGE, last, b""])
    environment = {**os.environ, "HOME": str(tmp_path), "SPECTHREAD_STATE": str(tmp_path / "state")}
    ended = subprocess.run(COMMAND, input=said, capture_output=True, cwd=tmp_path, env=environment, timeout=60, check=False)
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 0, ended.stderr.decode()
    assert {100, 101} <= {answer.get("id") for answer in answers}
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert next(each for each in answers if each.get("id") == 101)["result"]["tools"]
    assert not (tmp_path / "state").exists()
