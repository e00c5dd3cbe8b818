"""Clients that die at any moment: the daemon goes on, and nothing of them stays."""

from __future__ import annotations

import asyncio
import gc
import json
import random
from contextlib import suppress
from pathlib import Path

import pytest

from specthread import __version__
from specthread.protocol.lsp.session import Session
from specthread.protocol.rpc import RpcConnection
from support.fake_engine import ID, FakeEngine, serving
from support.lsp_client import PLAIN, RICH
from support.rpc_client import calling

CLIENTS = 100


def framed(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def hello(role):
    words = {"specthread": 1, "role": role, "version": __version__, "cwd": "/", "client": "doomed", "pid": 1}
    return json.dumps(words).encode() + b"\n"


def editor_says(engine, dice):
    """Yields what an editor sends in its life, in order."""
    live = (engine.desk() / engine.visible.spectasks[ID].documents["design"].path).as_uri()
    capabilities = dice.choice([PLAIN, RICH, {}])
    yield hello("lsp")
    yield framed({"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": capabilities}})
    yield framed({"method": "initialized", "params": {}})
    document = {"uri": live, "languageId": "markdown", "version": 1, "text": "# Design\n"}
    yield framed({"method": "textDocument/didOpen", "params": {"textDocument": document}})
    changed = {"textDocument": {"uri": live, "version": 2}, "contentChanges": [{"text": f"# Design {dice.random()}\n"}]}
    yield framed({"method": "textDocument/didChange", "params": changed})
    yield framed({"id": 2, "method": "specthread/subscribe", "params": {}})
    for verb in dice.sample(["approve", "answer", "new-task", "history", "nonsense", "comment"], 3):
        yield framed({"id": verb, "method": "workspace/executeCommand", "params": {"command": f"specthread.{verb}"}})


def line_says(dice):
    """Yields what a command line sends."""
    yield hello("rpc")
    for number, method in enumerate(dice.choices(["subscribe", "list", "status", "show", "nonsense"], k=4)):
        yield json.dumps({"jsonrpc": "2.0", "id": number, "method": f"specthread/{method}", "params": {"id": ID}}).encode() + b"\n"


async def live_and_die(path, engine, dice):
    reader, writer = await asyncio.open_unix_connection(path)
    said = list(editor_says(engine, dice) if dice.random() < 0.7 else line_says(dice))
    for message in said[: dice.randrange(len(said)) + 1]:
        cut = dice.randrange(1, len(message)) if dice.random() < 0.1 else len(message)
        writer.write(message[:cut])
        if dice.random() < 0.5:
            await writer.drain()
            await asyncio.sleep(0)
        if dice.random() < 0.3:
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.02)
        if cut < len(message):
            break
    if dice.random() < 0.5:
        writer.transport.abort()
    else:
        writer.close()


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_hundred_clients_that_die_at_any_moment_leave_nothing(tmp_path, seed):
    engine = FakeEngine(tmp_path)
    await engine.create(repository=str(tmp_path))
    await engine.plan()
    engine.place()
    dice = random.Random(seed)
    async with serving(engine, tmp_path) as path, calling(path) as witness:
        await live_and_die(path, engine, random.Random(0))  # what is made once, such as the pool of threads
        before = await at_rest(witness)
        await asyncio.gather(*(live_and_die(path, engine, random.Random(dice.random())) for _ in range(CLIENTS)))
        assert await at_rest(witness) == before
        assert "result" in await witness.call("show", id=ID)
        assert engine.buffers(ID).unsaved() == {}


async def at_rest(witness):
    """Returns how many tasks, open files and connections there are once only the witness is there."""
    async with asyncio.timeout(20):
        while (await witness.call("status"))["result"]["clients"] > 1:  # noqa: ASYNC110  a client that asks
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    gc.collect()
    objects = [each for each in gc.get_objects() if isinstance(each, Session | RpcConnection)]
    return len(asyncio.all_tasks()), open_files(), len(objects)


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))
