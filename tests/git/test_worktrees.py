import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from specgit.commits import CommitRequest, Writer
from specgit.errors import CheckedOutElsewhere, GitError
from specgit.repository import Repository
from specgit.scan import Dropped
from specgit.types import Oid
from support.git_fixture import commit_files, fingerprint, git, make_repository, write_files
from support.worktree_story import BOT, REFS, WHEN, WS, commit, files_of


def test_a_worktree_holds_the_files_of_its_start_and_is_clean(worktrees, repository, desk, base, checkout):
    assert files_of(desk) == {name: (checkout / name).read_text() for name in (".gitignore", "README.md", "src/app.py", "src/lib/deep.py")}
    assert git(desk, "status", "--porcelain") == ""
    assert git(desk, "symbolic-ref", "HEAD") == WS
    assert repository.resolve(WS) == base
    assert [(tree.path, tree.head, tree.branch) for tree in worktrees.list()] == [(desk, base, WS)]
    assert worktrees.gitdir_of(desk) == checkout / ".git/worktrees/ws-1"


def test_modes_links_and_odd_names_are_checked_out_as_committed(worktrees, checkout, tmp_path):
    write_files(checkout, {"run.sh": "#!/bin/sh\n", "ä b\n.txt": "x"})
    (checkout / "run.sh").chmod(0o755)
    (checkout / "link").symlink_to("src/app.py")
    git(checkout, "add", "-A")
    git(checkout, "commit", "--quiet", "-m", "Odd")
    worktrees.add_detached(tmp_path / "check", Oid(git(checkout, "rev-parse", "HEAD")))
    assert os.access(tmp_path / "check/run.sh", os.X_OK)
    assert not os.access(tmp_path / "check/README.md", os.X_OK)
    assert (tmp_path / "check/link").readlink().as_posix() == "src/app.py"
    assert git(tmp_path / "check", "status", "--porcelain") == ""


def test_adding_twice_keeps_the_agents_work(worktrees, desk, base):
    write_files(desk, {"new.py": "mine\n"})
    worktrees.add(desk, branch=WS, start=base)
    assert (desk / "new.py").read_text() == "mine\n"


def test_a_worktree_that_was_never_filled_is_filled_and_not_taken_for_deleted_work(worktrees, desk, base):
    (worktrees.gitdir_of(desk) / "index").unlink()
    shutil.rmtree(desk / "src")
    worktrees.add(desk, branch=WS, start=base)
    assert (desk / "src/app.py").exists()
    assert commit(worktrees, desk).oid == base


def test_a_worktree_that_git_did_not_finish_is_made_anew(worktrees, desk, base, checkout):
    (worktrees.gitdir_of(desk) / "index").unlink()
    (worktrees.gitdir_of(desk) / "HEAD").write_text("0" * 40 + "\n")
    (desk / ".git").unlink()
    worktrees.add(desk, branch=WS, start=base)
    assert git(desk, "symbolic-ref", "HEAD") == WS
    assert git(desk, "status", "--porcelain") == ""


def test_a_folder_with_another_worktree_is_refused(worktrees, desk, base):
    with pytest.raises(GitError, match="something other"):
        worktrees.add(desk, branch=REFS.session(2), start=base)


def test_a_worktree_whose_folder_has_gone_is_made_again_from_its_branch(worktrees, desk, base):
    write_files(desk, {"new.py": "mine\n"})
    made = commit(worktrees, desk)
    shutil.rmtree(desk)
    worktrees.add(desk, branch=WS, start=base)
    assert (desk / "new.py").read_text() == "mine\n"
    assert git(desk, "rev-parse", "HEAD") == made.oid


def test_several_worktrees_are_made_used_and_removed_at_the_same_time(worktrees, repository, base, tmp_path, checkout):
    before = fingerprint(checkout)

    def live(number):
        path, branch = tmp_path / f"work{number}" / "ws", REFS.session(number)
        worktrees.add(path, branch=branch, start=base)
        write_files(path, {f"new{number}": "x"})
        made = commit(worktrees, path, branch=branch)
        worktrees.remove(path, keep=None)
        return made.changed

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(live, range(1, 13))) == [(f"new{number}",) for number in range(1, 13)]
    assert worktrees.list() == ()
    assert fingerprint(checkout) == before


