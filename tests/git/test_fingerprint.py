import os

import pytest

from specgit.errors import UntrustedConfig
from specgit.fingerprint import changes_since, fingerprint_of
from specgit.repository import Repository
from support.git_fixture import fingerprint, git

PLANTED = {
    "filter.x.clean": "touch /tmp/x",
    "diff.x.textconv": "touch /tmp/x",
    "merge.X.y.driver": "touch /tmp/x",
    "core.fsmonitor": "touch /tmp/x",
    "core.hooksPath": "/tmp/hooks",
    "core.sshCommand": "touch /tmp/x",
    "core.attributesFile": "/tmp/attributes",
    "gpg.ssh.program": "touch /tmp/x",
    "credential.https://example.org.helper": "!touch /tmp/x",
    "alias.st": "!touch /tmp/x",
    "url.ext::sh.insteadOf": "https://example.org/",
    "remote.origin.uploadpack": "touch /tmp/x",
    "sequence.editor": "touch /tmp/x",
    "pager.log": "touch /tmp/x",
    "include.path": "/nowhere/config",
}
HARMLESS = {
    "user.signingkey": "abc",
    "core.autocrlf": "false",
    "remote.origin.url": "https://example.org/x",
    "branch.main.remote": "origin",
}


def changes(repository, known):
    return [str(change) for change in changes_since(known, fingerprint_of(repository))]


@pytest.mark.parametrize("name", PLANTED)
def test_a_setting_by_which_git_would_run_or_follow_something_is_told(repository, checkout, name):
    known = fingerprint_of(repository).digests
    assert known == {}
    git(checkout, "config", name, PLANTED[name])
    (told,) = changes(repository, known)
    assert told.startswith(f"{_stored(name)} was added ({PLANTED[name]}")
    known = fingerprint_of(repository).digests
    assert changes(repository, known) == []
    git(checkout, "config", name, "something else")
    assert changes(repository, known)[0].startswith(f"{_stored(name)} was changed (something else")
    git(checkout, "config", "--unset", name)
    assert changes(repository, known) == [f"{_stored(name)} was removed"]


def _stored(name):
    section, *middle, key = name.split(".")
    return ".".join([section, *middle, key.lower()])


def test_other_settings_and_those_of_the_person_are_nobodys_business(repository, checkout, tmp_path):
    for name, value in HARMLESS.items():
        git(checkout, "config", name, value)
    (tmp_path / "home/.gitconfig").write_text("[alias]\n\tst = status\n")
    assert fingerprint_of(repository).items == {}


def test_a_value_added_beside_another_is_a_change(repository, checkout):
    git(checkout, "config", "credential.helper", "cache")
    known = fingerprint_of(repository).digests
    git(checkout, "config", "--add", "credential.helper", "!touch /tmp/x")
    assert changes(repository, known) == ["credential.helper was changed (cache !touch /tmp/x)"]


def test_hooks_that_would_start_are_told_and_samples_are_not(repository, checkout):
    known = fingerprint_of(repository).digests
    hooks = checkout / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name, mode in (("pre-commit", 0o755), ("pre-push", 0o644), ("post-merge.sample", 0o755)):
        (hooks / name).write_text("#!/bin/sh\n")
        (hooks / name).chmod(mode)
    (told,) = changes(repository, known)
    assert told.startswith("hooks/pre-commit was added")
    known = fingerprint_of(repository).digests
    (hooks / "pre-commit").write_text("#!/bin/sh\ntouch /tmp/x\n")
    assert changes(repository, known)[0].startswith("hooks/pre-commit was changed")


def test_the_settings_of_each_worktree_count(repository, checkout, desk, worktrees):
    known = fingerprint_of(repository).digests
    for folder in (worktrees.gitdir_of(desk), checkout / ".git"):
        (folder / "config.worktree").write_text("[core]\n\tpager = touch /tmp/x\n")
        assert changes(repository, known)[0].startswith("core.pager was added")
        (folder / "config.worktree").unlink()


def test_what_an_included_file_says_counts_and_is_not_followed(repository, checkout, tmp_path):
    more = tmp_path / "more"
    more.write_text("[user]\n\tname = x\n")
    git(checkout, "config", "include.path", str(more))
    git(checkout, "config", "includeIf.gitdir:/x.path", "../../loop")
    known = fingerprint_of(repository).digests
    more.write_text("[alias]\n\tst = !touch /tmp/x\n")
    (told,) = changes(repository, known)
    assert told.startswith("include.path was changed")
    more.unlink()
    os.mkfifo(more)
    assert changes(repository, known)[0].startswith("include.path was changed")


def test_nothing_is_written_and_secrets_are_neither_kept_nor_shown(repository, checkout):
    git(checkout, "config", "credential.helper", "x https://ada:hunter2@example.org/")
    before = fingerprint(checkout)
    now = fingerprint_of(repository)
    assert "hunter2" not in str(now.digests)
    assert "hunter2" not in str([str(change) for change in changes_since({}, now)])
    assert fingerprint(checkout) == before


def test_a_bare_repository_is_looked_at(tmp_path, checkout):
    git(tmp_path, "clone", "--quiet", "--bare", str(checkout), "bare.git")
    repository = Repository.open(tmp_path / "bare.git")
    git(tmp_path / "bare.git", "config", "alias.st", "!touch /tmp/x")
    assert list(fingerprint_of(repository).items) == ["alias.st"]


def test_the_error_names_the_first_few_and_counts_the_rest():
    error = UntrustedConfig([f"alias.a{number} was added" for number in range(8)], leave="Say that they are yours.")
    assert "alias.a4 was added; and 3 more." in error.message
    assert error.message.endswith("Say that they are yours.")
    assert len(error.changes) == 8
