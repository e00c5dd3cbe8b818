"""One day's work in every odd kind of repository: each step works, or is refused with a sentence that says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from specgit.commits import CommitRequest, TagRequest, Writer
from specgit.errors import BlockingBranch, DubiousOwnership, GitError, NoCommitYet, ObjectMissing
from specgit.maintenance import pack_loose
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.snapshot import Keep
from specgit.traits import traits_of
from specgit.worktrees import Worktrees
from support.git_fixture import commit_files, fingerprint, git, make_repository, write_files
from support.git_scene import ADA, WHEN
from support.worktree_story import REFS, WS, commit

FILES = {"README.md": "Hello\n", "src/app.py": "1\n2\n3\n", "shared.txt": "one\ntwo\nthree\n"}


class Day:
    """What the steps have come to so far; a step whose ground is missing is not taken."""

    def __init__(self, path: Path, work: Path) -> None:
        self.path, self.work = path, work
        self.repository: Repository | None = None
        self.feature = self.base = self.session = None

    def open(self):
        repository = Repository.open(self.path)
        assert traits_of(repository).object_format in {"sha1", "sha256"}
        self.repository = repository
        self.base = repository.resolve("HEAD^{commit}")

    def room(self):
        self.repository.require_room(REFS.task_id)

    def head(self):
        head = self.repository.head()
        assert head.oid == self.base
        assert head.dirty == ()

    def specs(self):
        request = CommitRequest(ref=REFS.specs, message="Write", author=ADA, when=WHEN, files={".specs/a.md": b"# A\n"}, event="i:1")
        tag = TagRequest(ref=REFS.tag(1), target=0, message="Version 1", tagger=ADA, when=WHEN)
        made = Writer(self.repository).commit([request], [tag])[0]
        assert Writer(Repository.open(self.path)).commit([request])[0].oid == made.oid
        assert self.repository.resolve(f"{REFS.tag(1)}^{{commit}}") == made.oid
        assert self.repository.read(REFS.specs, ".specs/a.md") == b"# A\n"
        assert self.repository.log(REFS.specs)[0].author == ADA

    def code(self):
        request = CommitRequest(
            ref=REFS.feature, start=self.base, message="Theirs", author=ADA, when=WHEN, files={"shared.txt": b"one\ntheirs\nthree\n"}
        )
        self.feature = Writer(self.repository).commit([request])[0].oid
        assert self.repository.changed_paths(self.base, self.feature) == ("shared.txt",)

    def worktree(self):
        worktrees, path = Worktrees(self.repository), self.work / "ws-1"
        worktrees.add(path, branch=WS, start=self.base)
        assert (path / "src/app.py").read_bytes() == b"1\n2\n3\n", "as it was committed, whatever line ends are asked for"
        assert worktrees.scan(path, against=self.base).files == {}
        write_files(path, {"shared.txt": "one\nours\nthree\n", "new.py": "x\n"})
        self.session = commit(worktrees, path).oid
        assert self.repository.changed_paths(self.base, self.session) == ("new.py", "shared.txt")

    def snapshot(self):
        worktrees, path = Worktrees(self.repository), self.work / "ws-1"
        write_files(path, {"new.py": "y\n"})
        (path / "shared.txt").unlink()
        keep = Keep(ref=REFS.archive("ws-1"), message="Keep", author=ADA, when=WHEN)
        kept = worktrees.snapshot(path, keep).oid
        assert self.repository.changed_paths(self.session, kept) == ("new.py", "shared.txt")
        assert self.repository.read(kept, "new.py") == b"y\n"
        assert worktrees.remove(path, keep=keep).oid == kept

    def merge(self):
        merger = Merger(self.repository)
        assert merger.preview(self.session, self.feature).conflicts == ("shared.txt",)
        assert merger.preview(self.base, self.feature).tree == self.repository.tree_of(self.feature)
        tips = {"base": self.base, "feature": self.feature, "session": self.session}
        assert {pair for pair, paths in merger.matrix(tips).items() if paths} == {("feature", "session")}

    def archive(self):
        Worktrees(self.repository).remove(self.work / "ws-1", keep=None)  # one that could not be filled is there still
        moves = {ref: REFS.archived(ref) for ref in (REFS.specs, REFS.feature, WS)}
        before = {ref: oid for ref in moves if (oid := self.repository.resolve(ref))}
        assert Writer(self.repository).archive(moves) == before
        assert {ref: self.repository.resolve(moves[ref]) for ref in before} == before
        assert not any(map(self.repository.resolve, moves))

    def upkeep(self):
        pack_loose(self.repository)
        assert Writer(self.repository).recover().pending == ()

    def steps(self):
        yield "open", self.open
        if self.repository is not None:
            yield from (("room", self.room), ("head", self.head), ("specs", self.specs))
            if self.base is not None:
                yield from (("code", self.code), ("worktree", self.worktree))
            if self.session:
                yield "snapshot", self.snapshot
            if self.feature and self.session:
                yield "merge", self.merge
            yield "archive", self.archive
            yield "upkeep", self.upkeep


def plain(folder, **options):
    return make_repository(folder / "repo", FILES, **options)


def bare(folder):
    git(folder, "clone", "--quiet", "--bare", str(plain(folder)), "bare.git")
    return folder / "bare.git"


def linked(folder):
    git(plain(folder), "worktree", "add", "--quiet", str(folder / "linked"), "-b", "linked")
    return folder / "linked"


def clone(folder, *options):
    origin = plain(folder)
    commit_files(origin, {"later.txt": "later\n"}, "Later")
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(folder, "clone", "--quiet", *options, f"file://{origin}", "clone")
    return folder / "clone"


def shallow(folder):
    return clone(folder, "--depth=1")


def without_blobs(folder):
    return clone(folder, "--filter=blob:none")


def without_blobs_or_checkout(folder):
    return clone(folder, "--filter=blob:none", "--bare")


def without_trees(folder):
    return clone(folder, "--filter=tree:0", "--bare")


def sha256(folder):
    return plain(folder, object_format="sha256")


def with_submodule(folder):
    inner, outer = make_repository(folder / "inner", {"x": "1"}), plain(folder)
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "vendor/inner")
    git(outer, "commit", "--quiet", "-m", "Submodule")
    return outer


def with_lfs(folder):
    made = plain(folder)
    commit_files(made, {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": "version https://git-lfs\n"}, "Pointers")
    for key in ("clean", "smudge", "process"):
        git(made, "config", f"filter.lfs.{key}", f"git-lfs-is-not-here {key} %f")
    git(made, "config", "filter.lfs.required", "true")
    return made


def of_somebody_else(folder):
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository to somebody else")
    made = plain(folder)
    for place in (made, made / ".git"):
        os.chown(place, 12345, 12345)
    return made


def without_identity(folder):
    made = plain(folder)
    for key in ("user.name", "user.email"):
        git(made, "config", "--unset", key)
    git(made, "config", "user.useConfigOnly", "true")
    return made


def with_broken_signing(folder):
    made = plain(folder)
    for key, value in {"commit.gpgSign": "true", "tag.gpgSign": "true", "gpg.program": "/nowhere/gpg", "user.signingKey": "0"}.items():
        git(made, "config", key, value)
    return made


def with_other_line_ends(folder):
    made = plain(folder)
    git(made, "config", "core.autocrlf", "true")
    git(made, "rm", "--quiet", "-r", ".")
    git(made, "reset", "--quiet", "--hard")
    assert (made / "src/app.py").read_bytes() == b"1\r\n2\r\n3\r\n"
    return made


def with_a_branch_in_the_way(folder):
    made = plain(folder)
    git(made, "branch", "spectask")
    return made


def with_a_session_branch_of_the_same_name(folder):
    made = plain(folder)
    git(made, "branch", "spectask/a-7k3f/ws-1")
    return made


def with_many_refs(folder):
    made = plain(folder)
    base = git(made, "rev-parse", "HEAD")
    creations = [f"create refs/{kind}/many/{number} {base}\n" for number in range(2500) for kind in ("heads", "tags")]
    git(made, "update-ref", "--stdin", stdin="".join(creations).encode())
    git(made, "pack-refs", "--all")
    return made


def with_many_files(folder):
    made = plain(folder)
    lines = [f"M 100644 inline many/{number // 200}/{number}.py\ndata 2\nx\n\n" for number in range(50_000)]
    stream = f"commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 4\nMany\nfrom refs/heads/main^0\n{''.join(lines)}"
    git(made, "fast-import", "--quiet", stdin=stream.encode())
    git(made, "reset", "--quiet", "--hard")
    return made


def detached(folder):
    made = plain(folder)
    git(made, "checkout", "--quiet", "--detach")
    return made


def apart_from_its_git_folder(folder):
    made = plain(folder)
    git(made, "init", "--quiet", f"--separate-git-dir={folder / 'store'}")
    return made


def borrowing(folder):
    git(folder, "clone", "--quiet", "--shared", str(plain(folder)), "clone")
    return folder / "clone"


def sparse(folder):
    made = plain(folder)
    git(made, "sparse-checkout", "set", "src")
    return made


def without_a_commit(folder):
    return make_repository(folder / "repo", {})


KINDS = {
    plain: {},
    bare: {},
    linked: {},
    shallow: {},
    without_blobs: {},
    without_blobs_or_checkout: {"worktree": ObjectMissing},
    without_trees: {"code": ObjectMissing, "worktree": ObjectMissing},
    sha256: {},
    with_submodule: {},
    with_lfs: {},
    of_somebody_else: {"open": DubiousOwnership},
    without_identity: {},
    with_broken_signing: {},
    with_other_line_ends: {},
    with_a_branch_in_the_way: dict.fromkeys(("room", "specs", "code", "worktree"), BlockingBranch),
    with_a_session_branch_of_the_same_name: {},
    with_many_refs: {},
    detached: {},
    apart_from_its_git_folder: {},
    borrowing: {},
    sparse: {},
    without_a_commit: {"head": NoCommitYet},
    with_many_files: {},
}
"""Each kind of repository, and the steps that are refused there."""
PARAMETERS = [
    pytest.param(make, refused, id=make.__name__, marks=[pytest.mark.slow] * (make is with_many_files)) for make, refused in KINDS.items()
]


@pytest.mark.parametrize(("make", "refused"), PARAMETERS)
def test_a_days_work_is_done_or_refused_in_words_and_the_user_finds_nothing_changed(tmp_path, make, refused):
    path = make(tmp_path)
    foreign = make is of_somebody_else
    before = None if foreign else fingerprint(path)
    day, told = Day(path, tmp_path / "work"), {}
    for name, step in day.steps():
        try:
            step()
        except GitError as error:
            told[name] = error
    assert {name: type(error) for name, error in told.items()} == refused
    for error in told.values():
        assert ". " in error.message, "what happened, and what to do"
        assert "specthread doctor" not in error.message, "a failure that nobody has put into words"
    if not foreign:
        assert fingerprint(path) == before
        if "specs" not in refused:
            git(path, "fsck", "--no-dangling", "--connectivity-only", env={"GIT_NO_LAZY_FETCH": "1"})
