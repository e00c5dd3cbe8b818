"""Documents in an editor: what is wrong is shown, what is unsaved is known, and a newer version comes in as an edit."""

from __future__ import annotations

import asyncio
import threading

import pytest

from specthread.domain import commands as c
from specthread.domain.ids import SpecTaskId
from specthread.protocol.lsp import documents
from specthread.protocol.lsp.texts import edits_between
from support.fake_documents import DESIGN, REQUIREMENTS
from support.fake_engine import ADA, ID
from support.lsp_client import RICH, editing

VAGUE = REQUIREMENTS.replace(b"THE tool SHALL print one", b"the tool prints one").decode()


def document(engine, name="requirements"):
    return engine.desk() / engine.visible.spectasks[ID].documents[name].path


async def test_what_is_wrong_with_a_document_is_shown_at_its_words_while_it_is_typed(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine))
        editor.type(uri, VAGUE)
        await editor.until(lambda: "ears/no-shall" in editor.codes(uri))
        (shown,) = [each for each in editor.diagnostics(uri) if each["code"] == "ears/no-shall"]
        assert shown["range"]["start"]["line"] == 8
        editor.type(uri, REQUIREMENTS.decode())
        await editor.until(lambda: "ears/no-shall" not in editor.codes(uri))


async def test_positions_count_in_the_units_that_were_agreed_on(engine, path, tmp_path):
    text = VAGUE.replace("the user passes", "the user 👍🏽 passes")
    for encoding, width in (("utf-16", 2), ("utf-8", 4), ("utf-32", 1)):
        async with editing(path, tmp_path, capabilities={"general": {"positionEncodings": [encoding]}}) as editor:
            assert editor.started["capabilities"]["positionEncoding"] == encoding
            uri = editor.open(document(engine), text)
            await editor.until(lambda: editor.codes(uri))  # noqa: B023  it ends before the next one begins
            (shown,) = [each for each in editor.diagnostics(uri) if each["code"] == "ears/no-shall"]
            line = text.split("\n")[8]
            assert shown["range"]["end"]["character"] == len(line) + 2 * (width - 1)


async def test_an_unknown_encoding_falls_back_to_the_protocols_own(path, tmp_path):
    async with editing(path, tmp_path, capabilities={"general": {"positionEncodings": ["utf-7"]}}) as editor:
        assert editor.started["capabilities"].get("positionEncoding", "utf-16") == "utf-16"


async def test_closing_a_document_takes_back_what_was_said_about_it(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine), VAGUE)
        await editor.until(lambda: editor.codes(uri))
        editor.close(uri)
        await editor.until(lambda: editor.notes("textDocument/publishDiagnostics")[-1] == {"uri": uri, "diagnostics": []})


async def test_a_check_under_way_says_nothing_of_a_document_that_was_closed(engine, path, tmp_path, monkeypatch):
    going = threading.Event()
    check_texts = documents.check_texts

    def slow(*arguments):
        going.wait(5)
        return check_texts(*arguments)

    async with editing(path, tmp_path) as editor:
        monkeypatch.setattr(documents, "check_texts", slow)
        uri = editor.open(document(engine), VAGUE)
        await editor.get("specthread/list", {})
        editor.close(uri)
        await editor.get("specthread/list", {})
        going.set()
        other = editor.open(document(engine, "design"))
        await editor.until(lambda: any(each["uri"] == other for each in editor.notes("textDocument/publishDiagnostics")))
        assert editor.diagnostics(uri) == []


async def test_a_spec_outside_the_desk_is_checked_together_with_the_files_beside_it(engine, path, tmp_path):
    folder = tmp_path / "elsewhere" / ".specs" / "thing"
    folder.mkdir(parents=True)
    (folder / "requirements.md").write_bytes(REQUIREMENTS)
    (folder / "tasks.md").write_text("# Tasks\n\n- [ ] 1. Do it\n  - _Requirements: 7.7_\n  - _Check: make_\n")
    async with editing(path, tmp_path) as editor:
        uri = editor.open(folder / "tasks.md")
        await editor.until(lambda: any("7.7" in each["message"] for each in editor.diagnostics(uri)))


