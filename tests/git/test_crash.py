import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from specgit.commits import CommitRequest, Writer
from specgit.errors import GitError, GitTimeout
from specgit.lock import write_lock
from specgit.types import Person, spec_refs
from support import commit_loop
from support.git_fixture import fingerprint, git

REFS = spec_refs("a-7k3f")


def start_loop(checkout, name, first, count):
    command = [sys.executable, commit_loop.__file__, str(checkout), name, str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)


def kill_with_children(process):
    parent = psutil.Process(process.pid)
    parent.suspend()  # so that it starts no more of them meanwhile
    for victim in [*parent.children(recursive=True), parent]:
        with suppress(psutil.NoSuchProcess):
            victim.kill()


def one_commit():
    ada = Person(name="Ada", email="ada@example.org")
    return CommitRequest(ref=REFS.specs, message="After", author=ada, when=datetime(2026, 1, 1, tzinfo=UTC), files={"after": b""})


def test_eight_processes_lose_no_commit_on_one_branch(repository, checkout):
    before = fingerprint(checkout)
    processes = [start_loop(checkout, f"p{number}", 0, 25) for number in range(8)]
    promised = {}
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        promised |= dict(line.split()[:2] for line in output.decode().splitlines())
    history = repository.log(REFS.specs, first_parent=True)
    assert len(promised) == len(history) == 200
    assert {dict(commit.trailers)["Specthread-Event"]: commit.oid for commit in history} == promised
    assert len(repository.entries(REFS.specs)) == 200
    assert fingerprint(checkout) == before
    git(checkout, "fsck", "--strict", "--no-dangling")


@pytest.mark.parametrize("children_too", [True, False])
def test_a_killed_writer_loses_nothing_it_promised_and_blocks_nobody(repository, checkout, children_too):
    live_and_die(repository, checkout, lives=8, most=3, children_too=children_too)


@pytest.mark.slow
@pytest.mark.parametrize("children_too", [True, False])
def test_of_hundreds_of_promises_none_is_lost_however_often_writers_are_killed(repository, checkout, children_too):
    assert live_and_die(repository, checkout, lives=50, most=15, children_too=children_too) >= 300


def live_and_die(repository, checkout, *, lives, most, children_too):
    """Kills one writer after the other, each after up to `most` promises and a moment; returns how many promises were made, of which none is broken."""
    dice = random.Random(20260101)
    promised = {}
    for life in range(lives):
        process = start_loop(checkout, f"life{life}", 0, 10_000)
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(dice.randint(1, most))]
        time.sleep(dice.uniform(0, 0.06))
        if children_too:
            kill_with_children(process)
        else:
            os.kill(process.pid, signal.SIGKILL)
        lines += process.communicate(timeout=30)[0].splitlines(keepends=True)
        promised |= dict(line.decode().split()[:2] for line in lines if line.endswith(b"\n"))
        writer = Writer(repository)
        if life % 2:  # the next commit must do without it too
            writer.recover()
        writer.commit([one_commit()])
        history = repository.log(REFS.specs)
        found = [value for commit in history for key, value in commit.trailers if key == "Specthread-Event"]
        assert len(found) == len(set(found))
        assert promised.items() <= {dict(commit.trailers).get("Specthread-Event"): commit.oid for commit in history}.items()
    writer.recover()
    git(checkout, "fsck", "--strict", "--no-dangling")
    assert git(checkout, "for-each-ref", "refs/specthread") == ""
    assert not [path for path in (checkout / ".git").glob("**/*.lock") if path.parent.name != "specthread"]
    return len(promised)


def test_the_locks_of_a_writer_that_died_are_cleared_at_once(repository, checkout):
    writer = Writer(repository)
    first = writer.commit([one_commit()])[0]
    stale = checkout / f".git/{REFS.specs}.lock"
    stale.write_text("")
    (checkout / ".git/specthread/write.lock").write_text(REFS.specs)
    assert writer.commit([one_commit()])[0].parent == first.oid
    assert not stale.exists()
    assert (checkout / ".git/specthread/write.lock").read_bytes() == b""


