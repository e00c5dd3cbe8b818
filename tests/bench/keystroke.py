"""A key is pressed in a document that a language server of its own process has open: how long until what is wrong is told again."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from markdown_it import MarkdownIt

from bench.peers import MARKDOWN, node_script
from support.lsp_client import PLAIN, LspClient

DEADLINE = 30
_Client = TypeVar("_Client", bound=LspClient)
VALIDATE = {
    "enabled": True,
    **{kind: {"enabled": "warning"} for kind in ("referenceLinks", "fragmentLinks", "unusedLinkDefinitions", "duplicateLinkDefinitions")},
    "fileLinks": {"enabled": "warning", "markdownFragmentLinks": "inherit"},
    "ignoredLinks": [],
}
"""Everything that the markdown server looks for."""


@dataclass(frozen=True, slots=True)
class Change:
    """What stands on a line (from 0) between two characters is replaced; an end on the next line takes the line break with it."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str

    def content(self) -> Mapping[str, Any]:
        """The same as the protocol says it."""
        start, end = ({"line": line, "character": character} for line, character in (self.start, self.end))
        return {"range": {"start": start, "end": end}, "text": self.text}


@dataclass(slots=True)
class Open:
    """A document open in a server. `wait` is what the client does after a change until the findings of that version are there."""

    editor: LspClient
    uri: str
    wait: Callable[[Open], Awaitable[object]]
    version: int = 1

    async def press(self, change: Change) -> None:
        """Makes one change, and returns when its findings were told."""
        self.version += 1
        document = {"uri": self.uri, "version": self.version}
        self.editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change.content()]})
        await self.wait(self)
        self.editor.heard.clear()

    def presses(self, changes: Iterator[Change]) -> Callable[[], Awaitable[None]]:
        """Returns a step that makes the next change each time."""
        return lambda: self.press(next(changes))


async def _published(opened: Open) -> None:
    told = asyncio.get_running_loop().create_future()

    def note(method: str, params: Mapping[str, Any]) -> None:
        is_ours = method == "textDocument/publishDiagnostics" and params["uri"] == opened.uri
        if is_ours and params.get("version") == opened.version and not told.done():
            told.set_result(None)

    opened.editor.on_note = note
    await asyncio.wait_for(told, DEADLINE)


async def _pulled(opened: Open) -> None:
    answer = await opened.editor.get("textDocument/diagnostic", {"textDocument": {"uri": opened.uri}})
    assert answer["items"], "nothing was found, so nothing was looked for"


class _Parsing(LspClient):
    """A client that has read its document once, and answers with what it found whenever it is asked to read."""

    tokens = b"[]"

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("method") == "markdown/parse":
            self.send_body(b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (message["id"], self.tokens))
        else:
            super()._take(message)


@asynccontextmanager
async def served(argv: Sequence[str], file: Path, text: str, language: str = "markdown") -> AsyncIterator[Open]:
    """Yields a file with this text as a server that publishes its findings has it open."""
    async with _started(argv, file.parent, LspClient) as editor:
        await editor.start(file.parent, PLAIN)
        opened = Open(editor, file.as_uri(), _published)
        _open(opened, language, text)
        await _published(opened)
        yield opened


@asynccontextmanager
async def served_by_markdown(file: Path, text: str) -> AsyncIterator[Open]:
    """Yields a file with this text as the markdown server of VS Code has it open, which is asked for its findings.

    It leaves reading to its client. What it would get is prepared once, so that an editor's own work is not counted.
    """
    argv = [*node_script(MARKDOWN, "dist/node/workerMain.js"), "--stdio"]
    async with _started(argv, file.parent, _Parsing) as editor:
        editor.tokens = json.dumps([each.as_dict(as_upstream=True) for each in MarkdownIt("commonmark").parse(text)]).encode()
        editor.answers |= {
            "markdown/findMarkdownFilesInWorkspace": lambda _: [file.as_uri()],
            "markdown/fs/readFile": lambda _: list(text.encode()),
            "markdown/fs/readDirectory": lambda _: [[file.name, {"isDirectory": False}]],
            "markdown/fs/stat": lambda _: None,
            "markdown/fs/watcher/create": lambda _: None,
            "markdown/fs/watcher/delete": lambda _: None,
            "workspace/diagnostic/refresh": lambda _: None,
            "client/registerCapability": lambda _: None,
        }
        await editor.start(file.parent, PLAIN)
        editor.notify("workspace/didChangeConfiguration", {"settings": {"markdown": {"validate": VALIDATE}}})
        opened = Open(editor, file.as_uri(), _pulled)
        _open(opened, "markdown", text)
        yield opened


def _open(opened: Open, language: str, text: str) -> None:
    document = {"uri": opened.uri, "languageId": language, "version": opened.version, "text": text}
    opened.editor.notify("textDocument/didOpen", {"textDocument": document})


@asynccontextmanager
async def _started(argv: Sequence[str], folder: Path, client: type[_Client]) -> AsyncIterator[_Client]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec(*argv, **pipes, cwd=folder, env=dict(os.environ), limit=2**26)
    assert process.stdin
    assert process.stdout
    editor = client(process.stdout, process.stdin)
    try:
        yield editor
    finally:
        await editor.stop()
        await asyncio.wait_for(process.wait(), DEADLINE)


# --- what is typed ------------------------------------------------------------------------------------------------------------


def prose(text: str, marker: str) -> Iterator[Change]:
    """Yields letters, one after the other at the end of the line in the middle that holds the marker; a long line is begun anew."""
    line, length = _middle(text, marker)
    at = length
    for letter in itertools.cycle("and what is typed here "):
        if at > length + 60:
            yield Change((line, length), (line, at), "")
            at = length
        yield Change((line, at), (line, at), letter)
        at += 1


def reference(text: str) -> Iterator[Change]:
    """Yields a digit in the middle's list of requirements, so that it names one that is not there, and the old one again."""
    line, _ = _middle(text, "_Requirements:")
    start = text.split("\n")[line].index(".1,") + 1
    return itertools.cycle(Change((line, start), (line, start + 1), digit) for digit in "91")


def new_line(text: str, marker: str) -> Iterator[Change]:
    """Yields a line break in the middle, and takes it away again."""
    line, length = _middle(text, marker)
    return itertools.cycle((Change((line, length), (line, length), "\n"), Change((line, length), (line + 1, 0), "")))


def fence(text: str) -> Iterator[Change]:
    """Yields a code fence in the middle, which hides all that follows until the next one, and takes it away again."""
    line, _ = _middle(text, "- [")
    return itertools.cycle((Change((line, 0), (line, 0), "```\n"), Change((line, 0), (line + 1, 0), "")))


def _middle(text: str, marker: str) -> tuple[int, int]:
    lines = text.split("\n")
    middle = len(lines) // 2
    line = next(number for number in range(middle, len(lines)) if marker in lines[number])
    return line, len(lines[line])
