"""What specgit promises of every call, I1 to I9, each shown on the complete list of its public calls or on the cases that could break it.

That nothing a repository names is ever run (I9) is shown in `test_hostile.py`, over the same list.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from specgit.commits import CommitRequest, Writer
from specgit.errors import CheckedOutElsewhere, ObjectMissing, RefMoved, _verb
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.types import is_own_ref
from specgit.worktrees import Worktrees
from support import git_calls
from support.call_list import CALLS, missing_calls, public_calls, scenarios
from support.commit_loop import __file__ as commit_loop
from support.git_calls import MOVES
from support.git_fixture import commit_files, git, isolate_git, write_files
from support.git_scene import ADA, WHEN, busy_scene, play
from support.worktree_story import BOT, REFS, WS, commit

READING = {
    "merge-base",
    "rev-parse",
    "for-each-ref",
    "rev-list",
    "ls-tree",
    "cat-file",
    "check-ignore",
    "diff-tree",
    "grep",
    "config",
    "symbolic-ref",
    "status",
    "ls-files",
    "version",
}
WRITING = {
    "fast-import": "objects, and scratch refs of ours",
    "mktag": "objects",
    "hash-object": "objects",
    "write-tree": "objects",
    "merge-tree": "objects",
    "pack-objects": "a pack in a folder of ours",
    "prune-packed": "removes what a pack holds too",
    "update-ref": "compare-and-swap",
    "read-tree": "an index of our own, named by GIT_INDEX_FILE",
    "update-index": "an index of our own, named by GIT_INDEX_FILE",
    "merge-file": "prints",
    "worktree": "worktrees of ours",
}
"""The git commands that specgit starts, and what those that write may write. None of them rewrites or forgets."""
SPEAKING = {"push": "push.push", "ls-remote": "push.tips"}
"""The git commands that speak to another machine, and the calls that may start them, since a user asked for just that."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What every call left behind in a busy repository."""
    folder = tmp_path_factory.mktemp("busy")
    with pytest.MonkeyPatch.context() as patch:
        isolate_git(patch, folder / "home")
        return play(busy_scene(folder), scenarios(), folder / "traps")


def test_every_public_call_has_a_scenario():
    assert missing_calls() == ""


def test_a_call_without_a_scenario_is_named_with_the_way_to_add_one(monkeypatch):
    monkeypatch.delitem(CALLS, "merge.Merger.matrix")
    assert (
        missing_calls()
        == 'merge.Merger.matrix has no scenario: write one in git_calls.py, or add to one that makes this call too: @plays("merge.Merger.matrix")'
    )
    monkeypatch.setitem(CALLS, "merge.Merger.gone", git_calls._merge)
    assert "merge.Merger.gone is played but is no public call any more" in missing_calls()


def test_every_scenario_makes_the_calls_it_stands_for_and_comes_to_its_end(made):
    code = public_calls()
    assert {name: result.error for name, result in made.items() if result.error} == {}
    assert [name for names in scenarios().values() for name in names if code[name] not in made[names[0]].ran] == []


def test_i1_checkout_index_head_branches_and_config_are_the_same_after_every_call(made):
    assert {name: result.changed for name, result in made.items() if result.changed.keys() - MOVES.get(name, set())} == {}


def test_i1_a_branch_of_the_users_that_was_asked_to_move_is_all_that_moves(made):
    assert {name: result.changed.keys() for name, result in made.items() if result.changed} == MOVES


def test_i2_a_ref_moves_only_from_a_value_that_was_read(made):
    blind, foreign = [], []
    for name, result in made.items():
        for command, stdin in result.commands:
            if _verb(command) == "update-ref":
                assert command[-2:] == ["--stdin", "-z"], "a ref named on the command line may move without an old value"
                moves = re.findall(r"(update|delete) ([^\0]+)\0(?:([^\0]*)\0)?([^\0]*)\0", _as_updates(stdin))
                assert moves
                blind += [(name, ref) for _, ref, _, old in moves if not re.fullmatch(r"[0-9a-f]{40}", old)]
                foreign += [(name, ref) for _, ref, _, _ in moves if not is_own_ref(ref) and ref not in MOVES.get(name, ())]
            if _verb(command) == "fast-import" and not _is_elsewhere(command):
                assert "--force" not in command
                foreign += [
                    (name, ref)
                    for ref in re.findall(rb"^commit (.+)$", stdin, re.MULTILINE)
                    if not ref.startswith(b"refs/specthread/pending/")
                ]
    assert (blind, foreign) == ([], [])


