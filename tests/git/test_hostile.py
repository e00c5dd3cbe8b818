import os
import subprocess
from datetime import UTC, datetime

import pytest

from specgit.commits import CommitRequest, TagRequest, Writer
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.trees import export_tree
from specgit.types import Oid, Person, spec_refs
from specgit.worktrees import Worktrees
from support.git_fixture import commit_files, fingerprint, git, make_repository, write_files

REFS = spec_refs("a-7k3f")
ADA = Person(name="Ada", email="ada@example.org")
WHEN = datetime(2026, 1, 2, tzinfo=UTC)
HOOKS = """
    applypatch-msg pre-applypatch post-applypatch pre-commit pre-merge-commit prepare-commit-msg commit-msg post-commit pre-rebase
    post-checkout post-merge pre-push pre-receive update proc-receive post-receive post-update reference-transaction push-to-checkout
    pre-auto-gc post-rewrite sendemail-validate fsmonitor-watchman post-index-change
"""


@pytest.fixture
def traps(tmp_path):
    (tmp_path / "traps").mkdir()
    return tmp_path / "traps"


def fired(traps):
    return sorted(path.name for path in traps.iterdir())


@pytest.fixture
def hostile(checkout, traps):
    """A repository whose config, hooks and attributes all lead to programs that leave a file behind."""
    first = commit_files(checkout, {"both.txt": "1\n2\n3\n", "data.txt": "x\n"}, "Data")
    git(checkout, "checkout", "--quiet", "-b", "theirs")
    commit_files(checkout, {"both.txt": "1\n2\ntheirs\n"}, "Theirs")
    git(checkout, "checkout", "--quiet", "main")
    commit_files(checkout, {"both.txt": "ours\n2\n3\n", ".gitattributes": "* filter=evil diff=evil merge=evil\n"}, "Ours")
    git(checkout, "tag", "first", first)

    def trap(name):
        return f"touch {traps}/{name}; cat"

    programs = "core.fsmonitor core.pager core.editor core.sshCommand core.gitProxy core.askPass core.alternateRefsCommand sequence.editor"
    keys = [*programs.split(), "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.command", "diff.evil.textconv"]
    keys += [
        "diff.external",
        "merge.evil.driver",
        "merge.default.driver",
        "gpg.program",
        "gpg.ssh.program",
        "credential.helper",
        "trailer.x.command",
    ]
    keys += ["alias.status", "remote.origin.uploadpack", "remote.origin.vcs", "interactive.diffFilter", "uploadpack.packObjectsHook"]
    for key in keys:
        git(checkout, "config", key, trap(key))
    git(checkout, "config", "diff.external", f"{traps}/../external")
    settings = {"log.showSignature": "true", "commit.gpgsign": "true", "tag.gpgsign": "true", "merge.default": "evil", "gc.auto": "1"}
    settings |= {"filter.evil.required": "true", "core.hooksPath": str(traps.parent / "hooks"), "submodule.recurse": "true"}
    settings |= {"remote.origin.url": f"ext::sh -c touch% {traps}/ext", "protocol.allow": "always", "extensions.partialClone": "origin"}
    for key, value in settings.items():
        git(checkout, "config", key, value)
    (traps.parent / "external").write_text(f"#!/bin/sh\ntouch {traps}/diff.external\n")
    (traps.parent / "external").chmod(0o755)
    for folder in (checkout / ".git/hooks", traps.parent / "hooks"):
        folder.mkdir(exist_ok=True)
        for hook in HOOKS.split():
            (folder / hook).write_text(f"#!/bin/sh\ntouch {traps}/{hook}\n")
            (folder / hook).chmod(0o755)
    (checkout / ".git/info").mkdir(exist_ok=True)
    (checkout / ".git/info/attributes").write_text("* filter=evil diff=evil merge=evil\n")
    for path in traps.iterdir():
        path.unlink()
    return checkout


def test_the_traps_do_fire_for_plain_git(hostile, traps):
    os.utime(hostile / "data.txt", (1, 1))
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    # The first trap of a filter ends the diff before it reaches the others.
    plain_diff = ["-c", "filter.evil.process=", "-c", "filter.evil.required=false", "diff", "first", "main"]
    for command in (["status"], plain_diff, ["merge-tree", "--write-tree", "main", "theirs"], ["branch", "new"]):
        subprocess.run(["git", "-C", str(hostile), *command], env=environment, capture_output=True, check=False, timeout=30)
    assert {"core.fsmonitor", "filter.evil.process", "diff.evil.command", "merge.evil.driver", "reference-transaction"} <= set(fired(traps))


