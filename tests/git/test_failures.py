"""Every way in which specgit fails: reached in a real repository, told by cause and next step, with no ref moved, and the next commit works.

The table is complete because it is held against the classes of specgit's errors; the failures between this machine and another are in
`support/remote_failure.py`. To add one: a generator with `@reaches(TheError, cause=..., step=...)` that makes the situation, yields the call that must fail,
and makes the situation good again.
"""

from __future__ import annotations

import os
import resource
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from specgit import errors
from specgit.commits import Writer
from specgit.git import GitRunner
from specgit.lock import RepositoryLock
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.types import Oid, RefName
from specgit.worktrees import Worktrees
from specthread.engine.trust import remember_first, require_known
from support import remote_failure  # noqa: F401  enters its own
from support.failure import CASES, NEVER_ITSELF, World, every_kind, reaches
from support.git_fixture import commit_files, git, make_repository
from support.small_disk import read_only
from support.worktree_story import REFS, WS

PATH = os.environ["PATH"]
MAIN = RefName("refs/heads/main")


@reaches(
    errors.RefMoved, cause="moved or deleted refs/heads/spectask/a-7k3f/specs", step="git update-ref refs/heads/spectask/a-7k3f/specs 1111"
)
def _moved(world):
    yield lambda: world.commit(expect=Oid("1" * 40))


@reaches(errors.RefLocked, cause="locked by another git process", step="remove the file refs/heads/spectask/a-7k3f/specs.lock")
def _locked(world):
    lock = world.checkout / f".git/{REFS.specs}.lock"
    lock.write_text("")
    yield world.commit
    assert lock.exists(), "a lock of somebody else is not ours to remove"
    lock.unlink()


@reaches(errors.CheckedOutElsewhere, cause="is checked out in", step="Check out another branch there")
def _checked_out(world):
    git(world.checkout, "worktree", "add", "--quiet", str(world.folder / "theirs"), REFS.specs.removeprefix("refs/heads/"))
    yield world.commit
    git(world.folder / "theirs", "checkout", "--quiet", "--detach")


@reaches(errors.UnsafePath, cause="`.git`, in any spelling, belongs to git", step="Choose another name")
def _unsafe(world):
    yield lambda: world.commit(files={"a/.GIT/config": b""})


@reaches(errors.DubiousOwnership, cause="belongs to another user", step="git config --global --add safe.directory")
def _foreign(world):
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository to somebody else")
    places = [world.checkout, world.checkout / ".git"]
    for place in places:
        os.chown(place, 12345, 12345)
    yield world.commit
    for place in places:
        os.chown(place, 0, 0)


@reaches(errors.UnsavedWork, cause="changed since the last commit, so no merge was written over it", step="Commit it, or move it away")
def _unsaved(world):
    ours, theirs = world.base, Oid(commit_files(world.checkout, {"new": "theirs"}, "Theirs"))
    path = world.folder / "ws"
    Worktrees(world.repository).add(path, branch=REFS.session(1), start=ours)
    (path / "new").write_text("mine")
    yield lambda: Merger(world.repository).write_with_markers(path, ours, theirs)
    (path / "new").unlink()


@reaches(errors.DiskFull, cause="no room left on the disk", step="Free some space and repeat")
def _full(world):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield world.commit
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@reaches(errors.NotWritable, cause="cannot be written", step="Make it writable")
def _read_only(world):
    git_dir = world.checkout / ".git"
    with ExitStack() as stack:
        if os.geteuid() == 0:
            stack.enter_context(read_only(git_dir))
        else:
            git_dir.chmod(0o500)
            stack.callback(git_dir.chmod, 0o700)
        yield world.commit


@reaches(errors.GitTimeout, cause="did not end within 0.5 seconds", step="Check that the disk answers, then repeat")
def _late(world):
    slow = world.folder / "slow-git"
    slow.write_text(f'#!/bin/sh\ncase " $* " in *" update-ref "*) exec sleep 60;; esac\nexec {world.repository.runner.program} "$@"\n')
    slow.chmod(0o755)
    hasty = replace(world.repository, runner=replace(world.repository.runner, program=str(slow)))
    run = GitRunner.run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GitRunner, "run", lambda self, args, **given: run(self, args, **{**given, "timeout": 0.5}))
        yield lambda: world.commit(hasty)
    assert len(Writer(world.repository).recover().pending) == 1


@reaches(errors.GitTooOld, cause="is version 2.37.1", step="Install a newer git")
def _old(world):
    with _path_with(world, "echo git version 2.37.1"):
        yield world.commit


@reaches(errors.GitMissing, cause="no git program on PATH", step="Install git 2.38 or newer")
def _missing(world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(world.folder / "nowhere"))
        yield world.commit


@reaches(errors.ObjectMissing, cause="is not in this repository", step="git fetch --unshallow (or --refetch)")
def _lacking(world):
    yield lambda: world.commit(ref=REFS.feature, start=Oid("1" * 40))


@reaches(errors.BlockingBranch, cause="There is a branch named spectask/a-7k3f/specs/x", step="git branch -m spectask/a-7k3f/specs/x")
def _blocking(world):
    git(world.checkout, "update-ref", "-d", REFS.specs)
    git(world.checkout, "update-ref", f"{REFS.specs}/x", world.base)
    yield world.commit
    git(world.checkout, "branch", "-m", "spectask/a-7k3f/specs/x", "x")


