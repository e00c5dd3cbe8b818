"""What is offered in a document: as lenses, and as actions for editors that draw none."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.model import Limits
from support.fake_documents import TASKS
from support.fake_engine import ADA, ID
from support.lsp_client import PLAIN, editing


def document(engine, name="requirements"):
    return engine.desk() / engine.visible.spectasks[ID].documents[name].path


async def lenses(editor, uri):
    found = await editor.get("textDocument/codeLens", {"textDocument": {"uri": uri}})
    return {lens["command"]["title"]: lens for lens in found}


async def actions(editor, uri, line=0):
    where = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 0}}
    params = {"textDocument": {"uri": uri}, "range": where, "context": {"diagnostics": []}}
    return {action["title"]: action for action in await editor.get("textDocument/codeAction", params)}


def titled(found, start):
    (title,) = [title for title in found if title.startswith(start)]
    return found[title]


async def carry_out(editor, command):
    return await editor.get("workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]})


async def test_every_lens_that_does_something_is_an_action_too(engine, path, tmp_path):
    await engine.approve()
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"))
        shown = {title: lens for title, lens in (await lenses(editor, uri)).items() if lens["command"]["command"]}
        assert {title.partition(" ")[0] for title in shown} == {"Start"}
        for title, lens in shown.items():
            offered = await actions(editor, uri, lens["range"]["start"]["line"])
            assert offered[title]["command"]["command"] == lens["command"]["command"]


async def test_a_lens_approves_exactly_the_words_it_was_drawn_for(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "design"))
        lens = titled(await lenses(editor, uri), "Approve design@")
        assert await carry_out(editor, lens["command"]) is None
        await editor.until(lambda: any("approved design@" in each for each in editor.messages()))
        await engine.record()
        live = engine.visible.spectasks[ID].documents["design"].content
        await engine.do(c.EditDocument(spectask=ID, document="design", content=live + b"More.\n", expects=live, kind="human"), ADA)
        await carry_out(editor, lens["command"])
        await editor.until(lambda: any("is not the version you read" in each for each in editor.messages()))


async def test_unsaved_words_cannot_be_approved_by_a_lens(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "design"))
        editor.type(uri, "# Other\n")
        assert list(await lenses(editor, uri)) == ["Not the live version: save, or reload the file, before you approve"]


async def test_a_task_is_started_where_it_stands(engine, path, tmp_path):
    await engine.approve()
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"))
        found = await lenses(editor, uri)
        assert [lens["range"]["start"]["line"] for title, lens in found.items() if title.startswith("Start task")] == [2, 6, 10]
        assert "Start task 3 (and 1, 2, which it needs)" in found
        await carry_out(editor, found["Start task 2"]["command"])
        await editor.until(lambda: engine.visible.spectasks[ID].state == "implementing")
        assert engine.visible.spectasks[ID].chosen == {"2"}


async def test_lenses_stay_with_their_tasks_while_text_is_typed_above(engine, path, tmp_path):
    await engine.approve()
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"))
        editor.type(uri, "\n\n" + TASKS.decode())
        found = await lenses(editor, uri)
        assert found["Start task 2"]["range"]["start"]["line"] == 8


async def test_a_running_task_shows_its_session_and_a_question_is_answered_from_it(engine, path, tmp_path):
    await engine.approve()
    await engine.implement()
    run = f"{ID}/ws-1"
    await engine.do(reports.StartCall(spectask=ID, run=run, turn=1, reserve_usd=None))
    await engine.do(reports.AskQuestion(spectask=ID, run=run, question="q", kind="question", text="Which order?", choices=("name", "time")))
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"))
        found = await lenses(editor, uri)
        assert "ws-2 starting" in found
        await carry_out(editor, found["ws-1 asks: Which order?"]["command"])
        box = await editor.asked("ws-1 asks: Which order?")
        editor.press(box, "time")
        await editor.until(lambda: engine.visible.spectasks[ID].sessions[run].question.answer == "time")


async def test_comment_here_puts_a_comment_line_below_the_cursor(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "design"))
        edit = (await actions(editor, uri, line=4))["Comment here"]["edit"]
        (change,) = edit["documentChanges"]
        assert change["textDocument"] == {"uri": uri, "version": 1}
        assert change["edits"] == [
            {"range": {"start": {"line": 4, "character": 33}, "end": {"line": 4, "character": 33}}, "newText": "\n<!--? -->"}
        ]


async def test_an_editor_without_versioned_edits_gets_plain_ones(engine, path, tmp_path):
    async with editing(path, tmp_path, capabilities={**PLAIN, "workspace": {}}) as editor:
        uri = editor.open(document(engine, "design"))
        assert list((await actions(editor, uri, line=4))["Comment here"]["edit"]) == ["changes"]


async def test_a_document_that_is_not_live_offers_nothing(path, tmp_path):
    (tmp_path / "notes.md").write_text("# Notes\n")
    async with editing(path, tmp_path) as editor:
        uri = editor.open(tmp_path / "notes.md")
        assert await lenses(editor, uri) == {}
        assert await actions(editor, uri) == {}


async def test_lenses_are_drawn_anew_when_the_state_changed_but_not_at_every_event(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        editor.open(document(engine, "tasks"))
        await editor.get("specthread/list", {})
        await engine.approve()
        await engine.do(c.StartImplementation(spectask=ID, limits=Limits()), ADA)
        await editor.until(lambda: editor.requests("workspace/codeLens/refresh"))
        assert len(editor.requests("workspace/codeLens/refresh")) == 1
