import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from specgit.errors import BlockingBranch, DubiousOwnership, GitMissing, GitTooOld, NoCommitYet, NotARepository, ObjectMissing
from specgit.repository import Repository
from specgit.types import Oid, Person
from support.git_fixture import AUTHOR, commit_files, fingerprint, git, make_repository, write_files


def test_a_repository_is_found_from_any_folder_or_file_in_it(checkout):
    for path in (checkout, checkout / "src", checkout / "src/app.py"):
        found = Repository.open(path)
        assert (found.git_dir, found.checkout, found.object_format) == (checkout / ".git", checkout, "sha1")


def test_a_linked_worktree_opens_the_shared_git_folder(checkout, tmp_path):
    git(checkout, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "other")
    found = Repository.open(tmp_path / "linked")
    assert found.git_dir == checkout / ".git"
    assert found.checkout == tmp_path / "linked"
    assert found.head().branch == "other"


def test_a_bare_repository_has_no_checkout(checkout, tmp_path):
    git(tmp_path, "clone", "--quiet", "--bare", str(checkout), "bare.git")
    found = Repository.open(tmp_path / "bare.git")
    assert found.checkout is None
    assert found.head().branch == "main"


def test_a_sha256_repository_is_read_like_any_other(tmp_path):
    repository = Repository.open(make_repository(tmp_path / "new", {"a": "1\n"}, object_format="sha256"))
    head = repository.head()
    assert len(head.oid) == len(repository.zero) == 64
    assert (head.dirty, repository.read(head.oid, "a")) == ((), b"1\n")


@pytest.mark.parametrize("name", ["plain", "missing"])
def test_a_folder_without_a_repository_is_refused_with_advice(tmp_path, monkeypatch, name):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    with pytest.raises(NotARepository, match="git init"):
        Repository.open(tmp_path / name / "x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to somebody else")
def test_a_repository_of_another_user_is_refused_with_gits_own_advice(checkout):
    for folder, _, names in os.walk(checkout):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            os.chown(path, 12345, 12345)
    with pytest.raises(DubiousOwnership, match=r"safe\.directory"):
        Repository.open(checkout)


