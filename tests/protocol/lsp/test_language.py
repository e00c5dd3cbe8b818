"""The features that read specs, over the wire: columns in the editor's units, lines that end in any way, and what the client can do."""

from __future__ import annotations

import pytest

from support.fake_engine import ID
from support.lsp_client import PLAIN, editing, told

REQUIREMENTS = """# Requirements\r
\r
### Requirement 1: 言葉 🎉\r
\r
1. WHEN 🎉🎉 happens, THE store SHALL keep it.\r
2. THE store SHALL say `🎉`.\r
"""
TASKS = """# 🎉 Tasks\r
\r
- [x] 1. 書く 🎉\r
  - _Files: 🎉.py, missing.py_ _Requirements: 1.1_\r
- [ ] 2. 読む\r
  - _言葉: 🎉_ _Requirements: 1.2_ _Depends: 1_\r
  - [ ] 2.1 One\r
"""
ABLE = {
    **PLAIN,
    "textDocument": {
        **PLAIN["textDocument"],
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "definition": {"linkSupport": True},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
    },
}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "work" / ".specs" / "thing"
    folder.mkdir(parents=True)
    (folder / "requirements.md").write_bytes(REQUIREMENTS.encode())
    (folder / "tasks.md").write_bytes(TASKS.encode())
    (tmp_path / "work" / "🎉.py").touch()
    return folder


@pytest.fixture
async def editor(path, folder):
    async with editing(path, folder.parents[1], capabilities=ABLE) as editor:
        yield editor


@pytest.fixture
def tasks(editor, folder):
    return editor.open(folder / "tasks.md", TASKS)


@pytest.fixture
def requirements(folder):
    return (folder / "requirements.md").as_uri()


def at(uri, text, words, further=0):
    """Returns the position behind some words, in UTF-16 units."""
    lines = text.split("\r\n")
    line = next(number for number, each in enumerate(lines) if words in each)
    before = lines[line][: lines[line].index(words) + len(words)]
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": len(before.encode("utf-16-le")) // 2 + further},
    }


def between(found):
    """Returns where a range is: its line, first and last unit."""
    start, end = found["start"], found["end"]
    assert start["line"] == end["line"]
    return start["line"], start["character"], end["character"]


async def test_what_is_announced(editor):
    announced = editor.started["capabilities"]
    for name in (
        *("hoverProvider", "definitionProvider", "declarationProvider", "referencesProvider", "documentHighlightProvider"),
        *("documentSymbolProvider", "workspaceSymbolProvider", "foldingRangeProvider", "selectionRangeProvider"),
        *("documentLinkProvider", "completionProvider", "inlayHintProvider", "semanticTokensProvider", "callHierarchyProvider"),
    ):
        assert announced[name], name
    assert announced["completionProvider"]["resolveProvider"]
    assert announced["semanticTokensProvider"]["full"] == {"delta": True}
    assert announced["semanticTokensProvider"]["range"]


async def test_a_hover_names_its_place_in_the_units_of_the_editor(editor, tasks):
    found = await editor.get("textDocument/hover", at(tasks, TASKS, "_ _Requirements: 1.1"))
    assert between(found["range"]) == (3, 46, 49)
    assert found["contents"]["kind"] == "markdown"
    assert "WHEN 🎉🎉 happens" in found["contents"]["value"]


async def test_a_client_without_markdown_is_told_plain_words(path, folder):
    async with editing(path, folder.parents[1]) as editor:
        uri = editor.open(folder / "tasks.md", TASKS)
        found = await editor.get("textDocument/hover", at(uri, TASKS, "_Requirements: 1.2"))
        assert found["contents"]["kind"] == "plaintext"
        assert "THE store SHALL say `🎉`." in found["contents"]["value"]


async def test_a_definition_is_a_link_from_the_whole_reference(editor, tasks, requirements):
    (link,) = await editor.get("textDocument/definition", at(tasks, TASKS, "_Requirements: 1.2"))
    assert link["targetUri"] == requirements
    assert between(link["targetSelectionRange"]) == (5, 0, 1)
    assert between(link["originSelectionRange"]) == (5, 28, 31)


async def test_a_client_without_links_is_given_places(editor, tasks, requirements):
    (place,) = await editor.get("textDocument/declaration", at(tasks, TASKS, "_Requirements: 1.2"))
    assert place["uri"] == requirements


async def test_references_hold_the_definition_where_it_is_wanted(editor, tasks, requirements):
    params = at(tasks, TASKS, "_Requirements: 1.1")
    every = await editor.get("textDocument/references", {**params, "context": {"includeDeclaration": True}})
    others = await editor.get("textDocument/references", {**params, "context": {"includeDeclaration": False}})
    assert [each["uri"] for each in every] == [requirements, tasks]
    assert [between(each["range"]) for each in others] == [(3, 46, 49)]


