"""The language features without a daemon."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager

from support.lsp_client import PLAIN, LspClient

TASKS = "# Tasks\n\n- [ ] 1. Do it\n"


@asynccontextmanager
async def alone(folder, capabilities=PLAIN):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "specthread",
        "lsp",
        "--standalone",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "SPECTHREAD_STATE": str(folder / "never")},
        limit=2**26,
    )
    editor = LspClient(process.stdout, process.stdin)
    await editor.start(folder, capabilities)
    yield editor
    await editor.stop()
    await asyncio.wait_for(process.wait(), 10)


async def test_a_spec_is_checked_and_no_daemon_is_started(tmp_path):
    folder = tmp_path / ".specs" / "thing"
    folder.mkdir(parents=True)
    async with alone(tmp_path) as editor:
        uri = editor.open(folder / "tasks.md", TASKS)
        await editor.until(lambda: "task/no-check" in editor.codes(uri))
        editor.type(uri, TASKS + "  - _Requirements: 1_\n  - _Check: make test_\n")
        await editor.until(lambda: "task/no-check" not in editor.codes(uri))
    assert not (tmp_path / "never").exists()


async def test_a_command_says_that_it_needs_the_daemon(tmp_path):
    async with alone(tmp_path) as editor:
        await editor.command("approve")
        await editor.until(lambda: any("needs the daemon" in each for each in editor.messages()))


async def test_the_features_that_read_specs_need_no_daemon(tmp_path):
    folder = tmp_path / ".kiro" / "specs" / "thing"
    folder.mkdir(parents=True)
    (folder / "requirements.md").write_text("### Requirement 1: Kept\n\n1. THE store SHALL keep.\n")
    async with alone(tmp_path) as editor:
        uri = editor.open(folder / "tasks.md", TASKS + "  - _Requirements: 1.1_\n")
        where = {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 21}}
        (place,) = await editor.get("textDocument/definition", where)
        assert place["uri"] == (folder / "requirements.md").as_uri()
        assert [each["name"] for each in await editor.get("workspace/symbol", {"query": "kept"})] == ["1 Kept"]
    assert not (tmp_path / "never").exists()


async def test_markers_in_code_lead_to_their_requirement_without_a_daemon(tmp_path):
    folder = tmp_path / ".specs" / "thing"
    folder.mkdir(parents=True)
    (folder / "requirements.md").write_text("### Requirement 1: Thing\n\n#### Acceptance Criteria\n\n1. THE thing SHALL be.\n")
    (tmp_path / "code.py").write_text("# Req 1.1\n")
    async with alone(tmp_path) as editor:
        uri = editor.open(tmp_path / "code.py")
        place = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 7}}
        (found,) = await editor.get("textDocument/definition", place)
        told = await editor.get("textDocument/hover", place)
    assert (found["uri"], found["range"]["start"]) == ((folder / "requirements.md").as_uri(), {"line": 4, "character": 0})
    assert told["contents"]["value"].startswith("thing, criterion 1.1: THE thing SHALL be.")


async def test_the_references_of_a_requirement_hold_what_code_says_of_it(tmp_path):
    folder = tmp_path / ".specs" / "thing"
    folder.mkdir(parents=True)
    (tmp_path / "code.py").write_text("# Req 1.1\n")
    async with alone(tmp_path) as editor:
        uri = editor.open(folder / "requirements.md", "### Requirement 1: Thing\n\n#### Acceptance Criteria\n\n1. THE thing SHALL be.\n")
        (folder / "requirements.md").write_text("### Requirement 1: Thing\n\n#### Acceptance Criteria\n\n1. THE thing SHALL be.\n")
        place = {"textDocument": {"uri": uri}, "position": {"line": 4, "character": 0}, "context": {"includeDeclaration": False}}
        (found,) = await editor.get("textDocument/references", place)
    assert (found["uri"], found["range"]["start"]) == ((tmp_path / "code.py").as_uri(), {"line": 0, "character": 6})


async def test_a_task_is_renamed_and_findings_are_mended_without_a_daemon(tmp_path):
    folder = tmp_path / ".kiro" / "specs" / "thing"
    folder.mkdir(parents=True)
    text = "- [ ] 1. Do it\n- [ ] 2. Then\n  - _Depends: 1_\n\n```\nopen\n"
    async with alone(tmp_path) as editor:
        uri = editor.open(folder / "tasks.md", text)
        params = {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 14}, "newName": "3"}
        [change] = (await editor.get("textDocument/rename", params))["documentChanges"]
        assert [edit["newText"] for edit in change["edits"]] == ["3", "3"]
        editor.answers["workspace/applyEdit"] = lambda _: {"applied": True}
        await editor.command("fix-all")
        await editor.until(lambda: "1 finding mended." in editor.messages())


async def test_what_a_repository_says_about_checking_counts_in_the_editor_too(tmp_path):
    folder = tmp_path / ".specs" / "thing"
    folder.mkdir(parents=True)
    (tmp_path / "specthread.toml").write_text('[check.levels]\n"task/no-check" = "info"\n"coverage" = "off"\n')
    async with alone(tmp_path) as editor:
        uri = editor.open(folder / "tasks.md", TASKS)
        await editor.until(lambda: editor.codes(uri) == ["task/no-check"])
        assert editor.diagnostics(uri)[0]["severity"] == 3
        (tmp_path / "specthread.toml").write_text('[check]\nexclude = [".specs/thing"]\n')
        editor.type(uri, TASKS + "\n")
        await editor.until(lambda: editor.codes(uri) == [])


async def test_a_void_approval_is_told_where_the_document_is_edited(tmp_path):
    folder = tmp_path / ".specs" / "thing"
    folder.mkdir(parents=True)
    (folder / "spec-metadata.json").write_text(json.dumps({"versions": [{"number": 3, "digests": {"tasks": "0" * 64}}]}))
    async with alone(tmp_path) as editor:
        uri = editor.open(folder / "tasks.md", TASKS)
        await editor.until(lambda: "approval/void" in editor.codes(uri))