def test_a_git_program_that_is_too_old_is_refused(checkout, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text("#!/bin/sh\necho git version 2.37.9\n")
    (tmp_path / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(GitTooOld, match=r"2\.37\.9.*2\.38"):
        Repository.open(checkout)


def test_a_machine_without_git_is_told_to_install_it(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissing, match="Install git"):
        Repository.open(checkout)


def test_a_repository_without_a_commit_says_so(tmp_path):
    with pytest.raises(NoCommitYet, match="git commit"):
        Repository.open(make_repository(tmp_path / "empty", {})).head()


def test_a_clean_checkout_has_a_branch_and_nothing_else(repository, checkout):
    head = repository.head()
    assert head.oid == git(checkout, "rev-parse", "HEAD")
    assert (head.branch, head.detached, head.dirty, head.untracked) == ("main", False, (), ())


def test_a_dirty_checkout_names_what_is_not_committed_and_is_left_as_it_is(repository, checkout):
    write_files(checkout, {"src/app.py": "changed\n", "new.txt": "", "staged file.py": "", "x.log": "ignored", "folder/y": ""})
    (checkout / "src/lib/deep.py").unlink()
    git(checkout, "add", "staged file.py")
    os.utime(checkout / "README.md", (1, 1))
    before = fingerprint(checkout)
    head = repository.head()
    assert head.dirty == ("src/app.py", "src/lib/deep.py", "staged file.py")
    assert head.untracked == ("folder/", "new.txt")
    assert fingerprint(checkout) == before


def test_the_checkouts_own_exclude_file_and_settings_are_followed(repository, checkout):
    (checkout / ".git/info/exclude").write_text("private/\n")
    git(checkout, "config", "core.fileMode", "false")
    write_files(checkout, {"private/notes": "x"})
    (checkout / "README.md").chmod(0o755)
    assert repository.head().untracked == ()
    assert repository.head().dirty == ()


def test_a_split_index_is_read(repository, checkout):
    git(checkout, "update-index", "--split-index")
    write_files(checkout, {"src/app.py": "changed\n"})
    assert repository.head().dirty == ("src/app.py",)


def test_a_detached_head_has_no_branch(repository, checkout):
    git(checkout, "checkout", "--quiet", "--detach")
    assert (repository.head().branch, repository.head().detached) == (None, True)


def test_the_identity_is_that_of_the_config_or_nobody(repository, checkout):
    assert repository.identity() == Person(name=AUTHOR[0], email=AUTHOR[1])
    git(checkout, "config", "--unset", "user.email")
    assert repository.identity() is None


def test_names_are_resolved_or_are_nothing(repository, checkout):
    head = repository.head().oid
    assert repository.resolve("main") == repository.resolve("refs/heads/main") == head
    assert repository.resolve("refs/heads/none") is None
    assert repository.resolve("--all") is None
    assert repository.tree_of(head) == git(checkout, "rev-parse", "HEAD^{tree}")
    with pytest.raises(ObjectMissing):
        repository.tree_of(Oid("1" * 40))


def test_files_are_read_as_committed(repository, checkout):
    commit_files(checkout, {"odd \n name": b"\xff\0\n", "empty": b""}, "Odd")
    write_files(checkout, {"README.md": "not committed"})
    assert repository.read("main", "README.md") == b"Hello\n"
    assert repository.read("main", "odd \n name") == b"\xff\0\n"
    assert repository.read("main", "empty") == b""
    assert repository.read("main", "src") is None
    assert repository.read("main", "none") is None
    assert repository.read("none", "README.md") is None


def test_entries_are_listed_below_a_prefix(repository, checkout):
    assert [entry.path for entry in repository.entries("main")] == [".gitignore", "README.md", "src/app.py", "src/lib/deep.py"]
    entries = repository.entries("main", "src/lib/")
    assert [(entry.path, entry.mode, entry.kind) for entry in entries] == [("src/lib/deep.py", "100644", "blob")]
    assert repository.entries("main", "none") == ()


def test_history_is_read_with_trailers(repository, checkout):
    message = "Subject\n\nA body: with a colon.\n\nSpec-Task: a-7k3f\nSpec-Requirement: 1.1\nSpec-Requirement: 1.2"
    commit_files(checkout, {"a": "1"}, message)
    newest, oldest = repository.log("main")
    assert (newest.subject, newest.body) == ("Subject", "A body: with a colon.")
    assert newest.trailers == (("Spec-Task", "a-7k3f"), ("Spec-Requirement", "1.1"), ("Spec-Requirement", "1.2"))
    assert newest.author == Person(name=AUTHOR[0], email=AUTHOR[1])
    assert newest.when == datetime.fromtimestamp(1700000000, UTC)
    assert newest.parents == (oldest.oid,)
    assert (oldest.subject, oldest.body, oldest.trailers) == ("Begin", "", ())
    assert repository.log("main", limit=1) == (newest,)
    assert repository.log(f"{oldest.oid}..main") == (newest,)


def test_distance_and_ancestry_are_counted(repository, checkout):
    first = repository.head().oid
    second = Oid(commit_files(checkout, {"a": "1"}, "Next"))
    assert (repository.behind(first, second), repository.behind(second, first)) == (1, 0)
    assert repository.is_ancestor(first, second)
    assert repository.is_ancestor(first, first)
    assert not repository.is_ancestor(second, first)


def test_a_checked_out_branch_is_found_whatever_its_name_and_wherever_its_git_folder_lies(tmp_path):
    made = make_repository(tmp_path / "apart", {"a": "1"})
    git(made, "init", "--quiet", f"--separate-git-dir={tmp_path / 'store'}")
    assert Repository.open(made).checked_out() == {"refs/heads/main": made}
    head = tmp_path / "store" / "HEAD"
    head.write_bytes(b"ref: refs/heads/caf\xe9\n")
    assert Repository.open(made).checked_out() == {"refs/heads/caf\udce9": made}
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert Repository.open(made).checked_out() == {"refs/heads/main": made}


def test_checked_out_branches_are_found_as_git_finds_them(repository, checkout, tmp_path):
    git(checkout, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "other")
    git(checkout, "worktree", "add", "--quiet", "--detach", str(tmp_path / "loose"))
    expected = {"refs/heads/main": checkout, "refs/heads/other": tmp_path / "linked"}
    assert repository.checked_out() == repository._checked_out_by_git() == expected
    (checkout / ".git/worktrees/half-made").mkdir()
    assert Repository.open(tmp_path / "linked").checked_out() == expected
    git(tmp_path, "clone", "--quiet", "--bare", str(checkout), "bare.git")
    assert Repository.open(tmp_path / "bare.git").checked_out() == {}


@pytest.mark.parametrize(("branch", "blocks"), [("spectask", True), ("spectask/a-7k3f", True), ("spectask/b", False), ("spec", False)])
@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_a_name_that_leaves_no_room_for_ours_is_told_with_the_way_out(repository, checkout, kind, branch, blocks):
    git(checkout, kind, branch)
    if not blocks:
        repository.require_room("a-7k3f")
        return
    with pytest.raises(BlockingBranch, match=f"There is a {kind} named {branch}, .* git {kind} "):
        repository.require_room("a-7k3f")


def test_the_checkouts_of_a_repository_are_listed_with_the_main_one_first(repository, checkout, tmp_path):
    git(checkout, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    assert Repository.open(tmp_path / "linked").checkouts() == (checkout, tmp_path / "linked")


def test_the_commits_of_a_range_are_counted(repository, checkout):
    before = repository.head().oid
    commit_files(checkout, {"a": "1"}, "One")
    commit_files(checkout, {"a": "2"}, "Two")
    assert repository.count(f"{before}..HEAD") == 2


def test_ignored_paths_are_those_that_the_rules_name_and_that_hold_nothing_committed(repository, checkout):
    commit_files(checkout, {"node_modules/kept.js": "x"}, "Keep one")
    write_files(checkout, {".gitignore": "node_modules/\n.venv/\n:odd\n", ".venv/x": "", ":odd": ""})
    assert repository.ignored(["node_modules", ".venv", "src", ":odd", "none"]) == {".venv", ":odd"}
    assert repository.ignored([]) == frozenset()


def test_differences_are_plain_text_up_to_a_limit(repository, checkout):
    first = repository.head().oid
    second = Oid(commit_files(checkout, {"README.md": "Bye\n", "ä.md": "x\n" * 5000}, "Next"))
    assert repository.changed_paths(first, second) == ("README.md", "ä.md")
    assert "-Hello\n+Bye\n" in repository.diff_text(first, second, limit_bytes=100_000)
    cut = repository.diff_text(first, second, limit_bytes=300)
    assert len(cut) < 400
    assert cut.endswith("longer than 300 bytes.]\n")


def test_a_partial_clone_reports_a_missing_object_and_fetches_nothing(checkout, tmp_path):
    git(checkout, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{checkout}", "partial")
    repository = Repository.open(tmp_path / "partial")
    with pytest.raises(ObjectMissing, match="fetch"):
        repository.read("HEAD", "README.md")


def test_a_shallow_clone_can_be_read(checkout, tmp_path):
    commit_files(checkout, {"a": "1"}, "Next")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{checkout}", "shallow")
    repository = Repository.open(tmp_path / "shallow")
    assert [commit.subject for commit in repository.log("HEAD")] == ["Next"]
    assert repository.head().dirty == ()


def test_the_files_of_a_checkout_are_those_in_its_index_and_new_ones_that_are_not_ignored(repository, checkout):
    before = set(repository.own_files())
    (checkout / ".gitignore").write_text("*.log\n")
    (checkout / "new").mkdir()
    (checkout / "new" / "née.py").write_text("")
    (checkout / "old.log").write_text("")
    assert set(repository.own_files()) - before == {"new/née.py"}


def test_many_files_are_read_by_one_git(repository, checkout):
    first = commit_files(checkout, {"a b": "1\n", "empty": "", "line\nbreak": "x"}, "First")
    second = commit_files(checkout, {"a b": "2\n"}, "Second")
    places = [(first, "a b"), (second, "a b"), (first, "empty"), (first, "none"), (first, "src"), ("1" * 40, "a"), (second, "line\nbreak")]
    assert repository.read_all(places) == [b"1\n", b"2\n", b"", None, None, None, b"x"]
    assert repository.read_all([]) == []