def test_i2_a_ref_on_another_machine_moves_only_from_where_it_was_left(made):
    pushes = [command for command, _ in made["push.push"].commands if _verb(command) == "push"]
    assert len(pushes) == 3
    for command in pushes:
        moves = command[command.index("--end-of-options") + 2 :]
        leases = [word for word in command if word.startswith("--force-with-lease=")]
        assert [word.rpartition(":")[0] for word in leases] == [f"--force-with-lease={move.partition(':')[2]}" for move in moves]
        assert not any(move.startswith("+") for move in moves)
        assert {"--force", "-f", "--mirror", "--delete"}.isdisjoint(command)


def _is_elsewhere(command: list[str]) -> bool:
    """Tells whether git is at work in a folder of ours outside the repository, where refs are nobody else's."""
    return not any(word.startswith("--git-dir=") and "/repo/.git" in word for word in command)


def _as_updates(stdin: bytes) -> str:
    """The input of update-ref with an empty new value in each deletion, so that both kinds have four parts."""
    return re.sub(r"(?:(?<=\0)|\A)delete ([^\0]+)\0", r"delete \1\0\0", stdin.decode())


def test_i2_what_somebody_else_put_on_a_ref_meanwhile_is_never_lost(writer, repository, checkout, monkeypatch):
    first = writer.commit([_request()])[0]
    theirs = git(checkout, "commit-tree", f"{first.tree}", "-p", first.oid, "-m", "Theirs")
    run = type(repository.runner).run
    late = iter([True])

    def overtaken(runner, args, **options):
        if args[0] == "update-ref" and next(late, False):
            git(checkout, "update-ref", REFS.specs, theirs)
        return run(runner, args, **options)

    monkeypatch.setattr(type(repository.runner), "run", overtaken)
    assert writer.commit([_request()])[0].parent == theirs
    late = iter([True])
    with pytest.raises(RefMoved):
        writer.set_ref(REFS.session(9), first.oid, first.oid)
    assert repository.resolve(REFS.session(9)) is None


@pytest.mark.parametrize("how", ["born", "unborn", "by another name"])
def test_i3_a_branch_that_is_checked_out_somewhere_is_not_moved_by_any_call(worktrees, writer, repository, checkout, base, tmp_path, how):
    unborn = how == "unborn"
    refs = (REFS.specs, REFS.feature, WS)
    for number, ref in enumerate(refs):
        place = tmp_path / f"theirs{number}"
        git(checkout, "worktree", "add", "--quiet", "--detach", str(place))
        if not unborn:
            git(checkout, "update-ref", ref, base)
        if how == "by another name":
            git(checkout, "symbolic-ref", f"refs/heads/alias/{number}", ref)
            git(place, "symbolic-ref", "HEAD", f"refs/heads/alias/{number}")
        else:
            git(place, "symbolic-ref", "HEAD", ref)
    before = git(checkout, "for-each-ref")
    old = None if unborn else base
    for ref in refs:
        for move in (
            lambda ref=ref: writer.commit([_request(ref=ref, start=base)]),
            lambda ref=ref: writer.commit([_request(ref=REFS.session(8)), _request(ref=ref, expect=old or repository.zero)]),
            lambda ref=ref: writer.set_ref(ref, base, old),
            lambda ref=ref: worktrees.add(tmp_path / "ours", branch=ref, start=base),
        ):
            with pytest.raises(CheckedOutElsewhere, match="Check out another branch there"):
                move()
    assert git(checkout, "for-each-ref") == before


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows what is synced")
def test_i4_what_is_acknowledged_was_synced_before(checkout, tmp_path):
    trace = tmp_path / "trace"
    shown = [
        "strace",
        "-f",
        "-qq",
        "-y",
        "-e",
        "trace=fsync,fdatasync,write,rename,renameat,renameat2,link,linkat",
        "-s",
        "200",
        "-o",
        str(trace),
    ]
    done = subprocess.run([*shown, sys.executable, commit_loop, str(checkout), "p", "0", "2"], capture_output=True, check=True)
    lines = trace.read_text().splitlines()
    for acknowledged in done.stdout.decode().splitlines():
        event, oid, _ = acknowledged.split()
        end = next(number for number, line in enumerate(lines) if f'"{event} {oid}' in line and "write(1" in line)
        synced = [line for line in lines[:end] if "fsync(" in line or "fdatasync(" in line]
        lines = lines[end:]
        # The commit, its trees and its file each lie in a temporary file when they are synced; the ref in its lock file.
        assert len([line for line in synced if "/objects/" in line]) >= 4
        assert [line for line in synced if f"/.git/{REFS.specs}.lock" in line]