def test_a_branch_has_one_worktree(worktrees, desk, base, tmp_path):
    with pytest.raises(CheckedOutElsewhere, match="ws-1"):
        worktrees.add(tmp_path / "second", branch=WS, start=base)


def test_a_detached_worktree_has_no_branch_and_advances_by_resetting(worktrees, repository, base, tmp_path):
    tip = Writer(repository).commit(
        [CommitRequest(ref=REFS.feature, start=base, message="m", author=BOT, when=WHEN, files={"new": b"1", "src/app.py": None})]
    )[0]
    worktrees.add_detached(tmp_path / "view", base)
    worktrees.add_detached(tmp_path / "view", base)
    assert [tree.branch for tree in worktrees.list()] == [None]
    write_files(tmp_path / "view", {"left.log": "", "src/lib/over": ""})
    worktrees.reset_files(tmp_path / "view", tip.oid)
    assert set(files_of(tmp_path / "view")) == {".gitignore", "README.md", "new", "src/lib/deep.py"}


def test_the_work_of_a_session_becomes_one_commit_on_its_branch(worktrees, repository, desk, base, checkout):
    before = fingerprint(checkout)
    write_files(desk, {"src/app.py": "print('better')\n", "src/new.py": "x\n", "debug.log": "no", "build/out": "no", "deep/er/file": "1"})
    (desk / "src/lib/deep.py").unlink()
    (desk / "src/new.py").chmod(0o755)
    made = commit(worktrees, desk, trailers=[("Spec-Task", "a-7k3f"), ("Spec-Session", "ws-1")], event="i:7")
    assert made.changed == ("deep/er/file", "src/app.py", "src/lib/deep.py", "src/new.py")
    assert (made.parent, made.dropped, made.evidence) == (base, (), ())
    assert repository.resolve(WS) == made.oid
    assert repository.tree_of(made.oid) == made.tree
    assert repository.read(made.oid, "src/lib/deep.py") is None
    assert [entry.mode for entry in repository.entries(made.oid, "src/new.py")] == ["100755"]
    fact = repository.log(made.oid, limit=1)[0]
    assert fact.author == BOT
    assert fact.trailers == (("Spec-Task", "a-7k3f"), ("Spec-Session", "ws-1"), ("Specthread-Event", "i:7"))
    assert git(desk, "status", "--porcelain") == ""
    assert fingerprint(checkout) == before


def test_names_that_are_no_text_are_committed_as_they_are(worktrees, repository, desk):
    names = [os.fsdecode(name) for name in (b"\xff\n", b'q"\\', b":(top)x", b"-x", b"cafe\xcc\x81")]
    for name in names:
        (desk / name).write_text(name.encode(errors="replace").decode())
    made = commit(worktrees, desk)
    assert set(made.changed) == set(names)
    assert {entry.path for entry in repository.entries(made.oid)} >= set(names)


def test_no_change_makes_no_commit(worktrees, desk, base):
    os.utime(desk / "README.md", (1, 1))
    made = commit(worktrees, desk, event="i:7")
    assert (made.oid, made.parent, made.changed) == (base, base, ())


def test_the_same_event_makes_no_second_commit_of_later_work(worktrees, repository, desk):
    write_files(desk, {"one.py": "1\n"})
    first = commit(worktrees, desk, event="i:7")
    write_files(desk, {"two.py": "2\n"})
    again = commit(worktrees, desk, event="i:7")
    assert (again.oid, again.tree, again.parent, again.changed) == (first.oid, first.tree, first.parent, ("one.py",))
    assert repository.resolve(WS) == first.oid
    assert (desk / "two.py").exists()


