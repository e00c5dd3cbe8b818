"""What an editor changes through us: ids everywhere, the form of a document, and what is offered at a place."""

from __future__ import annotations

import threading

import pytest

from specthread.protocol.lsp import language_edit
from support.fake_documents import DESIGN, REQUIREMENTS, TASKS
from support.fake_engine import ID
from support.lsp_client import PLAIN, editing

WIDE = "# 一\r\n\r\n- [ ] 1. 一👍🏽\r\n  - _Requirements: 1.1_\r\n- [ ] 2. 👍🏽 一 (depends on 1)\r\n"
CONTENT_MODIFIED, REQUEST_FAILED = -32801, -32803


def document(engine, name="requirements"):
    return engine.desk() / engine.visible.spectasks[ID].documents[name].path


def at(line, character):
    return {"line": line, "character": character}


def made(text, edits):
    """The text with edits made, whose columns count UTF-16 units."""
    lines = text.split("\n")

    def offset(place):
        units = lines[place["line"]].encode("utf-16-le")[: 2 * place["character"]]
        return sum(len(line) + 1 for line in lines[: place["line"]]) + len(units.decode("utf-16-le"))

    for edit in sorted(edits, key=lambda edit: offset(edit["range"]["start"]), reverse=True):
        text = text[: offset(edit["range"]["start"])] + edit["newText"] + text[offset(edit["range"]["end"]) :]
    return text


async def rename(editor, uri, place, name):
    return await editor.ask("textDocument/rename", {"textDocument": {"uri": uri}, "position": place, "newName": name})


async def actions(editor, uri, line, **context):
    params = {"textDocument": {"uri": uri}, "range": {"start": at(line, 0), "end": at(line, 0)}, "context": {"diagnostics": [], **context}}
    return {action["title"]: action for action in await editor.get("textDocument/codeAction", params)}


# --- rename -----------------------------------------------------------------------------------------------------------------