async def test_a_number_is_lit_up_wherever_it_stands_in_the_document(editor, tasks):
    found = await editor.get("textDocument/documentHighlight", at(tasks, TASKS, "- [x] 1"))
    assert [(between(each["range"]), each["kind"]) for each in found] == [((2, 6, 7), 3), ((5, 43, 44), 2)]


async def test_the_outline_is_a_tree_with_states(editor, tasks):
    (top,) = await editor.get("textDocument/documentSymbol", {"textDocument": {"uri": tasks}})
    assert top["name"] == "🎉 Tasks"
    first, second = top["children"]
    assert (first["name"], first["detail"], second["detail"]) == ("1 書く 🎉", "done", "0/1")
    assert second["range"]["end"] == {"line": 6, "character": 15}
    assert between(second["children"][0]["selectionRange"]) == (6, 8, 11)


async def test_a_client_that_draws_no_tree_is_given_a_list(path, folder):
    async with editing(path, folder.parents[1]) as editor:
        uri = editor.open(folder / "tasks.md", TASKS)
        found = await editor.get("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
        assert [(each["name"], each.get("containerName")) for each in found][-1] == ("2.1 One", "2 読む")


async def test_symbols_are_found_in_all_spec_folders_and_in_unsaved_text(editor, folder, tasks):
    other = folder.parents[1] / "deep" / "openspec" / "changes" / "a" / "specs" / "cap"
    other.mkdir(parents=True)
    (other / "spec.md").write_text("## ADDED Requirements\n\n### Requirement: Kept words\nIt SHALL.\n")
    editor.type(tasks, "- [ ] 1. Kept in mind\n")
    found = await editor.get("workspace/symbol", {"query": "kepT"})
    assert {(each["name"], each["location"]["uri"]) for each in found} == {
        ("1 Kept in mind", tasks),
        ("Kept words", (other / "spec.md").as_uri()),
    }
    (other / "spec.md").write_text("### Requirement: Kept longer\n")
    found = await editor.get("workspace/symbol", {"query": "longer"})
    assert [each["name"] for each in found] == ["Kept longer"]


async def test_an_editor_that_watches_files_says_when_to_look_again(path, folder):
    able = {**PLAIN, "workspace": {**PLAIN["workspace"], "didChangeWatchedFiles": {"dynamicRegistration": True}}}
    async with editing(path, folder.parents[1], capabilities=able) as editor:
        editor.answers["client/registerCapability"] = lambda _: None

        async def names(query):
            return [each["name"] for each in await editor.get("workspace/symbol", {"query": query})]

        assert await names("Emoji") == []
        await editor.until(lambda: editor.requests("client/registerCapability"))
        assert await names("読む") == ["2 読む"]
        (folder / "tasks.md").write_text("- [ ] 9. Emoji\n")
        assert await names("Emoji") == []
        changes = [{"uri": (folder / "tasks.md").as_uri(), "type": 2}]
        editor.notify("workspace/didChangeWatchedFiles", {"changes": changes})
        assert await names("Emoji") == ["9 Emoji"]


async def test_sections_and_tasks_fold(editor, tasks):
    found = await editor.get("textDocument/foldingRange", {"textDocument": {"uri": tasks}})
    assert [(each["startLine"], each["endLine"]) for each in found] == [(0, 6), (2, 3), (4, 6)]


async def test_a_selection_grows_and_every_position_is_answered(editor, tasks):
    stale = {"line": 99, "character": 3}
    params = {"textDocument": {"uri": tasks}, "positions": [at(tasks, TASKS, "_Requirements: 1.2")["position"], stale]}
    inner, none = await editor.get("textDocument/selectionRange", params)
    assert between(inner["range"]) == (5, 30, 31)
    assert between(inner["parent"]["range"]) == (5, 28, 31)
    assert none["range"] == {"start": stale, "end": stale}


async def test_files_that_exist_are_linked(editor, tasks, folder):
    found = await editor.get("textDocument/documentLink", {"textDocument": {"uri": tasks}})
    assert [(between(each["range"]), each["target"]) for each in found] == [((3, 12, 17), (folder.parents[1] / "🎉.py").as_uri())]


async def test_ids_are_completed_and_told_when_one_is_looked_at(editor, tasks):
    found = await editor.get("textDocument/completion", at(tasks, TASKS, "_Requirements: 1.2"))
    assert [(each["label"], between(each["textEdit"]["range"])) for each in found["items"]] == [
        ("1", (5, 28, 31)),
        ("1.1", (5, 28, 31)),
        ("1.2", (5, 28, 31)),
    ]
    resolved = await editor.get("completionItem/resolve", found["items"][1])
    assert "Criterion 1.1" in resolved["documentation"]["value"]


async def test_templates_are_plain_text_where_the_client_knows_none(path, folder):
    text = REQUIREMENTS + "3. "
    for capabilities, written in (
        (ABLE, "WHEN ${1:event}, THE ${9:store} SHALL ${2:response}."),
        (PLAIN, "WHEN event, THE store SHALL response."),
    ):
        async with editing(path, folder.parents[1], capabilities=capabilities) as editor:
            uri = editor.open(folder / "requirements.md", text)
            found = await editor.get("textDocument/completion", at(uri, text, "3. "))
            assert found["items"][0]["textEdit"]["newText"] == written


async def test_the_empty_line_at_the_end_can_be_completed(editor, folder):
    uri = editor.open(folder / "requirements.md", REQUIREMENTS)
    where = {"textDocument": {"uri": uri}, "position": {"line": 6, "character": 0}}
    found = await editor.get("textDocument/completion", where)
    assert found["items"][0]["textEdit"]["newText"].startswith("3. WHEN ")


async def test_hints_tell_progress_and_coverage(editor, tasks, requirements):
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    (hint,) = await editor.get("textDocument/inlayHint", {"textDocument": {"uri": tasks}, "range": whole})
    assert (hint["label"], hint["position"]) == ("0/1", {"line": 4, "character": 11})
    (hint,) = await editor.get("textDocument/inlayHint", {"textDocument": {"uri": requirements}, "range": whole})
    assert (hint["label"], hint["position"]) == ("2 tasks", {"line": 2, "character": 24})


async def test_the_session_of_a_live_task_is_told(engine, path, tmp_path):
    await engine.approve()
    await engine.implement()
    document = engine.desk() / engine.visible.spectasks[ID].documents["tasks"].path
    async with editing(path, tmp_path, capabilities=ABLE) as editor:
        uri = editor.open(document)
        whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
        found = await editor.get("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole})
        assert [each["label"].partition(" ")[0] for each in found] == ["ws-1", "ws-2"]
        (link,) = await editor.get("textDocument/definition", {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 21}})
        assert link["targetUri"].endswith("requirements.md")


async def test_hints_are_asked_for_again_when_a_task_goes_on(engine, path, tmp_path):
    able = {**ABLE, "workspace": {**PLAIN["workspace"], "inlayHint": {"refreshSupport": True}}}
    await engine.approve()
    async with editing(path, tmp_path, capabilities=able) as editor:
        editor.open(engine.desk() / engine.visible.spectasks[ID].documents["tasks"].path)
        await told(editor, engine)
        await engine.implement()
        await editor.until(lambda: editor.requests("workspace/inlayHint/refresh"))


async def test_unsaved_text_of_a_live_document_counts_beside_it(engine, path, tmp_path):
    documents = engine.visible.spectasks[ID].documents
    async with editing(path, tmp_path, capabilities=ABLE) as editor:
        tasks = editor.open(engine.desk() / documents["tasks"].path)
        where = {"textDocument": {"uri": tasks}, "position": {"line": 3, "character": 21}}
        assert "print one JSON" in (await editor.get("textDocument/hover", where))["contents"]["value"]
        editor.open(engine.desk() / documents["requirements"].path, "### Requirement 1: R\n\n1. THE tool SHALL rest.\n")
        assert "SHALL rest" in (await editor.get("textDocument/hover", where))["contents"]["value"]


async def test_coloured_words_are_counted_in_units_and_sent_by_difference(editor, tasks):
    params = {"textDocument": {"uri": tasks}}
    full = await editor.get("textDocument/semanticTokens/full", params)
    assert full["data"][:15] == [2, 3, 1, 5, 0, 0, 3, 1, 2, 1, 1, 5, 5, 4, 0]
    # The label behind the emoji, and the reference behind it.
    assert full["data"][15:25] == [0, 27, 12, 4, 0, 0, 14, 3, 1, 0]
    editor.type(tasks, TASKS.replace("[ ] 2.1", "[x] 2.1 🎉"))
    delta = await editor.get("textDocument/semanticTokens/full/delta", {**params, "previousResultId": full["resultId"]})
    assert delta["edits"] == []
    editor.type(tasks, TASKS.replace("- [x] 1. 書く 🎉\r\n", ""))
    now = await editor.get("textDocument/semanticTokens/full/delta", {**params, "previousResultId": delta["resultId"]})
    (edit,) = now["edits"]
    spliced = full["data"][: edit["start"]] + edit["data"] + full["data"][edit["start"] + edit["deleteCount"] :]
    assert spliced == (await editor.get("textDocument/semanticTokens/full", params))["data"]
    again = await editor.get("textDocument/semanticTokens/full/delta", {**params, "previousResultId": "never given"})
    assert again["data"] == spliced


async def test_coloured_words_of_some_lines(editor, tasks):
    where = {"start": {"line": 6, "character": 0}, "end": {"line": 6, "character": 9}}
    found = await editor.get("textDocument/semanticTokens/range", {"textDocument": {"uri": tasks}, "range": where})
    assert found["data"] == [6, 5, 1, 5, 0, 0, 3, 3, 2, 1]


async def test_tasks_call_what_they_wait_for(editor, tasks):
    (item,) = await editor.get("textDocument/prepareCallHierarchy", at(tasks, TASKS, "読む"))
    assert item["name"] == "2 読む"
    (call,) = await editor.get("callHierarchy/outgoingCalls", {"item": item})
    assert (call["to"]["name"], between(call["fromRanges"][0])) == ("1 書く 🎉", (5, 43, 44))
    callers = await editor.get("callHierarchy/incomingCalls", {"item": call["to"]})
    assert [each["from"]["name"] for each in callers] == ["2 読む", "2.1 One"]


ABOUT_A_PLACE = (
    *("textDocument/hover", "textDocument/definition", "textDocument/declaration", "textDocument/documentHighlight"),
    *("textDocument/completion", "textDocument/prepareCallHierarchy", "textDocument/references"),
)
ABOUT_A_DOCUMENT = (
    *("textDocument/documentSymbol", "textDocument/foldingRange", "textDocument/documentLink", "textDocument/semanticTokens/full"),
)


def params_at(method, uri, line, character):
    context = {"triggerKind": 1} if method.endswith("completion") else {"includeDeclaration": True}
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}, "context": context}