def test_what_must_not_enter_the_history_is_dropped_and_named(worktrees, repository, desk):
    write_files(
        desk,
        {
            "ok.py": "1\n",
            ".gitmodules": "[submodule]",
            "nested/.git/config": "[core]",
            "nested/file": "x",
            "src/.GIT/hooks/post-checkout": "#!/bin/sh",
            "src/lib/.git": "gitdir: /elsewhere",
            ".specs/a-7k3f/tasks.md": "- [x] 1",
            ".SPECS/a-7k3f/design.md": "mine",
            ".gitattributes": "* filter=x",
            ".github/workflows/ci.yml": "on: push",
            "docs/.gitignore": "*.py\n",
        },
    )
    os.mkfifo(desk / "pipe")
    made = commit(worktrees, desk, drop_prefixes=(".specs/a-7k3f/",))
    assert made.dropped == tuple(
        Dropped(path=path, reason=reason)
        for path, reason in [
            (".SPECS/a-7k3f/design.md", "protected"),
            (".gitmodules", "gitmodules"),
            (".specs/a-7k3f/tasks.md", "protected"),
            ("nested", "nested-repository"),
            ("pipe", "special-file"),
            ("src/.GIT", "git-folder"),
            ("src/lib/.git", "git-folder"),
        ]
    )
    assert made.evidence == (".gitattributes", ".github/workflows/ci.yml", "docs/.gitignore")
    assert made.changed == (".gitattributes", ".github/workflows/ci.yml", "docs/.gitignore", "ok.py")
    assert {"src/app.py", "src/lib/deep.py"} <= {entry.path for entry in repository.entries(made.oid)}


def test_protected_files_keep_their_committed_content_whatever_the_agent_did(worktrees, checkout, tmp_path):
    documents = {".specs/a-7k3f/tasks.md": "- [ ] 1\n", ".gitmodules": "", "vendor/x": "1"}
    start = Oid(commit_files(checkout, documents, "Documents"))
    path = tmp_path / "ws"
    worktrees.add(path, branch=WS, start=start)
    write_files(path, {".specs/a-7k3f/tasks.md": "- [x] 1\n", "ok": "1"})
    (path / ".gitmodules").unlink()
    made = commit(worktrees, path, drop_prefixes=(".specs/a-7k3f",))
    assert [item.path for item in made.dropped] == [".gitmodules", ".specs/a-7k3f/tasks.md"]
    repository = Repository.open(checkout)
    assert repository.changed_paths(start, made.oid) == ("ok",)


