"""The whole loop in an editor that has nothing but the protocol: drafts, lenses, actions and message boxes, through the relay and a daemon that is killed meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from specthread.agents.demo.human import COMMENT
from specthread.agents.demo.material import PROMPT
from specthread.agents.demo.planner import VAGUE
from support.demo_editing import demo_place, relayed
from support.lsp_client import DEADLINE

pytestmark = pytest.mark.slow
LONG = 60.0


async def shown(editor, name):
    """Returns the file of this name that the editor was asked to open."""

    def found():
        uris = [message["params"]["uri"] for message in editor.requests("window/showDocument")]
        return next((uri for uri in reversed(uris) if uri.endswith(name)), None)

    return Path((await editor.until(found)).removeprefix("file://"))


async def box(editor, words):
    async with asyncio.timeout(LONG):
        while True:
            try:
                return await editor.asked(words)
            except TimeoutError:
                await asyncio.sleep(0)


async def view(editor):
    (summary,) = (await editor.get("specthread/list", {}))["spectasks"]
    return await editor.get("specthread/show", {"id": summary["id"]})


async def until_view(editor, condition):
    async with asyncio.timeout(LONG):
        while not condition(now := await view(editor)):  # noqa: ASYNC110  the state of another process
            await asyncio.sleep(0.1)
        return now


def send(draft, text):
    """Saves a draft as a person does: the marker line gone, words in its place."""
    draft.write_text(text)


async def asked_for(editor):
    """Asks for the demo's SpecTask in a draft, and returns its documents once they are ready."""
    await editor.command("new-task")
    send(await shown(editor, "new-task.md"), PROMPT + "\n")
    ready = await box(editor, "wait for you")
    editor.press(ready, "Open")
    editor.press(await editor.asked("Which document"), "requirements")
    return await shown(editor, "requirements.md")


async def revised(editor, file):
    """Comments on the vague line in the text itself, sends the documents back in a draft, and returns when they are revised."""
    uri = editor.open(file)
    text = file.read_text()
    (line,) = [each for each in text.splitlines() if VAGUE in each]
    changed = text.replace(line, f"{line}\n<!--? {COMMENT} -->")
    editor.type(uri, changed)
    await editor.command("request-changes")
    send(await shown(editor, "request-changes.md"), "As the comment says.\n")
    await editor.until(lambda: any("request-changes.md was not sent" in str(each) for each in editor.diagnostics(uri)) or None)
    file.write_text(changed)
    editor.save(uri, changed)
    await until_view(editor, lambda now: now["comments"])
    send(file.parents[2] / "request-changes.md", "As the comment says, please.\n")
    await until_view(editor, lambda now: len(now["planning"]) == 2 and now["planning"][1]["status"] == "completed")
    await until_view(editor, lambda _: VAGUE not in file.read_text())
    editor.type(uri, file.read_text())  # as an editor reads a file again that was written
    return uri


async def test_the_whole_loop_in_a_plain_editor_over_a_killed_daemon(tmp_path):
    with demo_place(tmp_path, pause=0.02) as (repository, environ):
        async with relayed(environ, repository) as editor:
            file = await asked_for(editor)
            await revised(editor, file)
            await editor.command("approve")
            editor.press(await box(editor, "Approve exactly these words"), "Approve")
            start = await box(editor, "nothing runs until you start it")
            editor.press(start, "Start")
            await until_view(editor, lambda now: len(now["sessions"]) == 2)
            lost = await box(editor, "In which order")
            os.kill((await editor.get("specthread/status", {}))["pid"], signal.SIGKILL)
            await editor.until(lambda: lost["id"] not in editor.open_requests)
            question = await box(editor, "In which order")
            editor.press(question, "most time first")
            accept = await box(editor, "accept it")
            editor.press(accept, "Show the report")
            assert "ws-4" in (await shown(editor, "report.md")).read_text()
            await editor.command("accept")
            editor.press(await box(editor, "Accept "), "Accept")
            done = await until_view(editor, lambda now: now["state"] == "done")
            assert {task["state"] for task in done["tasks"]} == {"merged"}
            begun, ended = (
                {params["token"] for params in editor.notes("$/progress") if params["value"]["kind"] == kind} for kind in ("begin", "end")
            )
            assert begun == ended


async def test_what_one_editor_does_another_shows_within_a_second(tmp_path):
    with demo_place(tmp_path) as (repository, environ):
        async with relayed(environ, repository) as first, relayed(environ, repository) as second:
            await second.get("specthread/list", {})
            file = await asked_for(first)
            uri = second.open(file)
            await second.until(lambda: second.notes("textDocument/publishDiagnostics"))
            identifier = (await view(first))["id"]
            begun = asyncio.get_running_loop().time()
            await first.command("comment", {"id": identifier, "document": "requirements", "line": 5, "text": "Hello over there"})
            await second.until(lambda: any("Hello over there" in each["message"] for each in second.diagnostics(uri)))
            assert asyncio.get_running_loop().time() - begun < DEADLINE / 10


async def test_two_editors_with_unsaved_text_of_one_document_lose_nothing(tmp_path):
    with demo_place(tmp_path) as (repository, environ):
        async with relayed(environ, repository) as first, relayed(environ, repository) as second:
            await second.get("specthread/list", {})
            file = await asked_for(first)
            text = file.read_text()
            uris = first.open(file), second.open(file)
            mine, theirs = (
                text.replace("## Introduction", "## Introduction, by me"),
                text.replace("## Requirements", "## Requirements, by them"),
            )
            first.type(uris[0], mine)
            second.type(uris[1], theirs)
            file.write_text(mine)
            first.save(uris[0], mine)
            await second.until(lambda: "newer-version" in second.codes(uris[1]))
            file.write_text(theirs)
            second.save(uris[1], theirs)
            async with asyncio.timeout(DEADLINE):
                while not ("by me" in (now := file.read_text()) and "by them" in now):  # noqa: ASYNC110  a file of another process
                    await asyncio.sleep(0.05)
