import shutil

import pytest

from specgit.errors import UnsafePath
from specgit.foresight import Foresight, Work
from specgit.merge import Merger
from specgit.sparse import Cone, cone_of, read_cone
from specgit.types import Oid
from specgit.worktrees import Worktrees
from support.git_fixture import commit_files, fingerprint, git, make_repository, write_files
from support.remove_and_die import KEEP
from support.worktree_story import REFS, WS, commit, files_of

FILES = {
    "src/app.py": "a\n",
    "src/lib/deep.py": "d\n",
    "docs/read.md": "r\n",
    "docs/api/call.md": "c\n",
    "docs/api/v1/old.md": "o\n",
    "data/large.bin": "l\n",
    "srcs/other.py": "s\n",
    "top.txt": "t\n",
    ".gitignore": "*.log\n",
}
FOLDERS = ("src", "docs/api/")
HELD = {"src/app.py", "src/lib/deep.py", "docs/read.md", "docs/api/call.md", "docs/api/v1/old.md", "top.txt", ".gitignore"}


@pytest.fixture
def checkout(tmp_path):
    return make_repository(tmp_path / "repo", FILES)


@pytest.fixture
def desk(worktrees, tmp_path, base):
    path = tmp_path / "work" / "ws-1"
    worktrees.add(path, branch=WS, start=base, sparse=FOLDERS)
    return path


def test_a_narrowed_worktree_holds_the_top_and_its_folders_and_plain_git_finds_it_clean(worktrees, desk, checkout, base, tmp_path):
    before = fingerprint(checkout)
    worktrees.add(tmp_path / "again", branch=REFS.session(2), start=base, sparse=FOLDERS)
    assert set(files_of(desk)) == HELD
    assert git(desk, "status", "--porcelain") == ""
    assert git(desk, "diff", "--stat", "HEAD") == ""
    assert fingerprint(checkout) == before
    assert not (checkout / ".git/config.worktree").exists()
    assert not (worktrees.gitdir_of(desk) / "config.worktree").exists()
    assert worktrees.cone(desk) == Cone(folders=("docs/api", "src"))


def test_what_is_written_is_what_git_itself_would_write(worktrees, desk, checkout, tmp_path):
    git(tmp_path, "clone", "--quiet", "--no-checkout", str(checkout), "clone")
    git(tmp_path / "clone", "sparse-checkout", "set", "--cone", "src", "docs/api")
    theirs = (tmp_path / "clone/.git/info/sparse-checkout").read_text()
    assert sorted((worktrees.gitdir_of(desk) / "info/sparse-checkout").read_text().splitlines()) == sorted(theirs.splitlines())
    git(tmp_path / "clone", "checkout", "--quiet")
    assert set(files_of(tmp_path / "clone")) == HELD
    assert read_cone(tmp_path / "clone/.git") == worktrees.cone(desk)


def test_what_is_left_out_is_not_deleted_and_what_is_written_there_is_a_change(worktrees, repository, desk, base):
    assert commit(worktrees, desk).oid == base
    write_files(desk, {"data/new.bin": "n\n", "data/large.bin": "mine\n", "src/app.py": "b\n"})
    (desk / "docs/read.md").unlink()
    made = commit(worktrees, desk)
    assert made.changed == ("data/large.bin", "data/new.bin", "docs/read.md", "src/app.py")
    assert repository.changed_paths(base, made.oid) == made.changed
    assert git(desk, "status", "--porcelain") == ""
    write_files(desk, {"data/large.bin": "again\n"})
    assert git(desk, "status", "--porcelain") == " M data/large.bin"
    shutil.rmtree(desk / "data")
    shutil.rmtree(desk / "src")
    assert commit(worktrees, desk).changed == ("src/app.py", "src/lib/deep.py")


def test_it_stays_narrow_when_it_is_reset_found_again_or_made_anew(worktrees, repository, desk, base):
    write_files(desk, {"src/new.py": "n\n", "data/new.bin": "n\n"})
    made = commit(worktrees, desk)
    worktrees.reset_files(desk, made.oid)
    assert set(files_of(desk)) == HELD | {"src/new.py"}
    assert git(desk, "status", "--porcelain") == ""
    Worktrees(repository).add(desk, branch=WS, start=base)
    assert set(files_of(desk)) == HELD | {"src/new.py"}
    (worktrees.gitdir_of(desk) / "index").unlink()  # as a crash leaves it
    worktrees.add(desk, branch=WS, start=base, sparse=["data"])
    assert set(files_of(desk)) == {"data/large.bin", "data/new.bin", "top.txt", ".gitignore"}


def test_a_merge_brings_in_what_is_outside_only_where_it_changed(worktrees, repository, desk, base, checkout):
    theirs = Oid(commit_files(checkout, {"data/large.bin": "theirs\n", "src/app.py": "theirs\n"}, "Theirs"))
    write_files(desk, {"src/lib/deep.py": "mine\n"})
    own = commit(worktrees, desk)
    assert Merger(repository).write_with_markers(desk, own.oid, theirs) == ()
    made = commit(worktrees, desk, merge_parents=[theirs])
    assert made.changed == ("src/lib/deep.py",)
    assert repository.changed_paths(own.oid, made.oid) == ("data/large.bin", "src/app.py")
    assert git(desk, "status", "--porcelain") == ""


def test_looking_ahead_and_keeping_know_what_is_left_out(worktrees, repository, desk, base, checkout, tmp_path):
    other = tmp_path / "work" / "ws-2"
    worktrees.add(other, branch=REFS.session(2), start=base)
    write_files(other, {"data/large.bin": "theirs\n", "src/app.py": "theirs\n"})
    write_files(desk, {"src/app.py": "mine\n"})
    foresight = Foresight(repository, tmp_path / "foresight")
    works = {"1": Work(path=desk, tip=base), "2": Work(path=other, tip=base)}
    assert foresight.look(works, works) == {("1", "2"): ("src/app.py",)}
    foresight.close()
    kept = worktrees.remove(desk, keep=KEEP)
    assert repository.changed_paths(base, kept.oid) == ("src/app.py",)


@pytest.mark.parametrize("folder", ["", "..", "src/../..", "/etc", "src/*", "a/.git", "a\\b"])
def test_what_is_no_folder_of_a_repository_is_refused(worktrees, tmp_path, base, folder):
    with pytest.raises(UnsafePath):
        worktrees.add(tmp_path / "ws", branch=WS, start=base, sparse=[folder])
    assert not (tmp_path / "ws").exists()


def test_a_folder_below_another_adds_nothing():
    assert cone_of(["src/lib", "src", "src-b"]).folders == ("src", "src-b")