def test_the_locks_of_a_git_that_was_late_and_killed_are_cleared_by_the_next_writer(repository, checkout):
    writer = Writer(repository)
    first = writer.commit([one_commit()])[0]
    stale = checkout / f".git/{REFS.specs}.lock"
    with suppress(GitTimeout), write_lock(repository) as lock, lock.noted([REFS.specs]):
        stale.write_text("")
        raise GitTimeout("late")
    assert writer.commit([one_commit()])[0].parent == first.oid
    assert not stale.exists()


@pytest.mark.parametrize("left_at", [1, time.time() + 86_400], ids=["long ago", "before the clock was set back"])
def test_a_lock_of_ours_that_somebody_left_holds_up_no_writer_that_is_at_work(repository, checkout, left_at):
    writer = Writer(repository)
    first = writer.commit([one_commit()])[0]
    stale = checkout / f".git/{REFS.specs}.lock"
    stale.write_text("")
    os.utime(stale, (left_at, left_at))
    assert writer.commit([one_commit()])[0].parent == first.oid
    assert not stale.exists()


def test_the_locks_of_a_git_that_was_killed_are_cleared_by_the_next_writer(repository, checkout, tmp_path):
    writer = Writer(repository)
    first = writer.commit([one_commit()])[0]
    stale, killed = checkout / f".git/{REFS.specs}.lock", tmp_path / "git"
    killed.write_text(
        f'#!/bin/sh\ncase "$*" in *"-m specthread"*) touch {stale}; kill -9 $$;; esac\nexec {repository.runner.program} "$@"\n'
    )
    killed.chmod(0o700)
    with pytest.raises(GitError):
        Writer(replace(repository, runner=replace(repository.runner, program=str(killed)))).commit([one_commit()])
    assert stale.exists()
    assert writer.commit([one_commit()])[0].parent == first.oid
    assert not stale.exists()


def test_recovery_clears_only_what_is_ours_and_old(repository, checkout):
    writer = Writer(repository)
    made = writer.commit([one_commit()])[0]
    git_dir = checkout / ".git"
    scratch = "refs/specthread/pending/" + "a" * 32 + "-0"
    git(checkout, "update-ref", scratch, made.oid)
    kept = REFS.pending("e-1")
    git(checkout, "update-ref", kept, made.oid)
    locks = {name: git_dir / name for name in (f"{REFS.specs}.lock", f"{REFS.feature}.lock", "refs/heads/main.lock", "index.lock")}
    for path in locks.values():
        path.write_text(f"{made.oid}\n")
        os.utime(path, (1, 1))
    os.utime(locks[f"{REFS.feature}.lock"])
    (git_dir / "fast_import_crash_1").write_text("commit refs/specthread/pending/x")
    (git_dir / "fast_import_crash_2").write_text("commit refs/heads/main")
    report = writer.recover()
    assert report.pending == ((scratch, made.oid),)
    assert report.locks == (locks[f"{REFS.specs}.lock"],)
    assert report.crash_reports == (git_dir / "fast_import_crash_1",)
    assert repository.resolve(kept) == made.oid
    assert [path.exists() for path in locks.values()] == [False, True, True, True]
    assert (git_dir / "fast_import_crash_2").exists()
    assert Path(locks["index.lock"]).read_text() == f"{made.oid}\n"


def test_a_lock_on_packed_refs_that_outlives_its_writer_is_cleared_but_an_older_one_is_not(repository, checkout):
    writer = Writer(repository)
    writer.commit([one_commit()])
    lock, note = checkout / ".git/packed-refs.lock", checkout / ".git/specthread/write.lock"
    note.write_text(REFS.specs)
    lock.write_text("")
    writer.commit([one_commit()])
    assert not lock.exists()
    lock.write_text("")
    os.utime(lock, (1, 1))
    note.write_text(REFS.specs)
    writer.set_ref(REFS.session(1), repository.head().oid, None)
    assert lock.exists()
