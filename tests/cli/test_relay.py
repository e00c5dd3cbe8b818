"""`specthread lsp`: an editor notices as little as can be of a daemon that dies, is stopped, or is not there."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp
from pygls.workspace import Workspace

from specthread import __version__, shim
from specthread.relay import Frames, Memory, framed
from support.demo_editing import relayed, specthread
from support.lsp_client import PLAIN, RICH

URI = "file:///a.md"


@pytest.fixture
def home(environ):
    """Yields an environment; whatever daemon it started is stopped in the end."""
    yield dict(os.environ)
    specthread(dict(os.environ), "daemon", "stop")


async def pid(editor):
    return (await editor.get("specthread/status", {}))["pid"]


def shown(editor, words):
    return editor.until(lambda: any(words in each for each in editor.messages()))


async def test_the_daemon_is_started_and_outlives_the_editor(home, environ):
    async with relayed(home, environ / "work") as editor:
        first = await pid(editor)
        await editor.get("shutdown")
        editor.notify("exit")
        assert await asyncio.wait_for(editor.process.wait(), 5) == 0
    async with relayed(home, environ / "work") as editor:
        assert await pid(editor) == first


async def test_an_editor_that_just_goes_ends_the_relay(home, environ):
    async with relayed(home, environ / "work") as editor:
        editor.writer.close()
        assert await asyncio.wait_for(editor.process.wait(), 5) == 1


async def test_a_daemon_that_was_killed_is_replaced_and_the_session_goes_on(home, environ):
    async with relayed(home, environ / "work", capabilities=RICH) as editor:
        first = await pid(editor)
        os.kill(first, signal.SIGKILL)
        await editor.until(lambda: editor.notes("specthread/reconnected"))
        assert await pid(editor) != first
        (reconnected,) = editor.notes("specthread/reconnected")
        assert reconnected["instance"]


async def test_a_plain_editor_hears_nothing_of_it(home, environ):
    async with relayed(home, environ / "work", capabilities=PLAIN) as editor:
        first = await pid(editor)
        os.kill(first, signal.SIGKILL)
        while (await editor.ask("specthread/status", {})).get("result", {}).get("pid", first) == first:
            pass
        assert not [message for message in editor.heard if str(message.get("method", "")).startswith("specthread/")]
        assert editor.messages() == []


async def test_what_stood_open_in_a_document_is_known_to_the_next_daemon(home, environ):
    folder = environ / "work" / ".specs" / "thing"
    folder.mkdir(parents=True)
    (folder / "tasks.md").write_text("# Tasks\n")
    async with relayed(home, environ / "work") as editor:
        uri = editor.open(folder / "tasks.md")
        editor.type(uri, "# Tasks\n\n- [ ] 1. Do it\n")
        await editor.until(lambda: editor.codes(uri))
        editor.heard.clear()
        os.kill(await pid(editor), signal.SIGKILL)
        await editor.until(lambda: editor.codes(uri))
        assert editor.notes("textDocument/publishDiagnostics")[-1]["version"] == 2


async def test_a_daemon_that_was_stopped_stays_so_until_it_is_needed(home, environ):
    async with relayed(home, environ / "work", capabilities=RICH) as editor:
        first = await pid(editor)
        specthread(home, "daemon", "stop")
        await editor.until(lambda: editor.notes("specthread/stopping"))
        assert (await editor.ask("textDocument/codeLens", {"textDocument": {"uri": URI}}))["result"] is None
        assert (await editor.ask("workspace/symbol", {"query": ""}))["error"]["message"] == "The Specthread daemon does not run."
        assert editor.notes("specthread/reconnected") == []
        assert await pid(editor) != first
        assert len(editor.notes("specthread/reconnected")) == 1


async def test_a_daemon_that_somebody_else_starts_is_found(home, environ):
    async with relayed(home, environ / "work", capabilities=RICH) as editor:
        await pid(editor)
        specthread(home, "daemon", "stop")
        await editor.until(lambda: editor.notes("specthread/stopping"))
        specthread(home, "daemon", "start")
        await editor.until(lambda: editor.notes("specthread/reconnected"))


async def test_no_way_to_the_daemon_is_told_in_the_editors_own_way(environ):
    (environ / "state").write_text("a file, not a folder")
    async with relayed(dict(os.environ), environ / "work", start=False) as editor:
        answer = await editor.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert "The folder" in answer["error"]["message"]
        await shown(editor, "Specthread: The folder")


def fake_daemon(environ):
    """Listens where the daemon would."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(shim.socket_path(shim.state_folder(os.environ)))
    listener.listen()
    return listener


def accept_hello(listener):
    link, _ = listener.accept()
    link.settimeout(5)
    hello = json.loads(link.makefile("rb").readline())
    return link, hello


async def test_a_daemon_of_another_version_is_told_with_the_way_out(environ):
    with fake_daemon(environ) as listener:
        async with relayed(dict(os.environ), environ / "work", start=False) as editor:
            asked = editor.ask_nowait("initialize", {"processId": None, "rootUri": None, "capabilities": {}, "clientInfo": {"name": "vim"}})
            link, hello = await asyncio.to_thread(accept_hello, listener)
            assert (hello["role"], hello["version"], hello["client"]) == ("lsp", __version__, "vim")
            error = {"code": "other-version", "message": "The running daemon is version 9.", "hint": "Stop it."}
            link.sendall(json.dumps({"error": error}).encode() + b"\n")
            assert (await asked)["error"]["message"] == "The running daemon is version 9. Stop it."
            link.close()


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","method":"textDocument/didOpen","params":[1]}',
        b'{"jsonrpc":"2.0","method":5}',
        b'{"jsonrpc":"2.0","id":{},"method":"x"}',
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":[1],"result":null}',
    ],
)
async def test_what_is_no_message_of_the_protocol_ends_no_relay(environ, body):
    async with relayed(dict(os.environ), environ / "work", start=False) as editor:
        editor.send_body(body)
        await editor.until(lambda: any(each.get("error", {}).get("code") == -32600 for each in editor.heard))
        answer = await editor.ask("workspace/executeCommand", {"command": "specthread.approve"})
        assert answer["error"]["code"] == -32002


