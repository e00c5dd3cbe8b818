import os

import pytest

from specgit import include
from specgit.include import copy_included, included_files
from specgit.scan import Dropped
from specgit.worktrees import Worktrees
from support.git_fixture import fingerprint, git, write_files
from support.worktree_story import WS, commit, files_of

PATTERNS = (".env*", "secrets/", "!.env.shared", "README.md", "new.txt", "link.log", "locallink")
SECRETS = {
    ".env": "KEY=1\n",
    ".env.shared": "no\n",
    "secrets/key.log": "k\n",
    "src/.env.log": "deep\n",
    "new.txt": "untracked, not ignored\n",
}


@pytest.fixture
def checkout(checkout, tmp_path):
    (checkout / ".git/info/exclude").write_text(".env*\n/secrets\nlocallink\n")
    write_files(checkout, SECRETS)
    write_files(tmp_path, {"outside/key": "private\n"})
    (checkout / "link.log").symlink_to(tmp_path / "outside/key")
    (checkout / "locallink").symlink_to(tmp_path / "outside")
    return checkout


def test_only_ignored_files_that_are_named_are_found(repository, checkout):
    before = fingerprint(checkout)
    assert included_files(repository, PATTERNS) == (".env", "link.log", "locallink", "secrets/key.log", "src/.env.log")
    assert included_files(repository, ()) == ()
    assert fingerprint(checkout) == before


def test_a_new_worktree_gets_copies_and_no_link_is_followed(worktrees, desk, checkout):
    before = fingerprint(checkout)
    assert worktrees.include(desk, PATTERNS) == (".env", "secrets/key.log", "src/.env.log")
    assert files_of(desk).items() >= {".env": "KEY=1\n", "secrets/key.log": "k\n", "src/.env.log": "deep\n"}.items()
    assert not os.path.lexists(desk / "link.log")
    assert not os.path.lexists(desk / "locallink")
    assert fingerprint(checkout) == before


def test_what_was_copied_is_never_committed_whatever_becomes_of_the_ignore_rules(worktrees, repository, desk, checkout, base):
    worktrees.include(desk, PATTERNS)
    assert commit(worktrees, desk).oid == base
    (checkout / ".git/info/exclude").write_text("")
    write_files(desk, {".gitignore": "", "src/app.py": "new\n", ".env": "KEY=2\n"})
    made = commit(worktrees, desk)
    assert made.changed == (".gitignore", "src/app.py")
    assert made.dropped == tuple(Dropped(path=path, reason="copied-in") for path in (".env", "secrets/key.log", "src/.env.log"))
    assert not any("env" in entry.path or "secrets" in entry.path for entry in repository.entries(made.oid))
    again = Worktrees(repository)
    assert again.scan(desk, against=made.oid).files == {}


def test_what_was_copied_is_not_committed_under_another_name_either(worktrees, desk, checkout, base):
    write_files(checkout, {".env": "KEY=0123456789abcdef\n", "secrets/key.log": ""})
    worktrees.include(desk, PATTERNS)
    (desk / ".env").rename(desk / "settings.txt")
    (desk / "README.md").write_text("KEY=0123456789abcdef\n")
    write_files(desk, {"empty.txt": "", "src/app.py": "new\n"})
    made = commit(worktrees, desk)
    assert made.changed == ("empty.txt", "src/app.py")
    assert made.dropped == tuple(Dropped(path=path, reason="copied-in") for path in ("README.md", "settings.txt"))


def test_it_is_copied_once_and_what_the_agent_made_of_it_stays(worktrees, desk, checkout):
    worktrees.include(desk, PATTERNS)
    (desk / ".env").write_text("mine\n")
    (desk / "secrets/key.log").unlink()
    write_files(checkout, {".env.later": "x\n"})
    assert worktrees.include(desk, PATTERNS) == (".env", "secrets/key.log", "src/.env.log")
    assert worktrees.include(desk, ()) == (".env", "secrets/key.log", "src/.env.log")
    assert (desk / ".env").read_text() == "mine\n"
    assert not (desk / ".env.later").exists()
    assert not (desk / "secrets/key.log").exists()


def test_copying_that_was_cut_off_is_done_to_its_end_and_nothing_of_it_was_ever_committed(worktrees, desk, base, monkeypatch):
    def cut_off(repository, paths, folder):
        copy_included(repository, paths[:1], folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(include, "copy_included", cut_off)
    with pytest.raises(KeyboardInterrupt):
        worktrees.include(desk, PATTERNS)
    assert (desk / ".env").exists()
    write_files(desk, {".gitignore": ""})
    monkeypatch.undo()
    (desk.parents[1] / "repo/.git/info/exclude").write_text("")
    assert commit(worktrees, desk).changed == (".gitignore",)
    (desk.parents[1] / "repo/.git/info/exclude").write_text(".env*\n/secrets\n")
    assert worktrees.include(desk, PATTERNS) == (".env", "secrets/key.log", "src/.env.log")


def test_whatever_somebody_put_into_a_worktree_is_found_ignored_or_not(worktrees, repository, desk, base):
    worktrees.reset_files(desk, base)
    worktrees.include(desk, PATTERNS)
    (desk / "empty/folder").mkdir(parents=True)
    assert worktrees.strange_files(desk, against=base) == ()
    write_files(desk, {".env": "KEY=mine\n", "secrets/more": "ignored\n", "src/app.py": "changed\n", "new": "new\n"})
    (desk / "src/.env.link").symlink_to(desk / "secrets")
    assert worktrees.strange_files(desk, against=base) == (".env", "new", "secrets/more", "src/.env.link", "src/app.py")


def test_large_files_and_what_lies_in_the_worktree_already_are_left_alone(repository, checkout, tmp_path, monkeypatch):
    write_files(checkout, {".env.large": "x" * 2000, ".env.other": "theirs\n"})
    (checkout / ".env.pipe").unlink(missing_ok=True)
    os.mkfifo(checkout / ".env.pipe")
    monkeypatch.setattr(include, "LARGEST", 1000)
    write_files(tmp_path / "tree", {".env.other": "ours\n"})
    paths = (".env", ".env.large", ".env.other", ".env.pipe", ".env.gone")
    assert copy_included(repository, paths, tmp_path / "tree") == (".env",)
    assert (tmp_path / "tree/.env.other").read_text() == "ours\n"
    monkeypatch.setattr(include, "MOST", 1)
    (tmp_path / "few").mkdir()
    assert copy_included(repository, (".env", "src/.env.log"), tmp_path / "few") == (".env",)


def test_a_worktree_that_is_made_anew_gets_them_anew(worktrees, desk, base):
    worktrees.include(desk, PATTERNS)
    worktrees.remove(desk, keep=None)
    worktrees.add(desk, branch=WS, start=base)
    assert not (desk / ".env").exists()
    assert worktrees.include(desk, PATTERNS) != ()
    assert git(desk, "status", "--porcelain") == ""
