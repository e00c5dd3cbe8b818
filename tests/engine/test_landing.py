"""Accepted work comes onto the branch that it was for, and nothing else moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specgit.types import RefName
from specthread.domain.ids import Oid
from specthread.domain.model import Refusal
from specthread.engine.landing import Landing, has_landed, land
from specthread.engine.repositories import Repositories
from support.git_fixture import commit_files, fingerprint, git, isolate_git, make_repository
from support.situation import implementing

ID = implementing().spectask.id
FEATURE = f"spectask/{ID}/feature"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose person works on `elsewhere`, while `main` waits for the work on the feature branch."""
    isolate_git(monkeypatch, tmp_path / "home")
    repository = make_repository(tmp_path / "check out", {"a": "1\n"})
    git(repository, "checkout", "--quiet", "-b", FEATURE)
    commit_files(repository, {"b": "2\n"}, "Work")
    git(repository, "checkout", "--quiet", "-b", "elsewhere", "main")
    return repository


@pytest.fixture
def opened(tmp_path, repository):
    repositories = Repositories(tmp_path / "state", "test")
    yield repositories.open(repository)
    repositories.close()


@pytest.fixture
def accepted(repository):
    return replace(implementing().spectask, state="done", target="main", final=Oid(git(repository, "rev-parse", FEATURE)))


def test_a_branch_that_nobody_works_on_is_moved_ahead_once(repository, opened, accepted):
    before = fingerprint(repository)
    assert not has_landed(opened, accepted)
    assert land(opened, accepted, "Ada") == Landing(how="moved", target="main", commit=accepted.final)
    assert git(repository, "rev-parse", "main") == accepted.final
    assert f"land {ID} for Ada" in git(repository, "reflog", "main")
    changed = {key for key, value in fingerprint(repository).items() if before.get(key) != value}
    assert all("main" in key or "refs" in key for key in changed), changed
    assert land(opened, accepted, "Ada") == Landing(how="already", target="main", commit=accepted.final)
    assert has_landed(opened, accepted)


def test_a_branch_that_is_checked_out_is_left_to_the_person_with_the_command_that_works(repository, opened, accepted):
    git(repository, "checkout", "--quiet", "main")
    before = fingerprint(repository)
    found = land(opened, accepted, "Ada")
    assert isinstance(found, Landing)
    assert (found.how, found.command) == ("by-hand", f"git -C '{repository}' merge --ff-only {accepted.final[:12]}")
    assert fingerprint(repository) == before
    commit_files(repository, {"c": "3\n"}, "More")
    found = land(opened, accepted, "Ada")
    assert isinstance(found, Landing)
    assert found.command == f"git -C '{repository}' merge {accepted.final[:12]}"


def test_a_branch_that_has_moved_on_is_not_moved(repository, opened, accepted):
    git(repository, "checkout", "--quiet", "main")
    commit_files(repository, {"c": "3\n"}, "More")
    git(repository, "checkout", "--quiet", "elsewhere")
    tip = git(repository, "rev-parse", "main")
    found = land(opened, accepted, "Ada")
    assert isinstance(found, Refusal)
    assert (found.code, git(repository, "rev-parse", "main")) == ("target-moved", tip)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "implementation_review"}, "not-accepted"),
        ({"state": "implementing"}, "not-accepted"),
        ({"target": None}, "no-target"),
        ({"target": "gone"}, "no-target"),
    ],
)
def test_only_accepted_work_with_a_branch_lands(opened, accepted, changes, code):
    found = land(opened, replace(accepted, **changes), "Ada")
    assert isinstance(found, Refusal)
    assert found.code == code


def test_a_branch_that_moves_at_this_very_moment_is_not_overwritten(repository, opened, accepted, monkeypatch):
    forward = opened.writer.fast_forward

    def late(branch, new, *, expect, reason):
        git(repository, "update-ref", "refs/heads/main", accepted.final)
        forward(branch, new, expect=expect, reason=reason)

    monkeypatch.setattr(opened.writer, "fast_forward", late)
    found = land(opened, accepted, "Ada")
    assert isinstance(found, Refusal)
    assert found.code == "target-moved"


# --- branches that are in use without looking so


def busy(opened, accepted):
    found = land(opened, accepted, "Ada")
    assert isinstance(found, Refusal), found
    return found.code


def test_a_branch_in_the_middle_of_a_rebase_or_bisection_is_not_moved(repository, opened, accepted):
    tip = git(repository, "rev-parse", "main")
    git(repository, "checkout", "--quiet", "-b", "other")
    commit_files(repository, {"a": "other\n"}, "Other")
    git(repository, "checkout", "--quiet", "main")
    rebasing = repository / ".git/rebase-merge"
    rebasing.mkdir()
    (rebasing / "head-name").write_text("refs/heads/main\n")
    git(repository, "checkout", "--quiet", "--detach")
    assert (busy(opened, accepted), git(repository, "rev-parse", "main")) == ("target-busy", tip)
    (rebasing / "head-name").write_text("refs/heads/other\n")
    (rebasing / "update-refs").write_text(f"refs/heads/main\n{tip}\n{tip}\n")
    assert busy(opened, accepted) == "target-busy"
    (rebasing / "update-refs").unlink()
    (repository / ".git/BISECT_START").write_text("main\n")
    assert (busy(opened, accepted), git(repository, "rev-parse", "main")) == ("target-busy", tip)


def test_a_branch_that_is_checked_out_under_another_name_is_not_moved(repository, opened, accepted):
    tip = git(repository, "rev-parse", "main")
    git(repository, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    git(repository, "checkout", "--quiet", "alias")
    found = land(opened, accepted, "Ada")
    assert isinstance(found, Landing)
    assert (found.how, git(repository, "rev-parse", "main")) == ("by-hand", tip)
    head = repository / ".git/HEAD"
    head.unlink()
    head.symlink_to("refs/heads/main")
    found = land(opened, accepted, "Ada")
    assert isinstance(found, Landing)
    assert (found.how, git(repository, "rev-parse", "main")) == ("by-hand", tip)


def test_a_branch_that_only_stands_for_another_one_is_not_replaced(repository, opened, accepted):
    git(repository, "branch", "--move", "main", "trunk")
    git(repository, "symbolic-ref", "refs/heads/main", "refs/heads/trunk")
    assert busy(opened, accepted) == "no-target"
    assert git(repository, "symbolic-ref", "refs/heads/main") == "refs/heads/trunk"


def test_a_checkout_that_is_gone_is_told(repository, opened, accepted, tmp_path):
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    (tmp_path / "linked").rename(tmp_path / "gone")
    assert busy(opened, accepted) == "target-busy"


def test_a_branch_that_is_checked_out_is_known_where_refs_are_no_files(repository, opened, accepted, monkeypatch):
    git(repository, "checkout", "--quiet", "main")
    tip = git(repository, "rev-parse", "main")
    told = {RefName("refs/heads/main"): repository}
    monkeypatch.setattr(type(opened.repository), "_checked_out_by_git", lambda _: told)
    (repository / ".git/HEAD").write_text("ref: refs/heads/.invalid\n")
    found = land(opened, accepted, "Ada")
    assert isinstance(found, Landing)
    assert (found.how, git(repository, "rev-parse", "refs/heads/main")) == ("by-hand", tip)
