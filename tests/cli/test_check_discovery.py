"""Which files `check` looks at: every spec of every dialect below a path, and nothing else."""

from __future__ import annotations

import os

import pytest

from specthread.cli.check.discovery import specs_below
from specthread.cli.check.reading import contents_of, spec_of
from support.spec_tree import BAD, GOOD, NO_SPECS, TREE, plant


@pytest.fixture
def tree(environ):
    return plant(environ / "work", {**TREE, **NO_SPECS})


def found(*paths, archived=False):
    said = specs_below(list(paths), archived=archived)
    assert not said.troubles
    return {file for folder in said.folders for name, file in folder.files.items() if name in folder.wanted}


def test_a_folder_above_them_finds_the_specs_of_every_dialect_and_no_other_file(tree):
    assert found(".") == {path for path in TREE if "/archive/" not in path}


def test_archived_changes_are_found_where_they_are_asked_for(tree):
    assert found(".", archived=True) == set(TREE)


@pytest.mark.parametrize("path", ["openspec/changes/archive", "openspec/changes/archive/2026-01-02-old", ".spec-workflow/archive"])
def test_an_archived_change_is_found_where_it_is_named(tree, path):
    assert found(path) == {each for each in TREE if each.startswith(path)}


def test_the_deltas_and_the_tasks_of_a_change_are_one_spec(tree):
    (change,) = specs_below(["openspec/changes"], archived=False).folders
    spec = spec_of(change.path, contents_of(change)[0])
    assert (set(spec.sources), spec.dialect, spec.tasks_name) == ({"tasks", "specs/notes/export/spec"}, "openspec", "tasks")


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        (".specs/own-1a2b", "specthread"),
        (".kiro/specs/login", "kiro"),
        ("specs/001-login", "spec-kit"),
        ("openspec/specs/notes/export", "openspec"),
        (".spec-workflow/specs/search", "spec-workflow"),
    ],
)
def test_a_folder_that_is_a_spec_is_read_in_the_dialect_of_its_place_wherever_one_stands(tree, monkeypatch, path, dialect):
    monkeypatch.chdir(path)
    (folder,) = specs_below(["."], archived=False).folders
    assert spec_of(folder.path, contents_of(folder)[0]).dialect == dialect


def test_a_spec_in_no_known_place_is_read_in_the_dialect_of_its_words(environ):
    plant(environ / "work", {"x/spec.md": TREE["specs/001-login/spec.md"], "x/tasks.md": "- [ ] 1. a\n"})
    (folder,) = specs_below(["x"], archived=False).folders
    assert spec_of(folder.path, contents_of(folder)[0]).dialect == "spec-kit"


def test_a_document_at_the_root_of_a_project_is_no_spec_where_there_are_specs(environ):
    plant(environ / "work", {"design.md": "# Design\n", ".specs/a/requirements.md": GOOD})
    assert found(".") == {".specs/a/requirements.md"}


def test_a_file_is_judged_with_its_neighbours_but_told_alone(environ, cli):
    tasks = "# Tasks\n\n- [ ] 1. Say so\n  - _Requirements: 9.9_\n  - _Check: pytest_\n"
    plant(environ / "work", {".specs/a/requirements.md": BAD, ".specs/a/tasks.md": tasks})
    said = cli("check", ".specs/a/tasks.md", "--json").json["problems"]
    assert [(each["path"], each["code"]) for each in said] == [(".specs/a/tasks.md", "link/unknown-requirement")]


def test_a_delta_named_alone_is_told_alone(tree):
    path = "openspec/changes/add-export/specs/notes/export/spec.md"
    assert found(path) == {path}
    assert found("openspec/changes/add-export/specs/notes") == {path}


def test_a_spec_named_twice_is_checked_once(tree):
    assert len(specs_below([".", ".specs", ".specs/own-1a2b/requirements.md"], archived=False).folders) == len(
        specs_below(["."], archived=False).folders
    )


def test_a_circle_of_links_ends_and_each_real_file_is_read_once(environ, cli):
    work = plant(environ / "work", {".specs/a/requirements.md": BAD})
    (work / ".specs" / "a" / "again").symlink_to(work, target_is_directory=True)
    (work / ".specs" / "b").symlink_to("a", target_is_directory=True)
    (work / ".specs" / "loop").symlink_to("loop")
    said = cli("check", "--json")
    assert [each["path"] for each in said.json["problems"]] == [".specs/a/requirements.md"]


def test_a_link_to_specs_elsewhere_is_followed_and_any_other_link_is_not(environ):
    plant(environ, {"elsewhere/a/requirements.md": GOOD, "other/.specs/x/requirements.md": GOOD})
    (environ / "work" / ".specs").symlink_to(environ / "elsewhere", target_is_directory=True)
    (environ / "work" / "link").symlink_to(environ / "other", target_is_directory=True)
    assert found(".") == {".specs/a/requirements.md"}


def test_a_path_below_the_current_folder_is_shown_short_however_it_was_named(tree):
    plain = [".specs/own-1a2b/requirements.md"]
    from specthread.cli.check.verb import _shown

    assert [_shown(str(tree / plain[0])), _shown(f"./{plain[0]}"), _shown(str(tree)), _shown(os.sep)] == [
        plain[0],
        plain[0],
        str(tree),
        "/",
    ]


def test_a_named_file_that_is_no_document_of_its_spec_is_wrong_use(tree, cli):
    plant(tree, {".specs/own-1a2b/notes.md": ""})
    said = cli("check", ".specs/own-1a2b/notes.md")
    assert said.code == 2
    assert ".specs/own-1a2b/notes.md is none of the documents of a spec" in said.err