def test_nothing_that_a_repository_names_is_run_by_reading_it(hostile, traps):
    before = fingerprint(hostile)
    for name in ("data.txt", "README.md"):
        os.utime(hostile / name, (1, 1))
    repository = Repository.open(hostile)
    head, theirs, first = repository.head().oid, Oid(git(hostile, "rev-parse", "theirs")), Oid(git(hostile, "rev-parse", "first"))
    for path in traps.iterdir():
        path.unlink()
    repository.identity()
    repository.log("main")
    repository.find_event(REFS.specs, "x")
    repository.entries("main")
    repository.read("main", "both.txt")
    repository.ignored(["x.log"])
    repository.checked_out()
    repository.require_room("a-7k3f")
    assert repository.behind(head, theirs) == 1
    assert "+ours" in repository.diff_text(first, head, limit_bytes=10_000)
    assert repository.changed_paths(first, head) == (".gitattributes", "both.txt")
    assert repository.head().dirty == ()
    assert fired(traps) == []
    assert fingerprint(hostile) == before


def test_nothing_that_a_repository_names_is_run_by_writing_to_it(hostile, traps, tmp_path):
    repository = Repository.open(hostile)
    writer, worktrees, merger = Writer(repository), Worktrees(repository), Merger(repository)
    base, theirs = repository.resolve("refs/heads/main"), repository.resolve("refs/heads/theirs")
    before = fingerprint(hostile)
    request = CommitRequest(ref=REFS.specs, message="m", author=ADA, when=WHEN, files={"both.txt": b"1\n"}, event="i:1")
    tag = TagRequest(ref=REFS.tag(1), target=0, message="v1", tagger=ADA, when=WHEN)
    made = writer.commit([request], [tag])[0]
    writer.set_ref(REFS.archive("x"), made.oid, None)
    writer.delete_ref(REFS.archive("x"), made.oid)
    writer.recover()
    worktrees.add(tmp_path / "ws", branch=REFS.session(1), start=base)
    worktrees.add_detached(tmp_path / "check", base)
    write_files(tmp_path / "ws", {"data.txt": "changed\n", "new.txt": "1"})
    worktrees.commit(tmp_path / "ws", branch=REFS.session(1), message="m", author=ADA, when=WHEN)
    worktrees.reset_files(tmp_path / "check", theirs)
    assert merger.preview(base, theirs).conflicts == ()
    merger.write_with_markers(tmp_path / "ws", repository.resolve(REFS.session(1)), theirs)
    assert (tmp_path / "ws/both.txt").read_text() == "ours\n2\ntheirs\n"
    assert merger.merge_text(b"1\n", b"2\n", b"3\n").conflict
    export_tree(repository, base, tmp_path / "export")
    assert (tmp_path / "export/data.txt").read_text() == "x\n"
    worktrees.list()
    worktrees.remove(tmp_path / "ws", keep=None)
    assert fired(traps) == []
    assert fingerprint(hostile) == before


def test_a_repository_nested_in_a_worktree_runs_nothing(repository, traps, tmp_path):
    worktrees = Worktrees(repository)
    path = tmp_path / "ws"
    worktrees.add(path, branch=REFS.session(1), start=repository.head().oid)
    inner = make_repository(path / "sub", {"a": "a\n", ".gitattributes": "* filter=x\n"})
    git(inner, "config", "filter.x.clean", f"touch {traps}/nested; cat")
    git(inner, "config", "core.fsmonitor", f"touch {traps}/nested; cat")
    git(path, "add", "sub")  # what an agent would do: the index now holds a gitlink
    write_files(inner, {"a": "b\n"})
    for entry in traps.iterdir():
        entry.unlink()
    made = worktrees.commit(path, branch=REFS.session(1), message="m", author=ADA, when=WHEN)
    assert [(item.path, item.reason) for item in made.dropped] == [("sub", "nested-repository")]
    worktrees.restore_git_file(path)
    worktrees.remove(path, keep=None)
    assert fired(traps) == []


def test_a_missing_object_is_not_fetched_by_a_program_of_the_repository(hostile, traps):
    repository = Repository.open(hostile)
    assert repository.read("1" * 40, "x") is None
    assert repository.resolve("1" * 40 + "^{commit}") is None
    assert fired(traps) == []