def test_links_are_committed_as_links_and_never_followed(worktrees, repository, desk, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_text("private")
    (desk / "outside").symlink_to(tmp_path / "secret")
    shutil.rmtree(desk / "src/lib")
    (desk / "src/lib").symlink_to(tmp_path / "secret")
    made = commit(worktrees, desk)
    assert made.changed == ("outside", "src/lib", "src/lib/deep.py")
    modes = {entry.path: entry.mode for entry in repository.entries(made.oid)}
    assert (modes["outside"], modes["src/lib"]) == ("120000", "120000")
    assert not any("key" in path for path in modes)


def test_a_file_may_become_a_folder_and_a_folder_a_file(worktrees, repository, desk):
    (desk / "README.md").unlink()
    shutil.rmtree(desk / "src")
    write_files(desk, {"README.md/part": "1", "src": "now a file"})
    made = commit(worktrees, desk)
    assert [entry.path for entry in repository.entries(made.oid)] == [".gitignore", "README.md/part", "src"]


def test_a_submodule_stays_as_it_was(worktrees, checkout, tmp_path):
    other = make_repository(tmp_path / "other", {"x": "1"})
    git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{git(other, 'rev-parse', 'HEAD')},vendor/lib")
    git(checkout, "commit", "--quiet", "-m", "Submodule")
    start = Oid(git(checkout, "rev-parse", "HEAD"))
    worktrees.add(tmp_path / "ws", branch=WS, start=start)
    assert commit(worktrees, tmp_path / "ws").oid == start
    write_files(tmp_path / "ws", {"vendor/lib/planted": "x", "ok": ""})
    made = commit(worktrees, tmp_path / "ws")
    assert (made.changed, made.dropped) == (("ok",), (Dropped(path="vendor/lib", reason="submodule"),))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_reported_and_not_taken_for_deleted(worktrees, desk):
    (desk / "README.md").chmod(0)
    (desk / "src").chmod(0)
    made = commit(worktrees, desk)
    assert made.changed == ()
    assert [item.reason for item in made.dropped] == ["unreadable", "unreadable"]
    worktrees.remove(desk, keep=None)
    assert not desk.exists()


def test_a_replaced_git_file_is_put_back_and_was_never_believed(worktrees, desk, base, tmp_path, checkout):
    expected = (desk / ".git").read_bytes()
    make_repository(tmp_path / "evil", {"x": "1"})
    for make in (
        lambda: (desk / ".git").write_text(f"gitdir: {tmp_path}/evil/.git\n"),
        lambda: shutil.copytree(tmp_path / "evil/.git", desk / ".git"),
        lambda: (desk / ".git").symlink_to(tmp_path / "evil/.git"),
        lambda: None,
    ):
        (desk / ".git").unlink()
        make()
        assert worktrees.gitdir_of(desk) == checkout / ".git/worktrees/ws-1"
        assert commit(worktrees, desk).oid == base
        worktrees.restore_git_file(desk)
        assert (desk / ".git").read_bytes() == expected
        assert not (desk / ".git").is_symlink()
    assert (tmp_path / "evil/.git/HEAD").exists()


def test_a_removed_worktree_leaves_its_branch_and_nothing_else(worktrees, repository, desk, checkout):
    write_files(desk, {"build/junk": "x"})
    (desk.parent / ".trash-old").mkdir()
    before = fingerprint(checkout)
    worktrees.remove(desk, keep=None)
    worktrees.remove(desk, keep=None)
    assert list(desk.parent.iterdir()) == []
    assert (worktrees.list(), repository.resolve(WS) is not None) == ((), True)
    assert not (checkout / ".git/worktrees/ws-1").exists()
    assert fingerprint(checkout) == before


def test_the_users_own_worktrees_are_not_listed_and_not_removed(worktrees, checkout, desk, tmp_path):
    git(checkout, "worktree", "add", "--quiet", str(tmp_path / "theirs"), "-b", "theirs")
    shutil.move(tmp_path / "theirs", tmp_path / "unplugged")
    worktrees.remove(desk, keep=None)
    assert worktrees.list() == ()
    assert (checkout / ".git/worktrees/theirs").exists()


def test_a_folder_that_is_no_worktree_is_refused(worktrees, repository, tmp_path, base):
    (tmp_path / "plain").mkdir()
    with pytest.raises(GitError, match="not a worktree"):
        worktrees.gitdir_of(tmp_path / "plain")
    Writer(repository).set_ref(WS, base, None)
    with pytest.raises(GitError, match="not checked out"):
        commit(worktrees, tmp_path / "plain")


def test_merging_feature_into_a_session_keeps_what_only_feature_may_change(worktrees, repository, desk, base, checkout):
    writer = Writer(repository)
    feature = writer.commit(
        [
            CommitRequest(
                ref=REFS.feature,
                start=base,
                message="publish",
                author=BOT,
                when=WHEN,
                files={".specs/a-7k3f/tasks.md": b"- [ ] 1\n", "other.py": b"o\n"},
            )
        ]
    )[0]
    write_files(desk, {"src/app.py": "mine\n"})
    own = commit(worktrees, desk)
    write_files(desk, {"other.py": "o\n", "src/app.py": "mine, resolved\n"})
    made = commit(worktrees, desk, merge_parents=[feature.oid], drop_prefixes=(".specs/a-7k3f/",))
    assert git(checkout, "rev-list", "--parents", "-1", made.oid).split()[1:] == [own.oid, feature.oid]
    assert repository.changed_paths(feature.oid, made.oid) == made.changed == ("src/app.py",)
    assert made.parent == own.oid
    assert [item.path for item in made.dropped] == [".specs/a-7k3f/tasks.md"]


def test_a_branch_that_somebody_deleted_under_its_worktree_is_told_with_the_way_back(worktrees, desk, base, checkout):
    git(checkout, "update-ref", "-d", WS)
    with pytest.raises(GitError, match="Put it back: git branch spectask/a-7k3f/ws-1 COMMIT"):
        worktrees.add(desk, branch=WS, start=base)