@pytest.mark.parametrize("method", ABOUT_A_PLACE)
async def test_a_place_that_is_not_there_has_no_answer(editor, tasks, method):
    for line in (8, 1000):
        assert await editor.get(method, params_at(method, tasks, line, 5)) is None


@pytest.mark.parametrize("method", ABOUT_A_PLACE)
async def test_a_place_behind_the_end_of_a_line_is_its_end(editor, tasks, method):
    end = len(TASKS.split("\r\n")[6])
    there, behind = [await editor.get(method, params_at(method, tasks, 6, character)) for character in (end, 1000)]
    assert there == behind


@pytest.mark.parametrize("method", [*ABOUT_A_PLACE, *ABOUT_A_DOCUMENT])
async def test_what_is_no_spec_has_no_answer(editor, folder, method):
    for uri in (editor.open(folder.parents[1] / "README.md", TASKS), "untitled:tasks.md", "file:///", "nothing at all"):
        assert await editor.get(method, params_at(method, uri, 2, 7)) is None


async def test_documents_beside_it_are_read_again_when_they_change(editor, tasks, folder, requirements):
    where = at(tasks, TASKS, "_Requirements: 1.2")

    async def told():
        return (await editor.get("textDocument/hover", where))["contents"]["value"]

    assert "SHALL say" in await told()
    (folder / "requirements.md").write_bytes(REQUIREMENTS.replace("say", "shout").encode())
    assert "SHALL shout" in await told()
    editor.open(folder / "requirements.md", REQUIREMENTS.replace("say", "whisper"))
    assert "SHALL whisper" in await told()
    editor.close(requirements)
    assert "SHALL shout" in await told()
    (folder / "requirements.md").unlink()
    assert await editor.get("textDocument/definition", where) == []


async def test_an_address_may_be_written_in_more_than_one_way(editor, folder):
    uri = editor.open(folder / "tasks.md", TASKS)
    other = uri.replace("thing", "%74hing")
    assert await editor.get("textDocument/hover", at(other, TASKS, "_Requirements: 1.1")) is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-32"])
async def test_other_units_count_too(path, folder, encoding):
    able = {**ABLE, "general": {"positionEncodings": [encoding]}}
    async with editing(path, folder.parents[1], capabilities=able) as editor:
        uri = editor.open(folder / "tasks.md", TASKS)
        line = TASKS.split("\r\n")[5]
        start = len(line[: line.index("1.2")].encode(encoding.replace("utf-32", "utf-32-le"))) // (4 if encoding == "utf-32" else 1)
        where = {"textDocument": {"uri": uri}, "position": {"line": 5, "character": start + 1}}
        found = await editor.get("textDocument/hover", where)
        assert between(found["range"]) == (5, start, start + 3)
