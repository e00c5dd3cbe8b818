"""Editors that ask for what is wrong."""

import copy

from protocol.lsp.test_standalone import TASKS, alone
from support.lsp_client import PLAIN

ASKS = copy.deepcopy(PLAIN)
ASKS["textDocument"].pop("publishDiagnostics")
ASKS["textDocument"]["diagnostic"] = {}
ASKS["workspace"]["diagnostics"] = {"refreshSupport": True}


def folder(tmp_path):
    made = tmp_path / ".specs" / "thing"
    made.mkdir(parents=True)
    return made


async def pulled(editor, uri, previous=None):
    return await editor.get("textDocument/diagnostic", {"textDocument": {"uri": uri}, "previousResultId": previous})


async def test_an_editor_that_can_only_ask_is_answered_for_the_text_it_shows(tmp_path):
    async with alone(tmp_path, ASKS) as editor:
        assert editor.started["capabilities"]["diagnosticProvider"]["interFileDependencies"] is True
        uri = editor.open(folder(tmp_path) / "tasks.md", TASKS)
        first = await pulled(editor, uri)
        assert [each["code"] for each in first["items"]] == ["task/no-check"]
        assert await pulled(editor, uri, first["resultId"]) == {"kind": "unchanged", "resultId": first["resultId"]}
        editor.type(uri, TASKS + "  - _Check: make test_\n")
        second = await pulled(editor, uri, first["resultId"])
        assert (second["kind"], second["items"]) == ("full", [])
        assert not editor.notes("textDocument/publishDiagnostics")


async def test_it_is_told_to_ask_again_when_another_document_changes_what_is_wrong(tmp_path):
    refreshed = []
    async with alone(tmp_path, ASKS) as editor:
        editor.answers["workspace/diagnostic/refresh"] = refreshed.append
        tasks = editor.open(folder(tmp_path) / "tasks.md", "- [ ] 1. Do it\n  - _Requirements: 1.1_\n  - _Check: make_\n")
        assert (await pulled(editor, tasks))["items"] == []
        editor.open(
            tmp_path / ".specs" / "thing" / "requirements.md", "### Requirement 1: a\n\n#### Acceptance Criteria\n\n2. THE cli SHALL b.\n"
        )
        await editor.until(lambda: refreshed)
        assert [each["code"] for each in (await pulled(editor, tasks))["items"]] == ["link/unknown-requirement"]


async def test_one_that_is_told_is_not_offered_to_ask(tmp_path):
    both = copy.deepcopy(ASKS)
    both["textDocument"]["publishDiagnostics"] = {}
    async with alone(tmp_path, both) as editor:
        assert "diagnosticProvider" not in editor.started["capabilities"]
        uri = editor.open(folder(tmp_path) / "tasks.md", TASKS)
        await editor.until(lambda: editor.codes(uri) == ["task/no-check"])


async def test_a_file_that_is_no_spec_has_nothing_wrong(tmp_path):
    async with alone(tmp_path, ASKS) as editor:
        uri = editor.open(tmp_path / "notes.md", TASKS)
        assert (await pulled(editor, uri))["items"] == []
