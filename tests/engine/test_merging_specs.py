"""Specs of the project that two sides changed are merged by what they mean; the SpecTask's own, and code, are not."""

from dataclasses import replace

import pytest

from specthread.engine.merging import previewed
from specthread.engine.repositories import Repositories
from specthread.engine.target import look_at_target
from support.git_fixture import commit_files, git, isolate_git, make_repository
from support.situation import implementing

TASKS = "# Tasks\n\n- [ ] 1. Encode\n- [ ] 2. Decode\n- [ ] 3. Write it down\n"
OTHER = ".kiro/specs/reader/tasks.md"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {OTHER: TASKS, ".specs/add-json-7k3f/tasks.md": TASKS, "a.py": "1\n"})


@pytest.fixture
def opened(tmp_path, repository):
    repositories = Repositories(tmp_path / "state", "test")
    yield repositories.open(repository)
    repositories.close()


def both(repository, ours, theirs):
    git(repository, "checkout", "--quiet", "-b", "theirs")
    commit_files(repository, theirs, "Theirs")
    git(repository, "checkout", "--quiet", "main")
    commit_files(repository, ours, "Ours")
    return [git(repository, "rev-parse", name) for name in ("main", "theirs")]


def test_ticks_side_by_side_are_no_conflict(repository, opened):
    ours, theirs = both(repository, {OTHER: TASKS.replace("[ ] 1", "[x] 1")}, {OTHER: TASKS.replace("[ ] 2", "[x] 2")})
    spectask = implementing().spectask
    assert opened.merger.preview(ours, theirs).conflicts == (OTHER,)
    found = previewed(opened, spectask, ours, theirs)
    assert found.conflicts == ()
    assert opened.repository.read(found.tree, OTHER).decode() == TASKS.replace("[ ] 1", "[x] 1").replace("[ ] 2", "[x] 2")


@pytest.mark.parametrize(
    ("path", "ours", "theirs"),
    [
        ("a.py", "2\n", "3\n"),
        (OTHER, TASKS.replace("Encode", "Encode it"), TASKS.replace("Encode", "Encode all")),
        (".specs/add-json-7k3f/tasks.md", TASKS.replace("[ ] 1", "[x] 1"), TASKS.replace("[ ] 2", "[x] 2")),
    ],
)
def test_code_and_different_meanings_and_the_own_documents_are_for_a_person(repository, opened, path, ours, theirs):
    mine, other = both(repository, {path: ours}, {path: theirs})
    spectask = implementing().spectask
    assert path in {document.path for document in spectask.documents.values()} or not path.startswith(".specs")
    assert previewed(opened, spectask, mine, other).conflicts == (path,)


def test_what_is_told_of_the_target_is_what_a_sync_would_find(repository, opened):
    ours, _ = both(repository, {OTHER: TASKS.replace("[ ] 1", "[x] 1")}, {OTHER: TASKS.replace("[ ] 2", "[x] 2")})
    spectask = replace(implementing().spectask, feature=ours, target="theirs")
    assert look_at_target(opened, spectask).conflicts == ()
    assert look_at_target(opened, spectask).behind == 1