@reaches(errors.RepositoryBusy, cause="already served by another Specthread daemon (process 42)", step="Use that one, or stop it first")
def _busy(world):
    with RepositoryLock(world.repository, "process 42"):
        yield lambda: RepositoryLock(world.repository, "me").acquire()


@reaches(errors.OutputTooLarge, cause="printed more than 10 bytes", step="Narrow the request")
def _large(world):
    narrow = replace(world.repository.runner, output_limit=10)
    yield lambda: replace(world.repository, runner=narrow).log("main")


@reaches(errors.NotARepository, cause="is not in a git repository", step="git init")
def _nowhere(world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CEILING_DIRECTORIES", str(world.folder))
        (world.folder / "plain").mkdir()
        yield lambda: Repository.open(world.folder / "plain")


@reaches(errors.NoCommitYet, cause="has no commit yet", step="Make a first commit: git commit")
def _empty(world):
    empty = Repository.open(make_repository(world.folder / "empty", {}))
    yield empty.head


@reaches(errors.BranchInUse, cause="refs/heads/main is checked out in", step="Finish that first")
def _in_use(world):
    yield lambda: Writer(world.repository).fast_forward(MAIN, world.base, expect=world.base, reason="land")


@reaches(errors.SymbolicBranch, cause="refs/heads/alias stands for refs/heads/other", step="Name that one")
def _symbolic(world):
    git(world.checkout, "branch", "other")
    git(world.checkout, "symbolic-ref", "refs/heads/alias", "refs/heads/other")
    yield lambda: Writer(world.repository).fast_forward(RefName("refs/heads/alias"), world.base, expect=world.base, reason="land")


@reaches(errors.NotAhead, cause="has commits that the work does not hold", step="Merge the work into it")
def _not_ahead(world):
    old = world.base
    git(world.checkout, "checkout", "--quiet", "-b", "longer")
    longer = Oid(commit_files(world.checkout, {"b": "1"}, "Longer"))
    git(world.checkout, "checkout", "--quiet", "main")
    yield lambda: Writer(world.repository).fast_forward(RefName("refs/heads/longer"), old, expect=longer, reason="land")


@reaches(
    errors.UntrustedConfig,
    cause="settings of this repository that are new",
    step="Do not run git here before you know where they come from",
)
def _new_settings(world):
    known = world.folder / "known"
    remember_first(known, world.repository)
    git(world.checkout, "config", "core.hooksPath", "/tmp/hooks")
    yield lambda: require_known(known, world.repository)
    git(world.checkout, "config", "--unset", "core.hooksPath")


def _path_with(world, script):
    stack = ExitStack()
    folder = world.folder / "bin"
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    stack.enter_context(pytest.MonkeyPatch.context()).setenv("PATH", str(folder))
    return stack


@pytest.fixture
def world(checkout, tmp_path):
    made = World(checkout=checkout, folder=tmp_path)
    made.commit()
    return made


def test_every_failure_is_reached():
    missing = {kind.__name__ for kind in every_kind() - CASES.keys() - NEVER_ITSELF}
    assert missing == set(), f"reach {missing} in {Path(__file__).name}: see its head"


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_a_failure_is_told_moves_nothing_and_leaves_the_next_commit_free(world, kind):
    situation = CASES[kind].situation(world)
    fails = next(situation)
    before = _refs(world)
    try:
        with pytest.raises(kind) as caught:
            fails()
        assert _refs(world) == before
    finally:
        list(situation)  # the situation is made good
    assert type(caught.value) is kind
    assert CASES[kind].cause in caught.value.message
    assert CASES[kind].step in caught.value.message
    assert caught.value.message.index(CASES[kind].cause) < caught.value.message.index(CASES[kind].step), (
        "first what happened, then what to do"
    )
    assert len(caught.value.message) < 400
    assert "\n" not in caught.value.message
    tip = world.repository.resolve(REFS.specs)
    assert world.commit()[0].parent == tip
    git(world.checkout, "fsck", "--strict", "--no-dangling")
    assert git(world.checkout, "for-each-ref", "refs/specthread") == ""


def test_a_worktree_that_cannot_be_made_leaves_its_branch_where_it_was(world):
    worktrees = Worktrees(world.repository)
    with pytest.raises(errors.ObjectMissing):
        worktrees.add(world.folder / "ws", branch=WS, start=Oid("1" * 40))
    assert world.repository.resolve(WS) is None
    worktrees.add(world.folder / "ws", branch=WS, start=world.base)


def test_what_git_printed_is_kept_with_its_command_and_exit_code(world):
    with pytest.raises(errors.ObjectMissing) as caught:
        world.commit(start=Oid("1" * 40), ref=REFS.feature)
    assert caught.value.command[0] == world.repository.runner.program
    assert "fast-import" in caught.value.command
    assert caught.value.exit_code == 128
    assert "fatal" in caught.value.stderr


def _refs(world):
    return [line for line in git(world.checkout, "for-each-ref", env=_TRUSTING).splitlines() if "refs/specthread/pending/" not in line]


_TRUSTING = {"PATH": PATH, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
"""Looks into a repository of whomever, with the git that a test may have hidden."""
