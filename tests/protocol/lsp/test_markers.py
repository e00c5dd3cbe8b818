"""Markers in code files, as an editor asks about them."""

from __future__ import annotations

import pytest

from support.fake_documents import DESIGN, REQUIREMENTS, TASKS
from support.git_fixture import git, isolate_git, make_repository
from support.lsp_client import editing

HOME = ".specs/add-json-7k3f"
CODE = "# 🎉 一覧 Req 1.1 and Req 9.9\nx = 1\n"
FILES = {
    f"{HOME}/requirements.md": REQUIREMENTS,
    f"{HOME}/design.md": DESIGN,
    f"{HOME}/tasks.md": TASKS,
    "src/encode.py": CODE,
    "tests/test_encode.py": "def test_req_1_1(): ...\n",
    "README.md": "Req 1.1\n",
}


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", FILES)


def at(uri, line, character, **more):
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}, **more}


def place(location, checkout):
    start, end = location["range"]["start"], location["range"]["end"]
    return location["uri"].removeprefix(f"{checkout.as_uri()}/"), start["line"], start["character"], end["character"]


async def test_a_marker_is_told_in_words_and_leads_to_its_criterion(path, checkout):
    async with editing(path, checkout) as editor:
        uri = editor.open(checkout / "src/encode.py")
        told = await editor.get("textDocument/hover", at(uri, 0, 13))
        found = await editor.get("textDocument/definition", at(uri, 0, 15))
        nothing = [await editor.get("textDocument/hover", at(uri, *where)) for where in ((0, 5), (0, 25), (1, 0))]
    assert told["contents"] == {
        "kind": "plaintext",
        "value": "add-json-7k3f, criterion 1.1: WHEN the user passes `--json`, THE tool SHALL print one JSON document.\n"
        "Tasks: 1 Write the encoder (to do), 2 Add the option (to do), 3 Write it down (to do)\n"
        "Tests: tests/test_encode.py:1",
    }
    assert [place(each, checkout) for each in found] == [(f"{HOME}/requirements.md", 8, 0, 1)]
    assert nothing == [None, None, None]


async def test_references_are_those_in_documents_code_and_tests_with_unsaved_text_as_it_is(path, checkout):
    async with editing(path, checkout) as editor:
        uri = editor.open(checkout / "src/encode.py")
        editor.type(uri, f"\n{CODE}")
        found = await editor.get("textDocument/references", at(uri, 1, 13, context={"includeDeclaration": False}))
    assert [place(each, checkout) for each in found] == [
        (f"{HOME}/tasks.md", 3, 19, 22),
        (f"{HOME}/tasks.md", 7, 19, 22),
        (f"{HOME}/tasks.md", 11, 19, 22),
        ("src/encode.py", 1, 12, 15),
        ("tests/test_encode.py", 0, 13, 16),
    ]


async def test_every_sure_marker_is_a_link_to_its_line(path, checkout):
    async with editing(path, checkout) as editor:
        uri = editor.open(checkout / "src/encode.py")
        (link,) = await editor.get("textDocument/documentLink", {"textDocument": {"uri": uri}})
    assert link["target"] == f"{(checkout / HOME / 'requirements.md').as_uri()}#L9"
    assert (link["range"]["start"]["character"], link["range"]["end"]["character"]) == (12, 15)


async def test_prose_files_elsewhere_and_repositories_without_specs_are_left_alone(path, checkout, tmp_path):
    bare = make_repository(tmp_path / "bare", {"a.py": "# Req 1.1\n"})
    (tmp_path / "alone.py").write_text("# Req 1.1\n")
    async with editing(path, checkout) as editor:
        for file in (checkout / "README.md", bare / "a.py", tmp_path / "alone.py"):
            uri = editor.open(file)
            assert await editor.get("textDocument/hover", at(uri, 0, 5)) is None
            assert await editor.get("textDocument/documentLink", {"textDocument": {"uri": uri}}) is None
        assert await editor.get("textDocument/hover", at("untitled:Untitled-1", 0, 0)) is None
    assert git(checkout, "status", "--porcelain") == ""
