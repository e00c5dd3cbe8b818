"""I9: nothing that a repository, a worktree or an environment names is run, by any public call; and plain git does run it."""

from __future__ import annotations

import subprocess
from contextlib import suppress

import pytest

from specgit.errors import GitError
from specgit.repository import Repository
from specgit.traits import traits_of
from support.call_list import missing_calls, scenarios
from support.git_calls import MOVES
from support.git_fixture import git, isolate_git, make_repository, write_files
from support.git_scene import busy_scene, play
from support.hostile import KEYS, TRIGGERS, edit_unseen, hostile
from support.worktree_story import WS, commit


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Returns a function that plants every trap in a busy repository of its own, for as long as the module is tested."""
    with pytest.MonkeyPatch.context() as patch:

        def plant(name):
            folder = tmp_path_factory.mktemp(name)
            isolate_git(patch, folder / "home")
            return hostile(busy_scene(folder), folder / "traps")

        yield plant


@pytest.fixture(scope="module")
def made(planted):
    """What every public call left behind among traps, agents and a poisoned environment."""
    ground = planted("calls")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ground.env.items():
            patch.setenv(name, value)
        patch.setenv("HOME", str(ground.scene.folder / "home"))
        return play(ground.scene, scenarios(), ground.traps)


@pytest.fixture(scope="module")
def plain(planted):
    return planted("plain")


@pytest.fixture
def traps(tmp_path):
    (tmp_path / "traps").mkdir()
    return tmp_path / "traps"


def fired(traps):
    return sorted(path.name for path in traps.iterdir())


def test_no_public_call_runs_what_a_repository_names_and_each_comes_to_its_end(made):
    assert missing_calls() == ""
    assert {name: result.fired for name, result in made.items() if result.fired} == {}
    assert {name: result.error for name, result in made.items() if result.error} == {}
    assert {name: set(result.changed) for name, result in made.items() if result.changed} == MOVES


@pytest.mark.parametrize("trap", TRIGGERS)
def test_plain_git_steps_into_the_trap(plain, trap):
    plain.trigger(TRIGGERS[trap])
    assert trap in plain.fired()


@pytest.mark.parametrize("key", KEYS)
def test_the_trap_is_set_where_git_looks(plain, key):
    assert plain.program(key) in git(plain.scene.checkout, "config", "--get-all", key)


@pytest.mark.parametrize("place", ["embedded", "nested", "sub"])
def test_a_repository_among_the_files_of_another_is_read_and_runs_nothing(planted, place):
    ground = planted(place)
    found = Repository.open(ground.scene.checkout / place)
    for ask in (found.head, found.own_files, found.identity, found.checked_out, lambda: found.log("HEAD"), lambda: traits_of(found)):
        with suppress(GitError):
            ask()
    assert ground.fired() == set()


def test_a_git_folder_that_an_agent_made_in_the_place_of_the_link_is_never_believed(worktrees, desk, traps, base):
    """The first attack on daemons that work in agents' worktrees: the next plain `git status` there runs what the new folder names."""
    (desk / ".git").unlink()
    make_repository(desk, {"README.md": "Hello\n"})
    git(desk, "config", "core.fsmonitor", f"touch {traps}/fsmonitor; false")
    subprocess.run(["git", "-C", str(desk), "status"], capture_output=True, check=False)
    assert fired(traps) == ["fsmonitor"], "plain git runs it"
    (traps / "fsmonitor").unlink()
    with suppress(GitError):
        Repository.open(desk).head()
    write_files(desk, {"new": "1"})
    assert commit(worktrees, desk).changed == ("new",)
    worktrees.scan(desk, against=base)
    worktrees.restore_git_file(desk)
    worktrees.add(desk, branch=WS, start=base)
    worktrees.remove(desk, keep=None)
    assert fired(traps) == []


def test_a_repository_that_an_agent_nested_and_had_taken_for_a_submodule_runs_nothing(worktrees, desk, traps, checkout):
    """The second attack: the filter of the inner repository is run by a status of the outer one, by whatever `--git-dir` that is asked for."""
    inner = make_repository(desk / "sub", {"a": "a\n", ".gitattributes": "* filter=x\n"})
    git(inner, "config", "filter.x.clean", f"touch {traps}/nested; cat")
    git(desk, "add", "sub")
    hardened = [
        "git",
        f"--git-dir={checkout}/.git/worktrees/ws-1",
        f"--work-tree={desk}",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
    ]

    def edit():
        edit_unseen(inner)
        for path in traps.iterdir():
            path.unlink()

    edit()
    subprocess.run([*hardened, "status", "--porcelain"], cwd=desk, capture_output=True, check=True)
    assert fired(traps) == ["nested"], "a status with the usual switches runs it"
    edit()
    assert [(item.path, item.reason) for item in commit(worktrees, desk).dropped] == [("sub", "nested-repository")]
    assert Repository.open(desk).head().untracked == ()
    Repository.open(desk).own_files()
    worktrees.restore_git_file(desk)
    worktrees.remove(desk, keep=None)
    assert fired(traps) == []


def test_settings_that_an_agent_leads_its_worktrees_git_folder_to_are_not_run(worktrees, desk, traps, tmp_path, base):
    evil = make_repository(tmp_path / "evil", {"x": "1\n"})
    for key in ("core.fsmonitor", "filter.x.clean", "filter.x.smudge", "alias.read-tree", "core.alternateRefsCommand"):
        git(evil, "config", key, f"touch {traps}/{key}; cat")
    for hook in ("post-index-change", "post-checkout", "reference-transaction"):
        write_files(evil, {f".git/hooks/{hook}": f"#!/bin/sh\ntouch {traps}/{hook}\n"})
        (evil / ".git/hooks" / hook).chmod(0o755)
    write_files(evil, {".git/info/attributes": "* filter=x\n"})
    (worktrees.gitdir_of(desk) / "commondir").write_text(f"{evil}/.git\n")
    write_files(desk, {"new": "1"})
    for ask in (
        lambda: commit(worktrees, desk),
        lambda: worktrees.reset_files(desk, base),
        worktrees.list,
        lambda: worktrees.remove(desk, keep=None),
    ):
        with suppress(GitError):
            ask()
    assert fired(traps) == []


def test_a_missing_object_is_not_fetched_by_a_program_of_the_repository(planted):
    ground = planted("lacking")
    assert ground.scene.repository.read("1" * 40, "x") is None
    assert ground.scene.repository.resolve("1" * 40 + "^{commit}") is None
    assert ground.fired() == set()
