"""The MCP server over HTTP: for whoever has the token, and for nobody else who reaches the address."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from specthread import shim
from specthread.protocol.mcp.http import TOKEN, guarded, token_in
from support.fake_engine import ID, FakeEngine, serving


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@asynccontextmanager
async def served(folder):
    """Starts the real program and yields its address once it listens."""
    port = free_port()
    environment = {**os.environ, "HOME": str(folder), "SPECTHREAD_STATE": str(folder / "state")}
    command = [sys.executable, "-m", "specthread", "mcp", "--http", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environment, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(60):
            said = (await process.stderr.readline()).decode()
        assert said.startswith(f"MCP is served at http://127.0.0.1:{port}/mcp. "), said
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        await process.wait()


async def test_a_client_with_the_token_works_and_all_others_are_turned_away(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="st-") as name:
        folder = Path(name)
        monkeypatch.setenv("SPECTHREAD_STATE", str(folder / "state"))
        engine = FakeEngine(folder)
        await engine.create()
        async with serving(engine, folder, shim.socket_path(shim.state_folder(os.environ))), served(folder) as url:
            file = folder / "state" / TOKEN
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            right = {"Authorization": f"Bearer {file.read_text().strip()}"}
            async with (
                httpx2.AsyncClient(headers=right, timeout=30) as http,
                Client(streamable_http_client(url, http_client=http)) as client,
            ):
                shown = await client.call_tool("show_spectask", {"id": ID})
                assert shown.structured_content["id"] == ID
            async with httpx2.AsyncClient(timeout=30) as http:
                for headers, status in (
                    ({}, 401),
                    ({"Authorization": "Bearer wrong"}, 401),
                    ({"Authorization": right["Authorization"][:-1]}, 401),
                    ({**right, "Host": "evil.example"}, 421),
                    ({**right, "Host": "127.0.0.1"}, 421),
                    ({**right, "Origin": "http://evil.example"}, 403),
                    ({**right, "Origin": "null"}, 403),
                ):
                    for method in ("GET", "POST", "DELETE"):
                        assert (await http.request(method, url, headers=headers)).status_code == status


async def test_it_listens_on_this_machine_alone():
    reached = []

    async def app(scope, receive, send):
        reached.append(scope["path"])

    sent = []

    async def send(message):
        sent.append(message)

    for host in (b"0.0.0.0:5", b"192.168.0.1:5", b"[::1]:5", b"localhost:6"):
        scope = {"type": "http", "path": "/mcp", "headers": [(b"host", host), (b"authorization", b"Bearer t")]}
        await guarded(app, "t", 5)(scope, None, send)
    assert not reached
    assert {message["status"] for message in sent if "status" in message} == {421}


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "specthread", "mcp", "--http", "--port", str(taken.getsockname()[1])]
        environment = {**os.environ, "HOME": str(tmp_path), "SPECTHREAD_STATE": str(tmp_path / "state")}
        ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False)
    assert "Name another one with --port." in ended.stderr


def test_the_token_is_kept_and_is_made_anew_where_others_could_have_read_it(tmp_path):
    known = token_in(tmp_path)
    assert len(known) > 40
    assert token_in(tmp_path) == known
    (tmp_path / TOKEN).chmod(0o644)
    assert token_in(tmp_path) != known
    assert stat.S_IMODE((tmp_path / TOKEN).stat().st_mode) == 0o600
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine\n")
    elsewhere.chmod(0o600)
    (tmp_path / TOKEN).unlink()
    (tmp_path / TOKEN).symlink_to(elsewhere)
    assert token_in(tmp_path) != "mine"
    assert elsewhere.read_text() == "mine\n"


@pytest.mark.parametrize("module", ["specthread.daemon", "specthread.protocol.gate", "specthread.cli.app"])
def test_neither_an_idle_daemon_nor_another_verb_loads_it(module):
    program = f"import sys, {module}; sys.exit(bool({{'mcp', 'starlette', 'uvicorn', 'mcp_types'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
