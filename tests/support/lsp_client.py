"""An editor as the protocol sees it: raw messages over the daemon's socket, with answers to what the server asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from specthread import __version__
from specthread.domain import commands
from specthread.domain.ids import CommentId

DEADLINE = 10.0
PLAIN: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "window": {"workDoneProgress": True, "showDocument": {"support": True}, "showMessage": {}},
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}, "codeLens": {"refreshSupport": True}},
    "textDocument": {"publishDiagnostics": {"versionSupport": True}, "codeAction": {}, "codeLens": {}},
}
"""What an editor without anything of ours can do."""
RICH = {**PLAIN, "experimental": {"specthread": {"comments": True}}}


class LspClient:
    """One editor. `answers` maps a server's request to a function of its params; what is not there is never answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.answers: dict[str, Any] = {
            "window/workDoneProgress/create": lambda _: None,
            "window/showDocument": lambda _: {"success": True},
            "workspace/codeLens/refresh": lambda _: None,
        }
        self.heard: list[dict[str, Any]] = []
        self.on_note: Callable[[str, Any], object] = lambda _method, _params: None
        self.open_requests: dict[str, Any] = {}
        self.capabilities: dict[str, Any] = {}
        self._number = 0
        self._versions: dict[str, int] = {}
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    # --- wire ---

    def send(self, message: dict[str, Any]) -> None:
        self.send_body(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def send_body(self, body: bytes) -> None:
        self.writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _read(self) -> None:
        while True:
            length = 0
            while (line := await self.reader.readline()).strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            if not length:
                break
            self._take(json.loads(await self.reader.readexactly(length)))
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())
        self._tell()

    def _take(self, message: dict[str, Any]) -> None:
        self.heard.append(message)
        if "method" in message and "id" in message:
            answer = self.answers.get(message["method"])
            if answer is None:
                self.open_requests[message["id"]] = message
            else:
                self.send({"id": message["id"], "result": answer(message.get("params"))})
        elif "id" in message and message["id"] in self._waiting:
            waiting = self._waiting.pop(message["id"])
            if not waiting.done():
                waiting.set_result(message)
        elif message.get("method") == "$/cancelRequest":
            self.open_requests.pop(message["params"]["id"], None)
        elif "method" in message:
            self.on_note(message["method"], message.get("params"))
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def until(self, condition) -> Any:
        """Returns what `condition()` gives once that is true of what was heard."""
        async with asyncio.timeout(DEADLINE):
            while not (found := condition()):
                await self._news.wait()
            return found

    # --- requests ---

    async def ask(self, method: str, params: Any = None) -> dict[str, Any]:
        """Returns the whole answer, result or error."""
        return await self.ask_nowait(method, params)

    def ask_nowait(self, method: str, params: Any = None) -> asyncio.Future[dict[str, Any]]:
        self._number += 1
        future = self._waiting[self._number] = asyncio.get_running_loop().create_future()
        self.send({"id": self._number, "method": method, "params": params})
        return asyncio.ensure_future(asyncio.wait_for(future, DEADLINE))

    async def get(self, method: str, params: Any = None) -> Any:
        answer = await self.ask(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params})

    async def start(self, folder: Path, capabilities: dict[str, Any]) -> None:
        self.capabilities = capabilities
        root = folder.as_uri()
        params = {"processId": None, "clientInfo": {"name": "test"}, "rootUri": root, "capabilities": capabilities}
        self.started = await self.get("initialize", {**params, "workspaceFolders": [{"uri": root, "name": "work"}]})
        self.notify("initialized", {})

    async def command(self, name: str, *arguments: Any) -> Any:
        params = {"command": f"specthread.{name}", **({"arguments": list(arguments)} if arguments else {})}
        return await self.get("workspace/executeCommand", params)

    # --- documents ---

    def open(self, path: Path, text: str | None = None) -> str:
        uri = path.as_uri()
        self._versions[uri] = 1
        document = {"uri": uri, "languageId": "markdown", "version": 1, "text": path.read_text() if text is None else text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def type(self, uri: str, text: str) -> None:
        """Replaces the whole text."""
        self._versions[uri] += 1
        document = {"uri": uri, "version": self._versions[uri]}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def save(self, uri: str, text: str) -> None:
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri}, "text": text})

    def close(self, uri: str) -> None:
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    # --- what was heard ---

    def notes(self, method: str) -> list[Any]:
        return [message.get("params") for message in self.heard if message.get("method") == method and "id" not in message]

    def messages(self) -> list[str]:
        return [params["message"] for params in self.notes("window/showMessage")]

    def requests(self, method: str) -> list[Any]:
        return [message for message in self.heard if message.get("method") == method and "id" in message]

    def diagnostics(self, uri: str) -> list[dict[str, Any]]:
        """Returns the last that was published."""
        published = [params for params in self.notes("textDocument/publishDiagnostics") if params["uri"] == uri]
        return published[-1]["diagnostics"] if published else []

    def codes(self, uri: str) -> list[str]:
        return [each.get("code", "") for each in self.diagnostics(uri)]

    def answer(self, identifier: str, result: Any) -> None:
        self.open_requests.pop(identifier, None)
        self.send({"id": identifier, "result": result})

    async def asked(self, words: str) -> dict[str, Any]:
        """Returns the open message box that says these words."""

        def box():
            return next((each for each in self.open_requests.values() if words in each["params"].get("message", "")), None)

        return await self.until(box)

    def press(self, box: dict[str, Any], title: str) -> None:
        assert title in [action["title"] for action in box["params"]["actions"]], box
        self.answer(box["id"], {"title": title})

    async def stop(self) -> None:
        self.writer.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def told(editor: LspClient, engine: Any) -> None:
    """Returns when an editor was told of all that happened so far: of a SpecTask that begins now it shows a comment after that."""
    spectask = next(iter(engine.visible.spectasks.values()))
    uri = editor.open(engine.desk(spectask.id) / spectask.documents["design"].path)
    remark = commands.Remark(comment=CommentId(f"c-{len(engine.envelopes)}"), quote="", section="", line=1, text="Told?")
    await engine.do(commands.AddComment(spectask=spectask.id, document="design", remark=remark))
    await editor.until(lambda: "comment" in editor.codes(uri))


@asynccontextmanager
async def editing(path: str, folder: Path, *, capabilities: dict[str, Any] | None = None, start: bool = True, **hello: Any):
    """Yields an editor that said hello on a socket, and initialize where `start`."""
    reader, writer = await asyncio.open_unix_connection(path, limit=2**26)
    first = {"specthread": 1, "role": "lsp", "version": __version__, "cwd": str(folder), "client": "test", "pid": 1} | hello
    writer.write(json.dumps(first).encode() + b"\n")
    welcome = json.loads(await reader.readline())
    assert "error" not in welcome, welcome
    client = LspClient(reader, writer)
    if start:
        await client.start(folder, capabilities or PLAIN)
    try:
        yield client
    finally:
        await client.stop()