async def test_an_id_is_found_behind_wide_signs_in_the_units_of_the_editor(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"), WIDE)
        column = len("- [ ] 2. 👍🏽 一 (depends on ".encode("utf-16-le")) // 2
        where = {"textDocument": {"uri": uri}, "position": at(4, column)}
        found = await editor.get("textDocument/prepareRename", where)
        assert found == {"range": {"start": at(4, column), "end": at(4, column + 1)}, "placeholder": "1"}
        assert await editor.get("textDocument/prepareRename", {**where, "position": at(0, 2)}) is None


async def test_a_task_is_renamed_in_unsaved_text_for_the_version_that_was_read(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"))
        editor.type(uri, WIDE)
        answer = await rename(editor, uri, at(2, 6), "7")
        [change] = answer["result"]["documentChanges"]
        assert change["textDocument"] == {"uri": uri, "version": 2}
        assert made(WIDE, change["edits"]) == WIDE.replace("] 1.", "] 7.").replace("on 1", "on 7")


async def test_a_rename_reaches_documents_that_are_not_open(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine))
        answer = await rename(editor, uri, at(2, 16), "4")
        changes = {each["textDocument"]["uri"]: each for each in answer["result"]["documentChanges"]}
        assert changes.keys() == {uri, document(engine, "tasks").as_uri()}
        other = changes[document(engine, "tasks").as_uri()]
        assert other["textDocument"]["version"] is None
        assert made(TASKS.decode(), other["edits"]) == TASKS.decode().replace("1.1_", "4.1_")
        assert made(REQUIREMENTS.decode(), changes[uri]["edits"]) == REQUIREMENTS.decode().replace("Requirement 1", "Requirement 4")


async def test_an_editor_without_versions_gets_plain_changes(engine, path, tmp_path):
    async with editing(path, tmp_path, capabilities={**PLAIN, "workspace": {}}) as editor:
        uri = editor.open(document(engine))
        answer = await rename(editor, uri, at(8, 0), "9")
        assert answer["result"].keys() == {"changes"}
        assert answer["result"]["changes"].keys() == {uri, document(engine, "tasks").as_uri()}


@pytest.mark.parametrize(
    ("place", "name", "words"),
    [
        (at(2, 6), "2", "There is a task 2 already. Choose another id."),
        (at(2, 6), "one two", "“one two” would not be read as the id of a task here."),
        (at(0, 0), "2", "There is no id here."),
    ],
)
async def test_a_rename_that_cannot_be_is_refused_in_words(engine, path, tmp_path, place, name, words):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"))
        error = (await rename(editor, uri, place, name))["error"]
        assert error["code"] == REQUEST_FAILED
        assert error["message"].startswith(words)


async def test_nothing_is_renamed_in_a_text_that_was_typed_in_meanwhile(engine, path, tmp_path, monkeypatch):
    going, release = threading.Event(), threading.Event()
    rename_it = language_edit.rename

    def slow(*arguments):
        going.set()
        release.wait(10)
        return rename_it(*arguments)

    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"))
        monkeypatch.setattr(language_edit, "rename", slow)
        asked = editor.ask_nowait("textDocument/rename", {"textDocument": {"uri": uri}, "position": at(2, 6), "newName": "7"})
        await editor.get("specthread/list", {})  # it is answered behind the request, which waits in its thread
        editor.type(uri, f"\n{TASKS.decode()}")
        await editor.get("specthread/list", {})
        release.set()
        assert (await asked)["error"]["code"] == CONTENT_MODIFIED
        assert going.is_set()


# --- form -------------------------------------------------------------------------------------------------------------------

UNTIDY = "# Tasks\r\n- [ ]  1.  一👍🏽\r\n    - [ ] 1.1 b  \r\n\r\n\r\n\r\nEnd"
TIDY = "# Tasks\r\n\r\n- [ ] 1. 一👍🏽\r\n  - [ ] 1.1 b\r\n\r\nEnd\r\n"
OPTIONS = {"tabSize": 4, "insertSpaces": True}


async def test_a_document_of_our_own_is_brought_into_its_form(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"), UNTIDY)
        edits = await editor.get("textDocument/formatting", {"textDocument": {"uri": uri}, "options": OPTIONS})
        assert made(UNTIDY, edits) == TIDY
        editor.type(uri, TIDY)
        assert await editor.get("textDocument/formatting", {"textDocument": {"uri": uri}, "options": OPTIONS}) == []


async def test_a_part_is_formed_without_the_rest(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"), UNTIDY)
        params = {"textDocument": {"uri": uri}, "range": {"start": at(2, 0), "end": at(2, 0)}, "options": OPTIONS}
        edits = await editor.get("textDocument/rangeFormatting", params)
        assert made(UNTIDY, edits) == UNTIDY.replace("    - [ ] 1.1 b  ", "  - [ ] 1.1 b")


async def test_the_form_of_another_dialect_is_its_own_business(path, tmp_path):
    folder = tmp_path / ".kiro" / "specs" / "a"
    folder.mkdir(parents=True)
    async with editing(path, tmp_path) as editor:
        uri = editor.open(folder / "tasks.md", UNTIDY)
        assert await editor.get("textDocument/formatting", {"textDocument": {"uri": uri}, "options": OPTIONS}) == []
        notes = editor.open(tmp_path / "notes.md", UNTIDY)
        assert await editor.get("textDocument/formatting", {"textDocument": {"uri": notes}, "options": OPTIONS}) is None


# --- what is offered --------------------------------------------------------------------------------------------------------

SLOPPY = REQUIREMENTS.decode() + "2. IF 一👍🏽 is missing, the tool SHALL stop.\n3. IF it fails, the tool SHALL stop.\n"


async def test_a_finding_is_mended_where_it_is_shown(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine), SLOPPY)
        await editor.until(lambda: "ears/if-without-then" in editor.codes(uri))
        shown = [each for each in editor.diagnostics(uri) if each["code"] == "ears/if-without-then"]
        action = (await actions(editor, uri, 9, diagnostics=shown))["Put THEN in front of the response"]
        assert (action["kind"], action["isPreferred"], action["diagnostics"]) == ("quickfix", True, shown[:1])
        [change] = action["edit"]["documentChanges"]
        assert change["textDocument"] == {"uri": uri, "version": 1}
        assert made(SLOPPY, change["edits"]) == SLOPPY.replace("is missing, the", "is missing, THEN the")


async def test_all_is_mended_only_for_who_asks_for_it(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine), SLOPPY)
        assert not [action for action in (await actions(editor, uri, 0)).values() if action["kind"].startswith("source")]
        for only in ("source.fixAll", "source.fixAll.specthread", "source"):
            [action] = (await actions(editor, uri, 0, only=[only])).values()
            [change] = action["edit"]["documentChanges"]
            assert made(SLOPPY, change["edits"]) == SLOPPY.replace(", the", ", THEN the")
        assert await actions(editor, uri, 0, only=["source.organizeImports"]) == {}


async def test_the_command_mends_all_that_is_open(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        applied = []
        editor.answers["workspace/applyEdit"] = lambda params: applied.append(params["edit"]) or {"applied": True}
        uri = editor.open(document(engine), SLOPPY)
        editor.open(document(engine, "design"), DESIGN.decode())
        await editor.command("fix-all")
        await editor.until(lambda: "2 findings mended." in editor.messages())
        [change] = [each for edit in applied for each in edit["documentChanges"]]
        assert made(SLOPPY, change["edits"]) == SLOPPY.replace(", the", ", THEN the")
        await editor.command("fix-all", {"uri": editor.open(document(engine, "tasks"))})
        await editor.until(lambda: "There is nothing that can be mended mechanically." in editor.messages())
        assert change["textDocument"]["uri"] == uri


async def test_a_task_is_marked_and_all_are_renumbered_in_unsaved_text(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"))
        text = WIDE.replace("2. 👍🏽", "5. 👍🏽").replace("[ ] 5", "[-] 5")
        editor.type(uri, text)
        offered = await actions(editor, uri, 4)
        assert {title for title in offered if title.startswith("Mark")} == {"Mark task 5 as done", "Mark task 5 as open"}

        def result(title):
            [change] = offered[title]["edit"]["documentChanges"]
            assert change["textDocument"]["version"] == 2
            return made(text, change["edits"])

        assert result("Mark task 5 as done") == text.replace("[-]", "[x]")
        assert result("Renumber tasks") == text.replace("5.", "2.")
        assert {offered[title]["kind"] for title in offered if title.startswith(("Mark", "Renumber"))} == {"refactor.rewrite"}


async def test_a_requirement_is_given_a_criterion_and_a_task_that_builds_it(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine), SLOPPY)
        offered = await actions(editor, uri, 9)
        [change] = offered["Add a criterion to requirement 1"]["edit"]["documentChanges"]
        assert made(SLOPPY, change["edits"]) == SLOPPY + "4. WHEN …, THE … SHALL …\n"
        [change] = offered["Add 1.2 to task 3"]["edit"]["documentChanges"]
        assert change["textDocument"] == {"uri": document(engine, "tasks").as_uri(), "version": None}
        third = "3. Write it down\n  - _Requirements: 1.1"
        assert made(TASKS.decode(), change["edits"]) == TASKS.decode().replace(third, f"{third}, 1.2")
        assert not [title for title in await actions(editor, uri, 8) if title.startswith("Add 1.1")]


async def test_a_task_is_given_a_neighbour_moved_a_level_and_freed_of_ids_that_nothing_carries(engine, path, tmp_path):
    text = "# Plan\n\n- [ ] 1. one\n  - [ ] 1.1 below\n    - _Requirements: 1.1, 9.9_\n  - [ ] 1.2 last\n- [ ] 2. two (depends on 1.2)\n  - words\n"
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "tasks"), text)

        async def result(line, title):
            [change] = (await actions(editor, uri, line))[title]["edit"]["documentChanges"]
            return made(text, change["edits"])

        assert await result(4, "Take 9.9 out of task 1.1") == text.replace(", 9.9", "")
        assert "Take 1.1 out of task 1.1" not in await actions(editor, uri, 4)
        assert await result(3, "Add a task after 1.1") == text.replace("9.9_\n", "9.9_\n  - [ ] 1.3 New task\n")
        assert await result(6, "Make task 2 a subtask of 1") == text.replace("- [ ] 2. two", "  - [ ] 1.3 two").replace(
            "  - words", "    - words"
        )
        assert await result(5, "Move task 1.2 out of 1") == text.replace("  - [ ] 1.2 last", "- [ ] 3. last").replace("on 1.2", "on 3")
        assert not [title for title in await actions(editor, uri, 5, triggerKind=2) if title.startswith("Move")]
