import os

from specgit import scan
from specgit.repository import Repository
from specgit.scan import Dropped
from specgit.worktrees import Worktrees
from support.git_fixture import git, make_repository, write_files
from support.worktree_story import WS, commit


def test_a_sha256_worktree_is_scanned_with_its_own_hash(tmp_path):
    repository = Repository.open(make_repository(tmp_path / "new", {"a": "1\n"}, object_format="sha256"))
    worktrees = Worktrees(repository)
    start = repository.head().oid
    worktrees.add(tmp_path / "ws", branch=WS, start=start)
    assert commit(worktrees, tmp_path / "ws").oid == start
    write_files(tmp_path / "ws", {"b": "2"})
    assert commit(worktrees, tmp_path / "ws").changed == ("b",)


def test_a_commit_that_is_found_again_after_a_crash_still_says_what_was_left_out(worktrees, desk):
    write_files(desk, {"one.py": "1\n", ".gitmodules": "[submodule]", ".gitignore": "*.log\nbuild/\n*.tmp\n"})
    first = commit(worktrees, desk, event="i:7")
    (worktrees.gitdir_of(desk) / "index").unlink()  # the crash came before the index
    again = commit(worktrees, desk, event="i:7")
    assert first.dropped == (Dropped(path=".gitmodules", reason="gitmodules"),)
    assert again == first
    assert git(desk, "status", "--porcelain") == "?? .gitmodules"


def test_an_event_is_not_looked_for_before_the_start_of_the_work(worktrees, desk):
    write_files(desk, {"one.py": "1\n"})
    first = commit(worktrees, desk, event="i:7")
    write_files(desk, {"two.py": "2\n"})
    second = commit(worktrees, desk, event="i:7", since=first.oid)
    assert (second.parent, second.changed) == (first.oid, ("two.py",))
    assert commit(worktrees, desk, event="i:7", since=first.oid).oid == second.oid


def test_a_new_folder_that_is_too_large_is_left_out_as_a_whole_and_all_else_is_committed(worktrees, desk, monkeypatch):
    monkeypatch.setattr(scan, "_LARGEST", 1000)
    write_files(desk, {"target/debug/a.o": "a" * 600, "target/debug/b.o": "b" * 600, "src/new.py": "x\n", "pkg/deep/mod.py": "y\n"})
    write_files(desk, {"README.md": "r" * 700, "src/app.py": "s" * 700})
    made = commit(worktrees, desk)
    assert made.changed == ("README.md", "pkg/deep/mod.py", "src/new.py")
    assert made.dropped == (Dropped(path="src/app.py", reason="too-large"), Dropped(path="target", reason="too-large"))
    assert (desk / "target/debug/a.o").exists()


def test_a_new_folder_of_very_many_files_is_left_out_as_a_whole(worktrees, desk, monkeypatch):
    monkeypatch.setattr(scan, "_MOST_NEW_FILES", 10)
    write_files(desk, {**{f"cache/{number}": "12345678" for number in range(11)}, "one.py": "1\n"})
    made = commit(worktrees, desk)
    assert (made.changed, made.dropped) == (("one.py",), (Dropped(path="cache", reason="too-large"),))


def test_pipes_in_the_place_of_ignore_rules_stop_nobody(worktrees, desk):
    (desk / ".gitignore").unlink()
    for name in (".gitignore", "src/.gitignore"):
        os.mkfifo(desk / name)
    write_files(desk, {"one.py": "1\n"})
    made = commit(worktrees, desk)  # asked about rules in a pipe, git waits for ever
    assert made.changed == ("one.py",)
    assert [(item.path, item.reason) for item in made.dropped] == [(".gitignore", "special-file"), ("src/.gitignore", "special-file")]
    os.mkfifo(desk / "pipe")
    worktrees.reset_files(desk, made.oid)
    assert git(desk, "status", "--porcelain") == ""
