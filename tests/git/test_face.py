"""The package as somebody meets it first: its page, its command line, and what it says of odd repositories."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from specgit import merge
from specgit.__main__ import main
from specgit.commits import CommitRequest, Writer
from specgit.errors import GitError
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.traits import traits_of
from specgit.types import Oid, Person, spec_refs
from support.git_fixture import commit_files, fingerprint, git, make_repository

ROOT = Path(__file__).parents[2]


@pytest.fixture
def branches(checkout):
    """Four branches of one commit: two change the same file, one adds another, one changes nothing."""
    start = git(checkout, "rev-parse", "HEAD")
    for name, files in {"one": {"README.md": "One\n"}, "two": {"README.md": "Two\n", "ünï x": "2"}, "three": {"new": "3"}}.items():
        git(checkout, "checkout", "--quiet", "-b", name, start)
        commit_files(checkout, files, name)
    git(checkout, "checkout", "--quiet", "main")
    git(checkout, "branch", "same")
    return {name: Oid(git(checkout, "rev-parse", name)) for name in ("one", "two", "three", "same")}


def test_the_page_of_the_package_shows_what_runs(checkout, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "git_integration/README.md").read_text(), re.DOTALL)
    assert code.count("\n") <= 32
    before = fingerprint(checkout)
    monkeypatch.chdir(checkout)
    exec(compile(code, "README.md", "exec"), {})
    assert "('README.md',)" in capsys.readouterr().out
    assert fingerprint(checkout) == before


# --- the matrix


def test_each_two_branches_are_merged_in_memory_and_what_conflicts_is_told(repository, branches):
    found = Merger(repository).matrix(branches)
    assert list(found) == [("one", "two"), ("one", "three"), ("one", "same"), ("two", "three"), ("two", "same"), ("three", "same")]
    assert {pair: paths for pair, paths in found.items() if paths} == {("one", "two"): ("README.md",)}
    assert Merger(repository).matrix({}) == Merger(repository).matrix({"one": branches["one"]}) == {}


def test_an_older_git_is_asked_pair_by_pair(repository, branches, monkeypatch):
    whole = Merger(repository).matrix(branches)
    monkeypatch.setattr(merge, "_UNKNOWN_OPTION", 0)
    assert Merger(repository).matrix(branches) == whole


def test_branches_without_a_common_commit_are_compared_too_and_a_missing_one_is_told(repository, checkout, branches):
    git(checkout, "checkout", "--quiet", "--orphan", "unrelated")
    other = Oid(commit_files(checkout, {"README.md": "Other\n"}, "Unrelated"))
    assert Merger(repository).matrix({**branches, "other": other})["one", "other"] == ("README.md",)
    with pytest.raises(GitError):
        Merger(repository).matrix({"one": branches["one"], "gone": Oid("1" * 40)})


# --- what kind of repository it is


def test_an_ordinary_repository_has_nothing_to_note(repository):
    traits = traits_of(repository)
    assert (traits.object_format, traits.ref_storage, traits.notes, len(traits.worktrees)) == ("sha1", "files", (), 1)


def test_odd_repositories_say_what_is_odd(checkout, tmp_path):
    git(checkout, "config", "uploadpack.allowFilter", "true")
    address = f"file://{checkout}"
    git(tmp_path, "clone", "--quiet", "--bare", address, "bare")
    git(tmp_path, "clone", "--quiet", "--depth=1", address, "shallow")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", address, "partial")
    git(checkout, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    make_repository(tmp_path / "new", {"x": "1\n"}, object_format="sha256")
    said = {name: traits_of(Repository.open(tmp_path / name)) for name in ("bare", "shallow", "partial", "linked", "new")}
    words = {"bare": "is bare", "shallow": "is shallow", "partial": "is a partial clone", "linked": "is a linked worktree"}
    assert all(any(word in note for note in said[name].notes) for name, word in words.items())
    assert (said["new"].object_format, said["new"].notes) == ("sha256", ())
    assert len(said["linked"].worktrees) == 2
    git(tmp_path / "partial", "config", "remote.origin.promisor", "false")
    assert traits_of(Repository.open(tmp_path / "partial")).promisor == ()


# --- the command line


def test_the_command_line_looks_and_changes_nothing(checkout, repository, base, branches, capsys):
    before = fingerprint(checkout)
    assert main(["matrix", str(checkout), "--branch", "one", "--branch", "two"]) == 1
    assert capsys.readouterr().out == "one and two: README.md\n"
    assert main(["matrix", str(checkout), "--branch", "one", "--branch", "three"]) == 0
    assert capsys.readouterr().out == "one and three: no conflict\n"
    assert main(["matrix", str(checkout)]) == 0
    assert "not two branches" in capsys.readouterr().out
    assert main(["log", str(checkout)]) == 0
    assert "No SpecTask" in capsys.readouterr().out
    when = datetime(2026, 1, 2, tzinfo=UTC)
    kept = CommitRequest(
        ref=spec_refs("add-x").feature, message="Publish v1", author=Person(name="A", email="a@b"), when=when, event="e", start=base
    )
    Writer(repository).commit([kept])
    assert main(["log", str(checkout)]) == 0
    assert re.fullmatch(
        r"spectask/add-x\n  [0-9a-f]{10}  2026-01-02 00:00  Publish v1\n  0 work sessions, 0 records on spectask/add-x/specs\n",
        capsys.readouterr().out,
    )
    git(checkout, "branch", "-D", "spectask/add-x/feature")
    assert main(["doctor", str(checkout)]) == 0
    assert "Nothing is in the way." in capsys.readouterr().out
    git(checkout, "branch", "spectask")
    assert main(["doctor", str(checkout)]) == 1
    assert "branch named spectask" in capsys.readouterr().out
    git(checkout, "branch", "-D", "spectask")
    assert fingerprint(checkout) == before
    assert branches


@pytest.mark.parametrize(
    ("arguments", "code", "words"), [(["log", "/"], 1, "git init"), (["matrix", "--branch", "nope"], 1, "no branch nope"), ([], 2, "usage")]
)
def test_a_wrong_command_line_is_told_in_words(checkout, arguments, code, words):
    done = subprocess.run([sys.executable, "-m", "specgit", *arguments], cwd=checkout, capture_output=True, text=True, check=False)
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (code, True, False)