def test_i5_an_event_makes_one_commit_whoever_repeats_it_and_however_often(worktrees, desk, repository, checkout):
    first = Writer(repository).commit([_request(event="i:1"), _request(ref=REFS.feature, event="i:1")])
    write_files(desk, {"new": "1"})
    work = commit(worktrees, desk, event="i:2")
    for _ in range(2):
        again = Repository.open(checkout)  # as after a crash: nothing is remembered
        assert [made.oid for made in Writer(again).commit([_request(event="i:1"), _request(ref=REFS.feature, event="i:1")])] == [
            made.oid for made in first
        ]
        assert Worktrees(again).commit(desk, branch=WS, message="Work", author=BOT, when=WHEN, event="i:2").oid == work.oid
    assert [len(repository.log(ref)) for ref in (REFS.specs, REFS.feature)] == [1, 1]


def test_i6_no_call_rewrites_or_forgets_history(made):
    verbs = {name: {_verb(command) for command, _ in result.commands} for name, result in made.items()}
    allowed = READING | WRITING.keys()
    spoken = {name: {verb for verb, call in SPEAKING.items() if call == name} for name in verbs}
    assert {name: found - allowed - spoken[name] for name, found in verbs.items() if found - allowed - spoken[name]} == {}
    # What had a ref keeps one; the exception is a private ref that is deleted by name, and the scratch of a killed writer.
    gone = {name: result.before.keys() - result.after.keys() for name, result in made.items()}
    assert {name: refs for name, refs in gone.items() if refs} == {}


def test_i7_no_call_speaks_to_another_machine(checkout, tmp_path):
    commit_files(checkout, {"README.md": "Later\n"}, "Later")
    git(checkout, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=tree:0", f"file://{checkout}", "partial")
    git(tmp_path / "partial", "config", "remote.origin.uploadpack", f"touch {tmp_path}/fetched; git-upload-pack")
    partial = Repository.open(tmp_path / "partial")
    head, base = partial.resolve("HEAD"), partial.resolve("HEAD^")
    for ask in (
        lambda: partial.entries(head),
        lambda: partial.changed_paths(base, head),
        lambda: Writer(partial).commit([_request(ref=REFS.feature, start=head)]),
        lambda: partial.diff_text(base, head, limit_bytes=10),
        lambda: partial.tree_of(head),
        lambda: partial.read(head, "README.md"),
        lambda: Worktrees(partial).add_detached(tmp_path / "ws", head),
        lambda: Merger(partial).preview(head, base),
        lambda: Merger(partial).matrix({"a": head, "b": base}),
        partial.head,
    ):
        with pytest.raises(ObjectMissing, match="git fetch"):
            ask()
    assert not (tmp_path / "fetched").exists()
    subprocess.run(["git", "-C", tmp_path / "partial", "ls-tree", head], capture_output=True, check=False)
    assert (tmp_path / "fetched").exists(), "plain git does fetch here"


def test_i8_no_process_and_no_descriptor_outlives_a_call(made):
    assert {
        name: (result.left_running, result.left_open) for name, result in made.items() if result.left_running or result.left_open > 0
    } == {}


def _request(**changes):
    return CommitRequest(**{"ref": REFS.specs, "message": "Write", "author": ADA, "when": WHEN, "files": {"a.md": b"a\n"}, **changes})