async def test_an_adopted_document_is_checked_in_its_own_dialect(engine, path, tmp_path):
    name = SpecTaskId("report-7k3f")
    tasks = b"# Tasks\n\n- [ ] 1. Report it\n  - _Requirements: 7.7_\n"
    contents = {"requirements": REQUIREMENTS, "tasks": tasks}
    adopted = tuple(c.AdoptedDocument(name=each, path=f"docs/report/{each}.md", content=text) for each, text in contents.items())
    await engine.create(name, flow="quick", dialect="kiro", adopted=adopted)
    engine.place(name)
    async with editing(path, tmp_path) as editor:
        uri = editor.open(engine.desk(name) / adopted[1].path)
        await editor.until(lambda: "link/unknown-requirement" in editor.codes(uri))
        assert not [code for code in editor.codes(uri) if "check" in code]  # ours asks for one, Kiro knows none
        lenses = await editor.get("textDocument/codeLens", {"textDocument": {"uri": uri}})
        assert any("Approve tasks@" in each["command"]["title"] for each in lenses)


async def test_the_deltas_of_an_adopted_change_are_live_documents_of_one_spec(engine, path, tmp_path):
    name, change = SpecTaskId("export-7k3f"), "openspec/changes/add-export"
    delta = b"## ADDED Requirements\n\n### Requirement: Export\nThe app SHALL export.\n"
    contents = {"specs/notes/spec": delta, "specs/user/spec": delta, "tasks": b"## 1. Do\n\n- [ ] 1.1 Do it\n"}
    adopted = tuple(c.AdoptedDocument(name=each, path=f"{change}/{each}.md", content=text) for each, text in contents.items())
    await engine.create(name, flow="quick", dialect="openspec", adopted=adopted)
    engine.place(name)
    async with editing(path, tmp_path) as editor:
        uri = editor.open(engine.desk(name) / adopted[1].path)
        await editor.until(lambda: "openspec/no-scenario" in editor.codes(uri))
        editor.type(uri, delta.decode() + "\n#### Scenario: Asked\n- **WHEN** asked\n- **THEN** it exports\n")
        await editor.until(lambda: "openspec/no-scenario" not in editor.codes(uri))
        editor.type(uri, delta.decode())
        lenses = await editor.get("textDocument/codeLens", {"textDocument": {"uri": uri}})
        assert any("Approve specs/user/spec@" in each["command"]["title"] for each in lenses)


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\f", "\v", "\u2029", "\x1c"])
async def test_lines_end_only_where_the_protocol_says_so(engine, path, tmp_path, odd):
    text = f"# Design\none{odd}two\nlast"
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "design"), text)
        place = {"line": 2, "character": 4}
        change = {"range": {"start": place, "end": place}, "text": " line"}
        editor.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]})
        await editor.get("specthread/list", {})
        (held,) = [engine.buffers(ID).shown("design", holder) for holder in engine.buffers(ID).unsaved()["design"]]
        assert held.text.decode() == text + " line"
    assert edits_between(text.encode(), f"{text}!".encode(), "utf-16")[0].range.start.line == 2


async def test_a_document_that_is_no_spec_is_left_alone(engine, path, tmp_path):
    (tmp_path / "design.md").write_text("# My own\n")
    async with editing(path, tmp_path) as editor:
        uri = editor.open(tmp_path / "design.md")
        other = editor.open(document(engine), VAGUE)
        await editor.until(lambda: editor.codes(other))
        assert editor.diagnostics(uri) == []


async def test_a_huge_document_is_said_to_be_too_large_and_harms_nobody(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine), "x\n" * 3_000_000)
        await editor.until(lambda: "larger than 5 MB" in str(editor.diagnostics(uri)))
        assert "result" in await editor.ask("specthread/list", {})


async def test_open_comments_are_shown_at_their_words(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "design"))
        await editor.command("comment", {"id": ID, "document": "design", "line": 5, "text": "Which one?"})
        await editor.until(lambda: "comment" in editor.codes(uri))
        (shown,) = [each for each in editor.diagnostics(uri) if each["code"] == "comment"]
        assert (shown["message"], shown["range"]["start"]["line"]) == ("Ada: Which one?", 4)


