import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from specgit.errors import GitError, UnsafePath
from specgit.folder import delete_tree
from specgit.removal import trash_in
from specgit.scan import Dropped
from specgit.snapshot import Keep
from specgit.worktrees import Worktrees
from support import remove_and_die
from support.git_fixture import fingerprint, git, make_repository, write_files
from support.remove_and_die import KEEP
from support.worktree_story import BOT, WHEN, WS, commit, files_of

WORK = {"src/app.py": "print('better')\n", "src/new.py": "x\n", "debug.log": "ignored\n"}


def kept_files(checkout, ref=KEEP.ref):
    return {name: git(checkout, "show", f"{ref}:{name}") for name in git(checkout, "ls-tree", "-r", "--name-only", ref).splitlines()}


def test_work_that_is_not_committed_is_kept_before_its_worktree_goes(worktrees, repository, desk, base, checkout):
    before = fingerprint(checkout)
    write_files(desk, WORK)
    (desk / "README.md").unlink()
    kept = worktrees.remove(desk, keep=KEEP)
    assert (kept.ref, kept.oid, kept.dropped) == (KEEP.ref, repository.resolve(KEEP.ref), ())
    expected = {".gitignore": "*.log\nbuild/", "src/app.py": "print('better')", "src/lib/deep.py": "x = 1", "src/new.py": "x"}
    assert kept_files(checkout) == expected
    assert git(checkout, "rev-parse", f"{KEEP.ref}^") == base
    assert repository.resolve(WS) == base
    assert (desk.exists(), list(desk.parent.iterdir()), worktrees.list()) == (False, [], ())
    assert not (checkout / ".git/worktrees").exists()
    assert fingerprint(checkout) == before


def test_a_worktree_that_holds_nothing_of_its_own_leaves_no_snapshot(worktrees, repository, desk):
    write_files(desk, {"one.py": "1\n"})
    commit(worktrees, desk)
    write_files(desk, {"debug.log": "ignored\n"})
    assert worktrees.remove(desk, keep=KEEP) is None
    assert repository.resolve(KEEP.ref) is None


def test_a_commit_that_only_the_worktree_knows_is_kept(worktrees, repository, desk):
    write_files(desk, {"one.py": "1\n"})
    git(desk, "switch", "--quiet", "--detach")
    git(desk, "add", "one.py")
    git(desk, "commit", "--quiet", "--message", "By hand")
    alone = git(desk, "rev-parse", "HEAD")
    assert worktrees.remove(desk, keep=KEEP).oid == alone
    assert repository.resolve(KEEP.ref) == alone


def test_a_second_snapshot_lies_on_top_of_the_first(worktrees, repository, desk, checkout, base):
    write_files(desk, {"one.py": "1\n"})
    first = worktrees.snapshot(desk, KEEP)
    assert worktrees.snapshot(desk, KEEP) == first
    write_files(desk, {"one.py": "2\n"})
    made = commit(worktrees, desk)
    write_files(desk, {"two.py": "2\n"})
    second = worktrees.remove(desk, keep=KEEP)
    assert git(checkout, "rev-list", "--parents", "-1", second.oid).split()[1:] == [first.oid, made.oid]
    assert kept_files(checkout).keys() >= {"one.py", "two.py"}
    assert git(checkout, "show", f"{first.oid}:one.py") == "1"


def test_what_no_history_can_hold_is_named(worktrees, repository, desk):
    make_repository(desk / "inner", {"a": "1\n"})
    write_files(desk, {"one.py": "1\n"})
    kept = worktrees.remove(desk, keep=KEEP)
    assert kept.dropped == (Dropped(path="inner", reason="nested-repository"),)
    assert "Left out: inner (nested-repository)" in repository.log(kept.oid, limit=1)[0].body


def test_a_snapshot_goes_nowhere_but_to_the_archive(worktrees, desk):
    write_files(desk, WORK)
    with pytest.raises(UnsafePath, match="archive"):
        worktrees.remove(desk, keep=Keep(ref=WS, message="m", author=BOT, when=WHEN))
    assert desk.exists()


def test_a_worktree_that_somebody_else_locked_stays(worktrees, desk, checkout):
    git(checkout, "worktree", "unlock", str(desk))
    git(checkout, "worktree", "lock", "--reason", "my own work", str(desk))
    with pytest.raises(GitError, match="my own work"):
        worktrees.remove(desk, keep=None)
    assert (desk / "README.md").exists()
    git(checkout, "worktree", "unlock", str(desk))
    worktrees.remove(desk, keep=None)
    assert not desk.exists()


def test_work_in_a_folder_that_git_has_forgotten_is_not_touched(worktrees, repository, desk, base, checkout):
    write_files(desk, WORK)
    shutil.rmtree(checkout / ".git/worktrees/ws-1")
    with pytest.raises(GitError, match="no longer knows it"):
        worktrees.add(desk, branch=WS, start=base)
    assert worktrees.remove(desk, keep=KEEP) is None
    assert (desk / "src/new.py").read_text() == "x\n"
    desk.rename(desk.with_name("aside"))
    worktrees.add(desk, branch=WS, start=base)
    assert not (desk / "src/new.py").exists()


def test_only_its_own_folder_goes_and_no_worktree_that_is_away_for_a_while(worktrees, desk, checkout, tmp_path):
    git(checkout, "worktree", "add", "--quiet", "--detach", str(tmp_path / "stick" / "theirs"))
    (tmp_path / "stick").rename(tmp_path / "unplugged")
    worktrees.remove(desk, keep=None)
    assert [path.name for path in (checkout / ".git/worktrees").iterdir()] == ["theirs"]
    (tmp_path / "unplugged").rename(tmp_path / "stick")
    assert git(tmp_path / "stick/theirs", "status", "--porcelain") == ""


@pytest.mark.parametrize("step", remove_and_die.STEPS)
def test_a_removal_that_is_killed_loses_nothing_and_is_done_by_doing_it_again(repository, desk, checkout, step):
    write_files(desk, WORK)
    before = fingerprint(checkout)
    command = [sys.executable, "-m", remove_and_die.__name__, str(checkout), str(desk), step]
    died = subprocess.run(command, cwd=Path(remove_and_die.__file__).parents[1], check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert desk.exists() == (step in {"before the snapshot", "after the snapshot"})
    worktrees = Worktrees(repository)
    worktrees.remove(desk, keep=KEEP)
    assert kept_files(checkout)["src/new.py"] == "x"
    assert len(repository.log(KEEP.ref)) == 2
    worktrees.empty_trash(desk.parent)
    assert list(trash_in(repository, desk.parent)) == list(desk.parent.iterdir()) == []
    assert worktrees.list() == ()
    assert fingerprint(checkout) == before
    worktrees.add(desk, branch=WS, start=repository.head().oid)
    assert files_of(desk).keys() == {".gitignore", "README.md", "src/app.py", "src/lib/deep.py"}


def test_two_may_delete_the_same_folder(tmp_path, monkeypatch):
    write_files(tmp_path / "t", {"a/b": "1", "c": "2"})
    real, tries = delete_tree.__globals__["shutil"].rmtree, []

    def overtaken(path):
        tries.append(path)
        if len(tries) == 1:
            (tmp_path / "t/c").unlink()
            raise FileNotFoundError(tmp_path / "t/c")
        real(path)

    monkeypatch.setattr("specgit.folder.shutil.rmtree", overtaken)
    delete_tree(tmp_path / "t")
    assert not (tmp_path / "t").exists()
