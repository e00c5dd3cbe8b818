"""Real Claude Code, offline, with our MCP server configured: its model begins a spec, reads it, reports and asks, under the daemon's real rules."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from specthread import shim
from support.fake_engine import ID, FakeEngine, serving
from support.fake_messages_api import use
from support.other_client_api import other_client_api
from support.source_tree import ROOT

CLAUDE = ROOT / "build" / "agents" / "node_modules" / ".bin" / "claude"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CLAUDE.exists(), reason="tests/agents/install puts Claude Code there")]

TOOLS = ("create_spectask", "show_spectask", "read_spec", "report_progress", "ask")
TURNS = [
    use("mcp__specthread__create_spectask", prompt="Add JSON output."),
    use("mcp__specthread__show_spectask", id="task-0001"),
    use("mcp__specthread__read_spec", id=ID, document="requirements"),
    use("mcp__specthread__report_progress", id=ID, text="I read it."),
    use("mcp__specthread__ask", id=ID, question="Tabs?", wait_seconds=0),
]


async def claude(folder, url, prompt):
    """Returns what Claude Code printed, message by message."""
    server = {"command": sys.executable, "args": ["-m", "specthread", "mcp"], "env": {"SPECTHREAD_STATE": str(folder / "state")}}
    (folder / "mcp.json").write_text(json.dumps({"mcpServers": {"specthread": server}}))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "test-key-not-a-secret",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "ENABLE_TOOL_SEARCH": "false",
    }
    words = ["-p", prompt, "--mcp-config", str(folder / "mcp.json"), "--strict-mcp-config", "--output-format", "stream-json", "--verbose"]
    allowed = ",".join(f"mcp__specthread__{name}" for name in TOOLS)
    process = await asyncio.create_subprocess_exec(
        *(str(CLAUDE), *words, "--allowedTools", allowed),
        cwd=folder / "work",
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, out.decode()
    return [json.loads(line) for line in out.splitlines() if line.startswith(b"{")]


async def test_claude_code_begins_a_spec_reads_it_reports_and_asks(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="st-") as name, other_client_api(TURNS) as (url, heard):
        folder = Path(name)
        for part in ("home", "work"):
            (folder / part).mkdir()
        monkeypatch.setenv("SPECTHREAD_STATE", str(folder / "state"))
        engine = FakeEngine(folder)
        await engine.create()
        await engine.plan()
        async with serving(engine, folder, shim.socket_path(shim.state_folder(os.environ))):
            said = await claude(folder, url, "Begin a spec for JSON output.")
    assert next(each for each in said if each.get("subtype") == "init")["mcp_servers"][0]["status"] == "connected"
    results = [json.dumps(each) for each in heard.values()]
    assert len(results) == len(TURNS), said
    assert not any('"is_error": true' in each for each in results), results
    made = engine.visible.spectasks["task-0001"]
    assert (made.prompt, made.owner.name) == ("Add JSON output.", "Ada through claude-code")
    assert "Requirement" in results[2]
    assert [(note.kind, note.text) for note in engine.visible.spectasks[ID].notes] == [("progress", "I read it."), ("question", "Tabs?")]
