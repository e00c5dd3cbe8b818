import os
import time

import psutil
import pytest

from specgit.errors import GitError, GitTimeout, ObjectMissing, OutputTooLarge, RefLocked, error_from_git, mask
from specgit.git import GitRunner
from support.git_fixture import git


def fake_git(folder, script):
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    return GitRunner(git_dir=folder, program=str(folder / "git"))


def test_input_and_output_of_any_size_pass_through(repository):
    content = os.urandom(1 << 20)
    oid = repository.runner.run(["hash-object", "-w", "--stdin"], stdin=content).text
    assert repository.runner.run(["cat-file", "blob", oid]).stdout == content


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_git_that_hangs_is_killed_with_its_children(tmp_path):
    runner = fake_git(tmp_path / "bin", f"(sleep 60; touch {tmp_path}/survived) & echo $! > {tmp_path}/child; wait")
    started = time.monotonic()
    with pytest.raises(GitTimeout, match=r"within 0\.5 seconds"):
        runner.run(["status"], timeout=0.5)
    assert time.monotonic() - started < 10
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5  # a killed process ends when the system comes to it
    while is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_git_that_closes_its_output_and_hangs_is_killed_too(tmp_path):
    with pytest.raises(GitTimeout):
        fake_git(tmp_path / "bin", "exec >&- 2>&- <&-; sleep 60").run(["status"], timeout=0.5)


def test_endless_output_is_stopped(tmp_path):
    runner = fake_git(tmp_path / "bin", "yes")
    limited = GitRunner(git_dir=runner.git_dir, program=runner.program, output_limit=100_000)
    with pytest.raises(OutputTooLarge):
        limited.run(["log"])
    assert len(runner.run_head(["log"], limit_bytes=1000).stdout) == 1000


def test_endless_complaints_are_cut(tmp_path):
    with pytest.raises(GitError) as caught:
        fake_git(tmp_path / "bin", "yes secret | head -c 1000000 >&2; exit 3").run(["log"])
    assert caught.value.exit_code == 3
    assert len(caught.value.stderr) == 4096


def test_a_reader_that_stops_reading_is_no_error(tmp_path):
    assert fake_git(tmp_path / "bin", "exec <&-; echo done").run(["x"], stdin=b"x" * 1_000_000).text == "done"


def test_no_inherited_variable_leads_git_astray(repository, monkeypatch, tmp_path):
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_PARAMETERS", "GIT_EXTERNAL_DIFF"):
        monkeypatch.setenv(name, str(tmp_path / "evil"))
    assert repository.resolve("main") is not None


def test_a_git_folder_that_has_gone_is_reported(repository, tmp_path):
    with pytest.raises(GitError, match="git init"):
        repository.runner.at(tmp_path / "gone").run(["for-each-ref"])
    with pytest.raises(GitError, match="gone"):
        repository.runner.run(["status"], work_tree=tmp_path / "gone")


def test_credentials_never_show_in_an_error():
    error = error_from_git(
        ["git", "fetch", "https://ada:s3cret@example.org/x"], 128, "fatal: unable to access 'https://token@example.org/x'"
    )
    for text in (str(error), error.stderr, " ".join(error.command)):
        assert "s3cret" not in text
        assert "token" not in text
    assert mask("https://example.org/@x") == "https://example.org/@x"


def test_an_unknown_failure_names_the_command_and_what_git_said():
    error = error_from_git(["/usr/bin/git", "-c", "a=b", "--git-dir=x", "mktag"], 1, "hint\nerror: odd thing\n")
    assert "`git mktag` failed with exit code 1: error: odd thing" in error.message


def test_a_locked_ref_and_a_missing_object_are_told_apart(repository, checkout):
    lock = checkout / ".git/refs/heads/spectask/x.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("")
    head = git(checkout, "rev-parse", "HEAD")
    with pytest.raises(RefLocked) as caught:
        repository.runner.run(["update-ref", "refs/heads/spectask/x", head])
    assert caught.value.ref == "refs/heads/spectask/x"
    with pytest.raises(ObjectMissing):
        repository.runner.run(["update-ref", "refs/heads/spectask/y", "1" * 40])
