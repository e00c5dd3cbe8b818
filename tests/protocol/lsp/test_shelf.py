"""Which documents are read together, and what is read again."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from pygls.workspace import Workspace

from specthread.domain.model import State
from specthread.engine.spec_folder import documents_in
from specthread.protocol.lsp import shelf as module
from specthread.protocol.lsp.shelf import ShelfReader, read_file, root_of
from specthread.spec.dialects import place_of
from specthread.spec.levels import DEFAULTS


@pytest.fixture
def reader(tmp_path):
    ports = SimpleNamespace(engine=SimpleNamespace(visible=State()), state_folder=tmp_path / "state", check_settings_at=lambda _: DEFAULTS)
    return ShelfReader(ports, SimpleNamespace(workspace=Workspace(None)))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / ".specs" / "thing"
    folder.mkdir(parents=True)
    (folder / "requirements.md").write_text("### Requirement 1: one\n")
    (folder / "tasks.md").write_text("- [ ] 1. Do\n")
    return folder


def test_nothing_is_read_again_while_nothing_changes(reader, folder):
    (first, _), (second, name) = reader.at((folder / "tasks.md").as_uri()), reader.at((folder / "requirements.md").as_uri())
    assert first.index is second.index
    assert name == "requirements"


def test_a_document_that_did_not_change_is_not_read_again(reader, folder):
    before, _ = reader.at((folder / "tasks.md").as_uri())
    (folder / "tasks.md").write_text("- [ ] 1. Do\n- [ ] 2. More\n")
    after, _ = reader.at((folder / "tasks.md").as_uri())
    assert [task.id for task in after.index.spec.tasks] == ["1", "2"]
    assert after.index.spec.sources["requirements"] is before.index.spec.sources["requirements"]
    assert after.index.spec.sources["tasks"].lines[0] is before.index.spec.sources["tasks"].lines[0]


def test_only_so_many_shelves_are_kept(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_MOST_SHELVES", 2)
    for number in range(4):
        folder = tmp_path / ".specs" / f"s{number}"
        folder.mkdir(parents=True)
        (folder / "tasks.md").touch()
        assert reader.at((folder / "tasks.md").as_uri())
    assert len(reader._kept) == len(reader._files) == 2


def test_what_is_no_plain_file_or_too_large_is_not_read(folder, monkeypatch):
    os.mkfifo(folder / "design.md")
    assert read_file(folder / "design.md", None) is None
    assert read_file(folder / "bugfix.md", None) is None
    monkeypatch.setattr(module, "MOST_BYTES", 5)
    assert read_file(folder / "tasks.md", None) is None


def test_a_name_that_is_no_text_is_no_document(folder):
    (folder / os.fsdecode(b"\xff")).mkdir()
    (folder / "specs").mkdir()
    assert [path.name for path in documents_in(folder)] == ["requirements.md", "tasks.md"]
    change = folder.parent / "openspec" / "changes" / "x"
    (change / "specs" / os.fsdecode(b"\xff")).mkdir(parents=True)
    (change / "specs" / os.fsdecode(b"\xff") / "spec.md").touch()
    assert documents_in(change) == []


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("r/.specs/a/tasks.md", "r/.specs/a"),
        ("r/specs/001-a/spec.md", "r/specs/001-a"),
        ("r/openspec/specs/cap/spec.md", "r/openspec/specs/cap"),
        ("r/openspec/changes/x/tasks.md", "r/openspec/changes/x"),
        ("r/openspec/changes/x/specs/cap/spec.md", "r/openspec/changes/x"),
        ("r/openspec/changes/archive/2026-x/specs/cap/spec.md", "r/openspec/changes/archive/2026-x"),
        ("openspec/changes/y/repo/openspec/specs/cap/spec.md", "openspec/changes/y/repo/openspec/specs/cap"),
    ],
)
def test_the_folder_of_a_document(path, folder):
    assert place_of(path)[0] == folder


@pytest.mark.parametrize(
    "folder", [".specs/a", ".kiro/specs/a", "specs/001-a", "openspec/changes/x", "openspec/specs/cap", ".specify/specs/001-a"]
)
def test_the_repository_around_a_spec_folder(folder):
    assert root_of(Path("/home/repo") / folder) == Path("/home/repo")
