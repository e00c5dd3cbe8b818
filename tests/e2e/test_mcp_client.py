"""The MCP server with everything real but the model: the SDK's client, our program, the daemon, git; and over the daemon's death."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from mcp import Client, StdioServerParameters

from specthread import shim
from support.command_line import CommandLine
from support.daemon_life import daemon_of
from support.engine_world import DESIGN, REQUIREMENTS, plan, task
from support.fake_messages_api import FakeMessagesApi, Line, use
from support.git_fixture import git, isolate_git, make_repository
from support.rpc_client import calling

pytestmark = pytest.mark.slow

TASKS = plan(task(1, "Add sub", "python3 -m unittest -q test_calc", files="calc.py, test_calc.py"))
PLANNING = [
    Line(when="# Request", content=(use("write_document", document="requirements", text=REQUIREMENTS),)),
    Line(when="requirements is written", content=(use("write_document", document="design", text=DESIGN),)),
    Line(when="design is written", content=(use("write_document", document="tasks", text=TASKS),)),
    Line(when="tasks is written", content=(use("finish", summary="Planned."),)),
]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"calc.py": "def add(a, b):\n    return a + b\n"})


@asynccontextmanager
async def agent_of(specthread):
    """Starts an agent's client as a person who works in the repository would."""
    words = ["-m", "specthread", "mcp"]
    parameters = StdioServerParameters(command=specthread._start[0], args=words, env=specthread.environment, cwd=specthread.repository)
    async with asyncio.timeout(120), Client(parameters) as client:

        async def tool(name, **arguments):
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result.content
            return result.structured_content

        yield tool


async def test_an_agent_begins_a_spec_notes_and_asks_and_goes_on_over_the_death_of_the_daemon(tmp_path, repository):
    async with FakeMessagesApi(PLANNING) as api:
        specthread = CommandLine(repository, tmp_path, api.url)
        try:
            async with agent_of(specthread) as tool:
                name = (await tool("create_spectask", prompt="Add subtraction"))["id"]
                await specthread("watch", name, "--until", "human", "--json")
                spec = await tool("read_spec", id=name)
                assert [each["name"] for each in spec["documents"]] == ["requirements", "design", "tasks"]
                assert "SHALL return their difference" in spec["documents"][0]["text"]
                await tool("report_progress", id=name, text="I read the spec.")
                await tool("record_decision", id=name, text="Numbers only.")
                assert not (await tool("ask", id=name, question="Negative results?", choices=["yes", "no"], wait_seconds=0))["answered"]

                daemon_of(tmp_path / "state").kill()
                shown = await tool("show_spectask", id=name)
                assert [(note["kind"], note["text"]) for note in shown["notes"]] == [
                    ("progress", "I read the spec."),
                    ("decision", "Numbers only."),
                    ("question", "Negative results?"),
                ]
                async with calling(shim.socket_path(str(tmp_path / "state")), role="mcp", client="raw") as raw:
                    documents = [{"document": each["name"], "digest": each["digest"]} for each in spec["documents"]]
                    assert (await raw.call("approve", id=name, documents=documents))["error"]["data"]["code"] == "human-only"

                waiting = asyncio.create_task(tool("ask", id=name, question="Negative results?"))
                await specthread("answer", name, "1")
                assert (await waiting)["answer"] == "yes"
            view = await specthread("show", name, "--json")
            assert view["state"] == "spec_review"
            assert not [each for each in view["documents"] if each["approval"] == "valid"]
            await specthread("daemon", "stop")
        finally:
            await specthread("daemon", "stop")
    said = git(repository, "log", "--format=%an: %s", f"spectask/{name}/specs")
    assert "through mcp: Note a decision: Numbers only." in said
    assert ": Answer a question: yes" in said
    files = git(repository, "ls-tree", "-r", "--name-only", f"spectask/{name}/specs").split()
    decisions = [json.loads(git(repository, "show", f"spectask/{name}/specs:{each}")) for each in files if "/decisions/" in each]
    assert [(each["text"], each.get("answer")) for each in decisions] == [("Numbers only.", None), ("Negative results?", "yes")]
