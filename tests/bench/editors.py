"""Editors at a daemon: how long one takes to be there, to be answered, to see what is wrong, and until all of twenty know what happened."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measure import Figure, at_most, beside, compared, in_turn
from bench.streaming_daemon import FOR_EVER
from specthread import shim
from support.fake_documents import TASKS
from support.git_fixture import make_repository
from support.lsp_client import RICH, LspClient, editing
from support.rpc_client import Caller, calling

PROGRAM = str(Path(sys.executable).parent / "specthread")
ECHO = str(Path(__file__).with_name("bare_server.py"))
STARTS = 30
REQUESTS = 400
KEYS = 200
EVENTS = 200
STREAMS = 6
KEY_LINES = 2_000
ATTACH_LIMIT_MS = 60
ALL_LIMIT_MS = 20
KEY_LIMIT_MS = 15
LONG = "and why " * 400
"""Makes events that a client which never reads cannot leave in the system's own buffers."""
EDITORS, LINES = 10, 9
"""Clients that follow: editors with faces of their own, and command lines; one more never reads."""


def figures() -> list[Figure]:
    """Returns the figures of editors."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = {"PATH": os.environ["PATH"], "HOME": name, "SPECTHREAD_STATE": str(folder / "state")}
        os.environ["HOME"] = name  # the user's git config has no part in this
        repository = make_repository(folder / "project", {"README.md": "# Project\n"})
        (folder / "state").mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.streaming_daemon", environ["SPECTHREAD_STATE"]], env={**os.environ, **environ}
        )
        try:
            return asyncio.run(_measure(repository, environ))
        finally:
            process.terminate()
            process.wait()


async def _measure(repository: Path, environ: Mapping[str, str]) -> list[Figure]:
    path = shim.socket_path(environ["SPECTHREAD_STATE"])
    while (link := shim.connect(path)) is None:  # noqa: ASYNC110  it says nothing when it listens
        await asyncio.sleep(0.05)
    link.close()
    found = [await _arrival(repository, environ), await _answers(repository, environ)]
    async with calling(path) as caller:
        spectask = await _spec(caller, repository)
        found.append(await _news(path, repository, caller, spectask))
        quiet = await _keys(path, repository)
        for number in range(STREAMS):
            await caller.call("new", path=str(repository), prompt=f"Stream {number}. {FOR_EVER}")
        busy = await _keys(path, repository)
        states = [each["state"] for each in (await caller.call("list"))["result"]["spectasks"]]
        assert states.count("planning") == STREAMS, states
    found.append(
        at_most(f"keystroke to diagnostics, {len(TASKS.splitlines())} lines, {STREAMS} streams", busy[0], limit=KEY_LIMIT_MS, tail=True)
    )
    found.append(
        compared(f"keystroke to diagnostics, {KEY_LINES:,} lines, {STREAMS} streams", busy[1], quiet[1], peer_name="without streams")
    )
    return found


# --- an editor arrives, and is answered -----------------------------------------------------------------------------------


@asynccontextmanager
async def _process(argv: Sequence[str], environ: Mapping[str, str], folder: Path) -> AsyncIterator[LspClient]:
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environ), cwd=folder, limit=2**26
    )
    assert process.stdin
    assert process.stdout
    editor = LspClient(process.stdout, process.stdin)
    try:
        yield editor
    finally:
        await editor.stop()
        await process.wait()


async def _arrival(repository: Path, environ: Mapping[str, str]) -> Figure:
    taken: list[float] = []

    async def arrive() -> None:
        start = time.perf_counter()
        async with _process([PROGRAM, "lsp"], environ, repository) as editor:
            await editor.get("initialize", {"processId": None, "rootUri": repository.as_uri(), "capabilities": {}})
            taken.append((time.perf_counter() - start) * 1000)

    async def bare() -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass", env=dict(environ))
        await process.wait()

    _, floor = await in_turn([arrive, bare], rounds=STARTS, warm=2)
    figure = beside("an editor attached and initialized", taken[2:], floor, floor_name="bare Python start", ratio=1)
    held = at_most(figure.name, taken[2:], limit=ATTACH_LIMIT_MS, tail=False)
    return Figure(
        name=held.name, target=held.target, measured=held.measured, floor=f"Python {figure.floor}", holds=held.holds, numbers=figure.numbers
    )


async def _answers(repository: Path, environ: Mapping[str, str]) -> Figure:
    async with (
        _process([PROGRAM, "lsp"], environ, repository) as ours,
        _process([sys.executable, ECHO], os.environ, repository) as peer,
    ):
        for editor in (ours, peer):
            await editor.start(repository, {})
        asked = {"textDocument": {"uri": (repository / "README.md").as_uri()}}

        def request(editor: LspClient) -> Any:
            return lambda: editor.get("textDocument/codeLens", asked)

        mine, floor = await in_turn([request(ours), request(peer)], rounds=REQUESTS // 20, block=20, warm=2)
    return compared("a request through the relay", mine, floor, peer_name="bare pygls without a daemon")


# --- what happened reaches everybody --------------------------------------------------------------------------------------


async def _spec(caller: Caller, repository: Path) -> str:
    """Asks for a SpecTask and returns its id once its documents wait for approval."""
    answer = await caller.call("new", path=str(repository), prompt="Add JSON output.")
    identifier = str(answer["result"]["spectask"]["id"])
    while (await caller.call("show", id=identifier))["result"]["state"] != "spec_review":  # noqa: ASYNC110  a client that asks
        await asyncio.sleep(0.05)
    return identifier


async def _news(path: str, repository: Path, caller: Caller, spectask: str) -> Figure:
    arrivals: dict[int, list[float]] = {}

    def arrived(params: Mapping[str, Any]) -> None:
        happened = datetime.fromisoformat(params["time"])
        arrivals.setdefault(params["seq"], []).append((datetime.now(UTC) - happened).total_seconds() * 1000)

    async with AsyncExitStack() as stack:
        for _ in range(EDITORS):
            await _follow_in_editor(stack, path, repository, arrived)
        readers = [await _follow_in_lines(stack, path, arrived) for _ in range(LINES)]
        await _stuck(stack, path)
        before = (await caller.call("status"))["result"]["seq"]
        for number in range(EVENTS):
            answer = await caller.call("comment", id=spectask, file="design", line=1, text=f"Remark {number} {LONG}")
            assert "result" in answer, answer
            await asyncio.sleep(0.01)
        async with asyncio.timeout(30):
            while len(whole := _reached_all(arrivals, before)) < EVENTS:  # noqa: ASYNC110  nobody says when
                await asyncio.sleep(0.05)
        for reader in readers:
            reader.cancel()
    return at_most(f"an event until all of {EDITORS + LINES + 1} clients have it, one of them stuck", whole, limit=ALL_LIMIT_MS, tail=True)


def _reached_all(arrivals: Mapping[int, list[float]], before: int) -> list[float]:
    """Returns how long each event after `before` took to the last of those that read, once it has reached all of them."""
    return [max(times) for seq, times in arrivals.items() if seq > before and len(times) == EDITORS + LINES]


async def _follow_in_editor(stack: AsyncExitStack, path: str, folder: Path, arrived: Any) -> None:
    editor = await stack.enter_async_context(editing(path, folder, capabilities=RICH))
    await editor.get("specthread/subscribe", {})
    editor.on_note = lambda method, params: arrived(params) if method == "specthread/event" else None


async def _follow_in_lines(stack: AsyncExitStack, path: str, arrived: Any) -> asyncio.Task[None]:
    line = await stack.enter_async_context(calling(path))
    await line.call("subscribe")

    async def read() -> None:
        while (message := json.loads(await line.reader.readline())) is not None:
            if message.get("method") == "specthread/event":
                arrived(message["params"])

    return asyncio.create_task(read())


async def _stuck(stack: AsyncExitStack, path: str) -> None:
    line = await stack.enter_async_context(calling(path))
    await line.call("subscribe")
    line.reader._transport.pause_reading()  # asyncio has no public word for it


# --- a key is pressed -----------------------------------------------------------------------------------------------------


async def _keys(path: str, repository: Path) -> tuple[list[float], list[float]]:
    """Returns the milliseconds from a keystroke to its diagnostics, in a small and in a long list of tasks, in an editor that follows everything."""
    async with editing(path, repository, capabilities=RICH) as editor:
        await editor.get("specthread/subscribe", {})
        lines = TASKS.splitlines(keepends=True)
        long = b"".join([lines[0], *(_task(number) for number in range(1, KEY_LINES // 4))])
        return await _typed(editor, repository, "small", TASKS), await _typed(editor, repository, "long", long)


def _task(number: int) -> bytes:
    return f"- [ ] {number}. Write part {number}\n  - _Files: src/part{number}.py_\n  - _Depends: none_\n  - _Check: python -m unittest test_{number}_\n".encode()


async def _typed(editor: LspClient, repository: Path, name: str, content: bytes) -> list[float]:
    file = repository / ".specs" / name / "tasks.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    uri = editor.open(file)
    middle = len(content.splitlines()) // 2
    taken = []
    for version in range(2, KEYS + 2):
        told = asyncio.get_running_loop().create_future()

        def published(method: str, params: Mapping[str, Any], version: int = version, told: asyncio.Future[None] = told) -> None:
            if (
                method == "textDocument/publishDiagnostics"
                and params["uri"] == uri
                and params.get("version") == version
                and not told.done()
            ):
                told.set_result(None)

        editor.on_note = published
        change = {"range": {"start": {"line": middle, "character": 3}, "end": {"line": middle, "character": 3}}, "text": "x"}
        start = time.perf_counter()
        editor.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]})
        await asyncio.wait_for(told, 10)
        taken.append((time.perf_counter() - start) * 1000)
        editor.heard.clear()
    editor.close(uri)
    return taken[KEYS // 10 :]