async def test_a_client_with_threads_of_its_own_is_shown_no_comments_as_findings(engine, path, tmp_path):
    async with editing(path, tmp_path) as plain, editing(path, tmp_path, capabilities=RICH) as rich:
        await plain.command("comment", {"id": ID, "document": "requirements", "line": 9, "text": "Which one?"})
        shown = {editor: editor.open(document(engine), VAGUE) for editor in (plain, rich)}
        await plain.until(lambda: "comment" in plain.codes(shown[plain]))
        await rich.until(lambda: rich.codes(shown[rich]))
        assert rich.codes(shown[rich]) == ["ears/no-shall"]


async def test_unsaved_text_is_known_by_the_editor_that_holds_it(engine, path, tmp_path):
    async with editing(path, tmp_path, client="nvim", pid=7) as editor:
        uri = editor.open(document(engine, "design"))
        editor.type(uri, "# Mine\n")
        await editor.get("specthread/list", {})
        assert [holder.partition("#")[0] for holder in engine.buffers(ID).unsaved()["design"]] == ["nvim[7]"]
        editor.type(uri, DESIGN.decode())
        await editor.get("specthread/list", {})
        assert engine.buffers(ID).unsaved() == {}


async def test_an_editor_that_goes_away_holds_nothing_any_more(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "design"))
        editor.type(uri, "# Mine\n")
        await editor.get("specthread/list", {})
        assert engine.buffers(ID).unsaved()
    async with editing(path, tmp_path) as other:
        await other.get("specthread/list", {})
        assert engine.buffers(ID).unsaved() == {}


async def revise(engine, old, new):
    live = engine.visible.spectasks[ID].documents["design"].content
    await engine.do(c.EditDocument(spectask=ID, document="design", content=live.replace(old, new), expects=live, kind="human"), ADA)


async def test_a_newer_version_is_brought_into_unsaved_text_as_a_versioned_edit(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "design"))
        mine = DESIGN.decode().replace("# Design", "# My design")
        editor.type(uri, mine)
        await revise(engine, b"One function", b"Two functions")
        await editor.until(lambda: "newer-version" in editor.codes(uri))
        applied = []
        editor.answers["workspace/applyEdit"] = lambda params: applied.append(params) or {"applied": True}
        where = {"start": {"line": 3, "character": 0}, "end": {"line": 3, "character": 0}}
        context = {"diagnostics": [each for each in editor.diagnostics(uri) if each["code"] == "newer-version"]}
        actions = await editor.get("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": where, "context": context})
        (bring,) = [each for each in actions if each["title"] == "Bring the newer version in"]
        await editor.get("workspace/executeCommand", {key: bring["command"][key] for key in ("command", "arguments")})
        await editor.until(lambda: applied)
        (change,) = applied[0]["edit"]["documentChanges"]
        assert change["textDocument"] == {"uri": uri, "version": 2}
        (edit,) = change["edits"]
        assert (edit["range"]["start"]["line"], edit["newText"]) == (4, "Two functions writes the document.\n")
        editor.type(uri, mine.replace("One function", "Two functions"))
        await editor.until(lambda: "newer-version" not in editor.codes(uri))
        assert engine.buffers(ID).unsaved()


async def test_an_edit_names_the_version_it_was_made_for_whatever_is_typed_meanwhile(engine, path, tmp_path, monkeypatch):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "design"))
        editor.type(uri, DESIGN.decode().replace("# Design", "# My design"))
        await revise(engine, b"One function", b"Two functions")
        await editor.until(lambda: "newer-version" in editor.codes(uri))
        merge, typed = engine.merge, asyncio.Event()

        async def slow(*arguments):
            editor.type(uri, "# Something else\n")
            await typed.wait()
            return await merge(*arguments)

        monkeypatch.setattr(engine, "merge", slow)
        applied = []
        editor.answers["workspace/applyEdit"] = lambda params: applied.append(params) or {"applied": False}
        await editor.command("bring-in")
        await editor.get("specthread/list", {})
        typed.set()
        await editor.until(lambda: applied)
        assert applied[0]["edit"]["documentChanges"][0]["textDocument"]["version"] == 2


async def test_a_newer_version_that_changed_the_same_lines_is_not_forced_in(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        uri = editor.open(document(engine, "design"))
        editor.type(uri, DESIGN.decode().replace("One function", "My function"))
        await revise(engine, b"One function", b"Two functions")
        await editor.until(lambda: "newer-version" in editor.codes(uri))
        await editor.command("bring-in")
        await editor.until(lambda: any("do not go together" in each for each in editor.messages()))
        assert editor.requests("workspace/applyEdit") == []
