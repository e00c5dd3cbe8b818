"""`specthread mcp` in a real sandbox that is shown the door of a session: the SDK's client is that session, and nobody else."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from contextlib import asynccontextmanager

import pytest
from mcp import Client, StdioServerParameters

from specthread.agents import sandbox
from specthread.engine.doors import INSIDE, server_program
from support.door import OTHER, RUN, a_door
from support.fake_engine import ID

pytestmark = pytest.mark.skipif(not sandbox.probe().available, reason="no bubblewrap here")


@asynccontextmanager
async def inside(tmp_path, mount):
    """Starts the server where everything is read-only and only the door leads out."""
    (tmp_path / "home").mkdir()
    arguments = [
        *("--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run"),
        *("--ro-bind", str(mount.source), INSIDE, "--tmpfs", str(mount.source.parent), "--setenv", "HOME", str(tmp_path / "home")),
        *("--", sys.executable, "-m", "specthread", "mcp"),
    ]
    parameters = StdioServerParameters(command="bwrap", args=arguments, env=dict(os.environ), cwd=tmp_path)
    async with asyncio.timeout(60), Client(parameters) as client:
        yield client


def words(result):
    return "".join(each.text for each in result.content)


async def test_it_works_for_its_session_and_for_nothing_else(tmp_path):
    async with a_door(tmp_path) as (place, mount), inside(tmp_path, mount) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert tools == [
            "show_spectask",
            "read_spec",
            "trace_requirements",
            "report_progress",
            "record_decision",
            "ask",
            "check_documents",
            "coordinate",
            "finish",
        ]
        assert (await client.call_tool("show_spectask", {})).structured_content["id"] == ID
        other = await client.call_tool("show_spectask", {"id": OTHER})
        assert (other.is_error, words(other)) == (True, "`show_spectask` knows no `id`; it takes .")
        for name in ("approve", "accept", "answer", "create_spectask", "list_spectasks"):
            assert (await client.call_tool(name, {"id": ID})).is_error
        assert not (await client.call_tool("report_progress", {"text": "Half of it."})).is_error
        assert place.engine.visible.spectasks[ID].notes[0].run == RUN
        spawned = await client.call_tool("coordinate", {"action": "spawn", "text": "Write it"})
        assert (spawned.is_error, words(spawned)) == (False, "ws-3 was spawned.")
        place.missing = "There is an open question."
        assert (await client.call_tool("finish", {"summary": "Done."})).is_error
        place.missing = None
        assert words(await client.call_tool("finish", {"summary": "Done."})).startswith("Taken.")
        assert place.claims == ["Done.", "Done."]
        asked = await client.call_tool("ask", {"question": "Tabs?", "wait_seconds": 0})
        assert asked.structured_content["answered"] is False
        assert place.engine.visible.spectasks[ID].sessions[RUN].state == "waiting"


async def test_where_the_session_is_over_its_tools_say_so(tmp_path):
    async with a_door(tmp_path) as (_, mount):
        kept = inside(tmp_path, mount)
        client = await kept.__aenter__()
        assert not (await client.call_tool("show_spectask", {})).is_error
    gone = await client.call_tool("check_documents", {})
    assert gone.is_error
    assert words(gone).startswith(f"There is no door at {INSIDE}")
    await kept.__aexit__(None, None, None)


MESSAGES = """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"record_decision","arguments":{"text":"JSON."}}}
"""


async def test_a_sandbox_of_ours_needs_to_be_shown_the_door_and_the_program_alone(tmp_path):
    async with a_door(tmp_path) as (place, mount):
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "said").write_text(MESSAGES)
        command, shown = server_program()
        work = sandbox.Mount(source=tmp_path / "work", target="/project", writable=True)
        profile = sandbox.SandboxProfile(mounts=(*shown, work, mount), cwd="/project", environment={})
        # The answer is waited for before the client goes, as a client does.
        told = await sandbox.run(
            f"(cat said; until grep -q JSON answers; do sleep 0.1; done) | {shlex.join(command)} > answers; cat answers",
            profile,
            timeout=60,
        )
        assert " decided: JSON." in told.output, told.output
        assert place.engine.visible.spectasks[ID].notes[0].run == RUN