async def test_a_state_folder_that_cannot_be_used_is_told_once(environ):
    (environ / "state").write_text("in the way")
    async with relayed(dict(os.environ), environ / "work", start=False) as editor:
        asked = await editor.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert "cannot be" in asked["error"]["message"]
        await editor.ask("shutdown")
        assert sum(each.get("id") == 1 for each in editor.heard) == 1


async def test_a_daemon_that_dies_while_an_editor_is_set_up_again_is_replaced_once_more(environ):
    welcome = json.dumps({"instance": "i", "seq": 0}).encode() + b"\n"
    with fake_daemon(environ) as listener:
        async with relayed(dict(os.environ), environ / "work", start=False) as editor:
            asked = editor.ask_nowait("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
            link, _ = await asyncio.to_thread(accept_hello, listener)
            link.sendall(welcome)
            await asyncio.to_thread(link.recv, 65536)
            link.sendall(framed(b'{"jsonrpc":"2.0","id":1,"result":{}}'))
            await asked
            for _ in range(2):
                link.close()
                link, hello = await asyncio.to_thread(accept_hello, listener)
                assert hello["is_back"]
                link.sendall(welcome)
            link.close()


async def test_a_request_under_way_when_the_daemon_dies_is_answered_once(environ):
    with fake_daemon(environ) as listener:
        async with relayed(dict(os.environ), environ / "work", start=False) as editor:
            asked = editor.ask_nowait("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
            link, _ = await asyncio.to_thread(accept_hello, listener)
            link.sendall(json.dumps({"instance": "i", "seq": 0}).encode() + b"\n")
            await asyncio.to_thread(link.recv, 65536)
            link.sendall(framed(b'{"jsonrpc":"2.0","id":1,"result":{}}'))
            link.sendall(framed(b'{"jsonrpc":"2.0","id":"q","method":"window/showMessageRequest","params":{"message":"Which?"}}'))
            link.sendall(framed(b'{"jsonrpc":"2.0","method":"$/progress","params":{"token":"t","value":{"kind":"begin"}}}'))
            await asked
            await editor.until(lambda: editor.open_requests)
            late = editor.ask_nowait("workspace/executeCommand", {"command": "specthread.start"})
            await asyncio.to_thread(link.recv, 65536)
            listener.close()
            link.close()
            assert (await late)["error"]["code"] == -32802
            await editor.until(lambda: {"id": "q"} in editor.notes("$/cancelRequest"))
            await editor.until(lambda: {"token": "t", "value": {"kind": "end"}} in editor.notes("$/progress"))
    specthread(dict(os.environ), "daemon", "stop")


# --- what is remembered ---------------------------------------------------------------------------------------------------


def message(method, **params):
    return {"jsonrpc": "2.0", "method": method, "params": params}


def text_after(bodies):
    """Returns what a server that heard these messages holds of the document."""
    workspace = Workspace(None, lsp.TextDocumentSyncKind.Incremental)
    for body in bodies:
        said = json.loads(body)
        document = said["params"]["textDocument"]
        if said["method"].endswith("didOpen"):
            workspace.put_text_document(
                lsp.TextDocumentItem(uri=URI, language_id="markdown", version=document["version"], text=document["text"])
            )
        if said["method"].endswith("didChange"):
            for change in said["params"]["contentChanges"]:
                whole = lsp.TextDocumentContentChangeWholeDocument(text=change["text"])
                workspace.update_text_document(lsp.VersionedTextDocumentIdentifier(uri=URI, version=document["version"]), whole)
    document = workspace.get_text_document(URI)
    return document.source, document.version


@given(st.lists(st.one_of(st.text(max_size=5), st.just("save")), max_size=12))
def test_a_document_is_replayed_as_it_stood_and_saves_shorten_what_is_kept(steps):
    memory, text, version = Memory(), "", 1

    def hear(said):
        memory.hear_editor(said, json.dumps(said).encode())

    hear(message("textDocument/didOpen", textDocument={"uri": URI, "languageId": "markdown", "version": 1, "text": ""}))
    for step in steps:
        if step == "save":
            hear(message("textDocument/didSave", textDocument={"uri": URI}, text=text))
        else:
            text, version = step, version + 1
            hear(message("textDocument/didChange", textDocument={"uri": URI, "version": version}, contentChanges=[{"text": text}]))
    assert text_after(memory.replay()) == (text, version)
    if steps and steps[-1] == "save":
        assert len(memory.replay()) == 1
    hear(message("textDocument/didClose", textDocument={"uri": URI}))
    assert memory.replay() == []


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 9))
def test_frames_come_out_as_they_went_in_however_they_are_cut(bodies, size):
    stream = b"".join(framed(body) for body in bodies)
    frames = Frames()
    assert [body for start in range(0, len(stream), size) for body in frames.cut(stream[start : start + size])] == bodies
