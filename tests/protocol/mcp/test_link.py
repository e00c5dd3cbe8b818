"""The way from the MCP server to the daemon: it waits for what happens, and goes on over a lost connection without doing anything twice."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from specthread import shim
from specthread.protocol.mcp.link import Link, ToolError, new_key
from support.fake_engine import ID, FakeEngine, serving
from support.rpc_client import calling


def entering(path):
    def enter(client):
        link = socket.socket(socket.AF_UNIX)
        link.connect(path)
        shim.greet(link, role="mcp", client=client, cwd="/")
        return link

    return enter


async def test_an_answer_that_comes_while_it_waits_is_heard_when_it_comes(tmp_path):
    engine, looked = FakeEngine(tmp_path), asyncio.Queue()
    await engine.create()

    def answered(result):
        looked.put_nowait(result["answer"])
        return bool(result["answer"])

    async with serving(engine, tmp_path) as path, calling(path) as person, asyncio.timeout(20):
        link = Link(entering(path), "claude-code")
        waiting = asyncio.create_task(link.ask_until("ask", answered, 600, id=ID, question="Tabs?"))
        assert [await looked.get(), await looked.get()] == ["", ""]
        await person.call("answer", target=ID, text="Yes.")
        assert (await waiting)["answer"] == "Yes."


async def test_what_is_asked_of_a_daemon_that_goes_away_is_asked_again_and_done_once(tmp_path):
    engine, entered = FakeEngine(tmp_path), []
    await engine.create()
    async with serving(engine, tmp_path) as path:

        def enter(client):
            """The first connection takes the request to the daemon and breaks before the answer is read."""
            link = entering(path)(client)
            entered.append(link)
            if len(entered) > 1:
                return link
            near, far = socket.socketpair()
            threading.Thread(target=carry_one, args=[far, link]).start()
            return near

        done = await Link(enter, "claude-code").ask("note", id=ID, kind="progress", text="Half.", key=new_key())
        assert (len(entered), done["text"]) == (2, "Ada through claude-code: Half.")
    assert [note.text for note in engine.visible.spectasks[ID].notes] == ["Half."]


def carry_one(client, daemon):
    """Carries one request to the daemon, and loses the answer."""
    daemon.sendall(client.recv(65_536))
    daemon.recv(65_536)
    client.close()


async def test_where_there_is_no_daemon_to_be_had_the_agent_is_told_why():
    def enter(_):
        raise shim.AttachError("The daemon started and ended again at once.", "`specthread doctor` looks for the usual causes.")

    with pytest.raises(ToolError, match=r"ended again at once\. `specthread doctor`"):
        await Link(enter, "x").ask("list")


async def test_a_connection_that_breaks_each_time_ends_in_a_sentence():
    kept = []

    def enter(_):
        near, far = socket.socketpair()
        far.close()
        kept.append(near)
        return near

    with pytest.raises(ToolError, match="went away before it answered"):
        await Link(enter, "x").ask("list")
    assert len(kept) == 2
