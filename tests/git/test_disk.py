import os

from specgit.__main__ import main
from specgit.disk import disk_use, in_megabytes, size_of
from support.git_fixture import git, write_files
from support.worktree_story import REFS


def test_each_worktree_of_ours_is_measured_with_the_trash_beside_it(worktrees, repository, desk, base, checkout, tmp_path):
    other = tmp_path / "elsewhere" / "ws-2"
    worktrees.add(other, branch=REFS.session(2), start=base)
    git(checkout, "worktree", "add", "--quiet", "--detach", str(tmp_path / "theirs"))
    write_files(desk, {"build/big": os.urandom(200_000)})
    used = disk_use(repository)
    assert [path for path, _ in used.worktrees] == [desk, other]
    assert used.worktrees[0][1] - used.worktrees[1][1] >= 200_000
    assert (used.total, used.trash) == (sum(size for _, size in used.worktrees), 0)
    write_files(desk.parent, {".trash-0/a": os.urandom(50_000)})
    write_files(tmp_path, {"gone/.trash-1/a": os.urandom(50_000)})
    assert 50_000 <= disk_use(repository).trash < 100_000 <= disk_use(repository, [tmp_path / "gone"]).trash


def test_links_are_not_followed_and_what_has_gone_takes_nothing(tmp_path):
    write_files(tmp_path / "t", {"a": "1"})
    alone = size_of(tmp_path / "t")
    write_files(tmp_path, {"large": os.urandom(500_000)})
    (tmp_path / "t/link").symlink_to(tmp_path / "large")
    (tmp_path / "t/folder").symlink_to(tmp_path)
    assert size_of(tmp_path / "t") - alone < 10_000
    assert size_of(tmp_path / "nowhere") == 0


def test_a_size_is_told_as_people_read_it():
    assert [in_megabytes(size) for size in (0, 1_540_000, 201_400_000, 12_345_678_901)] == ["0.0 MB", "1.5 MB", "201 MB", "12,346 MB"]


def test_the_command_line_says_what_worktrees_take(desk, checkout, capsys):
    assert main(["doctor", str(checkout)]) == 0
    assert f" MB in {desk}" in capsys.readouterr().out
