"""Reading a repository: what is where, without ever writing its index, config or checkout."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from specgit.errors import HOW_TO_FETCH, BlockingBranch, NoCommitYet, NotARepository, ObjectMissing
from specgit.git import GitRunner, discover, find_git
from specgit.history import CommitFact, read_commits, read_events
from specgit.ignore import ignored_paths
from specgit.types import Oid, Person, RefName, spec_refs
from specgit.view import sterile_view

# Settings that say how a checkout looks on disk. They name no program, so a status may follow them.
_CHECKOUT_SETTINGS = {
    "core.autocrlf",
    "core.checkstat",
    "core.eol",
    "core.excludesfile",
    "core.filemode",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.symlinks",
    "core.trustctime",
}
_HEADER = 200
"""Bytes that hold the line before an object in a batch."""
# What git writes into HEAD where it keeps refs in tables instead of files.
_REFS_ARE_NO_FILES = "refs/heads/.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a checkout stands on; `dirty` and `untracked` are sorted paths, `branch` is the short name or None when detached."""

    oid: Oid
    branch: str | None
    detached: bool
    dirty: tuple[str, ...]
    untracked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One entry of a tree, read recursively; `mode` is git's six octal digits."""

    mode: str
    kind: Literal["blob", "commit"]
    oid: Oid
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """An open repository: `git_dir` is the folder shared by all its worktrees, `checkout` the one it was opened from, if any."""

    git_dir: Path
    checkout: Path | None
    checkout_git_dir: Path
    object_format: str
    bare: bool
    runner: GitRunner

    @classmethod
    def open(cls, path: Path) -> "Repository":
        """Finds the repository that holds `path`.

        Raises NotARepository, DubiousOwnership, GitMissing or GitTooOld.
        """
        program = find_git()
        start = path if path.is_dir() else path.parent
        if not start.is_dir():
            raise NotARepository(f"There is no folder {start}. Go to a git repository, or make one with: git init")
        questions = ["--path-format=absolute", "--git-dir", "--git-common-dir", "--show-object-format", "--is-inside-work-tree"]
        private, common, object_format, inside = discover(program, start, questions).split("\n")
        checkout = Path(discover(program, start, ["--show-toplevel"])) if inside == "true" else None
        git_dir = Path(common)
        runner = GitRunner(git_dir=git_dir, program=program)
        bare = runner.run(["config", "--type=bool", "--get", "core.bare"], check=False).text == "true"
        return cls(
            git_dir=git_dir, checkout=checkout, checkout_git_dir=Path(private), object_format=object_format, bare=bare, runner=runner
        )

    @property
    def zero(self) -> Oid:
        """The id of nothing, which stands for “this ref does not exist”."""
        return Oid("0" * (64 if self.object_format == "sha256" else 40))

    def head(self) -> Head:
        """Reads what the checkout stands on and what is not committed in it; raises NoCommitYet."""
        runner = self.runner.at(self.checkout_git_dir)
        oid = runner.run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], check=False).text
        if not oid:
            raise NoCommitYet("The repository has no commit yet, so there is nothing to start from. Make a first commit: git commit")
        branch = runner.run(["symbolic-ref", "--quiet", "--short", "HEAD"], check=False).text or None
        dirty, untracked = self._status(Oid(oid)) if self.checkout else ((), ())
        return Head(oid=Oid(oid), branch=branch, detached=branch is None, dirty=dirty, untracked=untracked)

    def identity(self) -> Person | None:
        """Reads the user's name and address from git's config; None unless both are set."""
        done = self.runner.run(["config", "-z", "--get-regexp", r"^user\.(name|email)$"], check=False)
        found = dict(item.split("\n", 1) for item in done.text.split("\0") if "\n" in item)
        if not found.get("user.name") or not found.get("user.email"):
            return None
        return Person(name=found["user.name"], email=found["user.email"])

    def resolve(self, name: str) -> Oid | None:
        """Returns the object that a ref, an id or a revision such as `v1^{commit}` names; None when there is none."""
        done = self.runner.run(["rev-parse", "--verify", "--quiet", "--end-of-options", name], check=False)
        return Oid(done.text) if done.exit_code == 0 else None

    def tree_of(self, oid: Oid) -> Oid:
        """Returns the tree of a commit or tag; a tree is its own."""
        tree = self.resolve(f"{oid}^{{tree}}")
        if tree is None:
            sentence = (
                f"There is no commit or tree {oid} in this repository. In a shallow or partial clone, fetch it first with: {HOW_TO_FETCH}"
            )
            raise ObjectMissing(sentence)
        return tree

    def read(self, treeish: str, path: str) -> bytes | None:
        """Returns the bytes of a file as committed; None when there is no file at that path."""
        return self.read_all([(treeish, path)])[0]

    def read_all(self, places: Sequence[tuple[str, str]]) -> list[bytes | None]:
        """Returns the bytes of files as committed, each named by commit or tree and path, with one git process; None for each that is not there."""
        asked = b"".join(os.fsencode(f"{treeish}:{path}") + b"\0" for treeish, path in places)
        output = memoryview(self.runner.run(["cat-file", "--batch", "-z"], stdin=asked).stdout)
        found: list[bytes | None] = []
        for treeish, path in places:
            missing = os.fsencode(f"{treeish}:{path} missing\n")
            if bytes(output[: len(missing)]) == missing:
                found.append(None)
                output = output[len(missing) :]
                continue
            header, _, _ = bytes(output[:_HEADER]).partition(b"\n")
            _, kind, *size_of = header.split(b" ")
            if not size_of:  # a submodule, of which git says two words from 2.51 on: its commit is not here
                found.append(None)
                output = output[len(header) + 1 :]
                continue
            end = len(header) + 1 + int(size_of[0])
            found.append(bytes(output[len(header) + 1 : end]) if kind == b"blob" else None)
            output = output[end + 1 :]
        return found

    def entries(self, treeish: str, prefix: str = "") -> tuple[TreeEntry, ...]:
        """Lists the files below `prefix`, in git's order, with links and submodules but without folders."""
        done = self.runner.run(["ls-tree", "-r", "-z", "--full-tree", treeish, *([prefix] if prefix else [])])
        return tuple(_tree_entry(line) for line in done.stdout.split(b"\0")[:-1])

    def log(self, ref_or_range: str, *, limit: int | None = None, first_parent: bool = False, path: str = "") -> tuple[CommitFact, ...]:
        """Returns the newest `limit` commits of a ref or of a range such as `base..feature`, newest first; with `path` those that changed that file."""
        options = [*([f"--max-count={limit}"] if limit is not None else []), *(["--first-parent"] if first_parent else [])]
        only = ["--", f":(literal){path}"] if path else []
        return read_commits(self.runner, ["--topo-order", *options, "--end-of-options", ref_or_range, *only])

    def refs(self, *below: str) -> dict[RefName, Oid]:
        """Maps each ref below these prefixes, such as `refs/heads/spectask`, to the commit it stands for."""
        lines = self.runner.run(["for-each-ref", "--format=%(refname)%00%(objectname)%00%(*objectname)", *below]).text.split("\n")
        facts = (line.split("\0") for line in lines if line)
        return {RefName(ref): Oid(peeled or oid) for ref, oid, peeled in facts}

    def log_with(self, trailers: Sequence[str], ref_or_range: str, *, limit: int, timeout: float) -> tuple[CommitFact, ...]:
        """Returns the newest `limit` commits of a ref or range whose message has a line that begins with one of these trailers; raises GitTimeout."""
        options = [f"--grep=^{key}: " for key in trailers]
        return read_commits(
            self.runner, ["--topo-order", *options, f"--max-count={limit}", "--end-of-options", ref_or_range], timeout=timeout
        )

    def own_files(self) -> tuple[str, ...]:
        """Lists the files of the checkout that belong to it: those in its index, and new ones that no rule ignores."""
        args = ["ls-files", "-z", "--cached", *(["--others", "--exclude-standard"] if self.checkout else [])]
        done = self.runner.at(self.checkout_git_dir).run(args, work_tree=self.checkout)
        return tuple(os.fsdecode(path) for path in done.stdout.split(b"\0")[:-1])

    def find_event(self, ref: RefName, event: str, *, since: Oid | None = None) -> Oid | None:
        """Returns the commit that an event left on the first-parent line of `ref`, searched from its tip back to `since`."""
        tip = self.resolve(ref)
        return None if tip is None else read_events(self.runner, tip, since).get(event)

    def is_ancestor(self, ancestor: Oid, descendant: Oid) -> bool:
        """Tells whether one commit is part of the history of another, or the same."""
        return self.behind(descendant, ancestor) == 0

    def is_held(self, commit: Oid) -> bool:
        """Tells whether a ref leads to a commit, so that git does not collect it."""
        return bool(self.runner.run(["for-each-ref", "--count=1", "--format=1", "--contains", commit]).text)

    def behind(self, here: Oid, there: Oid) -> int:
        """Counts the commits of `there` that `here` lacks."""
        return int(self.runner.run(["rev-list", "--count", there, f"^{here}"]).text)

    def checked_out(self) -> dict[RefName, Path]:
        """Maps each branch that is checked out in some worktree to that worktree.

        Read from files where refs are files: git gives up on the question while anybody is making or removing a worktree.
        """
        heads = {name: home for folder, home in self.git_folders() if (name := _head_of(folder))}
        if _REFS_ARE_NO_FILES in heads:
            return self._checked_out_by_git()
        for name, home in list(heads.items()):
            # A branch that only stands for another one is a file too, and git moves with it.
            while (meant := _branch_in(self.git_dir / name)) and meant not in heads:
                heads[meant] = home
                name = meant  # noqa: PLW2901  the chain is followed to its end
        return heads

    def git_folders(self) -> Iterator[tuple[Path, Path]]:
        """Yields each git folder that has a HEAD of its own with the checkout it belongs to, the main one first; half made ones are left out."""
        if not self.bare:
            is_here = self.checkout is not None and self.checkout_git_dir.resolve() == self.git_dir.resolve()
            yield self.git_dir, self.checkout if self.checkout is not None and is_here else self.git_dir.parent
        linked = self.git_dir / "worktrees"
        for folder in sorted(linked.iterdir()) if linked.is_dir() else []:
            if place := text_of(folder / "gitdir"):
                yield folder, Path(place).parent

    def require_room(self, task_id: str = "") -> None:
        """Raises BlockingBranch where the name of a branch or tag leaves no room for those of a SpecTask, or of any where none is named."""
        names = ["spectask", *([f"spectask/{spec_refs(task_id).task_id}"] if task_id else [])]
        taken = {f"refs/{kind}/{name}": name for kind in ("heads", "tags") for name in names}
        found = self.runner.run(["for-each-ref", "--format=%(refname)", *taken]).text.split("\n")
        blocking = next((ref for ref in found if ref in taken), None)
        if blocking is not None:
            raise BlockingBranch(taken[blocking], tag=blocking.startswith("refs/tags/"))

    def count(self, commits: str) -> int:
        """Counts the commits of a range such as `a..b`."""
        return int(self.runner.run(["rev-list", "--count", "--end-of-options", commits]).text)

    def checkouts(self) -> tuple[Path, ...]:
        """Lists the folders of all worktrees, the main one first."""
        listed = self.runner.run(["worktree", "list", "--porcelain", "-z"]).stdout.split(b"\0")
        return tuple(Path(os.fsdecode(line.removeprefix(b"worktree "))) for line in listed if line.startswith(b"worktree "))

    def changed_paths(self, before: Oid, after: Oid) -> tuple[str, ...]:
        """Lists the paths that differ between two commits or trees, in git's order."""
        done = self.runner.run(["diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after])
        return tuple(os.fsdecode(path) for path in done.stdout.split(b"\0")[:-1])

    def diff_text(self, before: Oid, after: Oid, *, limit_bytes: int) -> str:
        """Returns the unified diff between two commits or trees; a diff over the limit ends with a line that says so."""
        args = ["diff-tree", "-r", "-p", "--find-renames", "--no-ext-diff", "--no-textconv", "--no-color", before, after]
        done = self.runner.run_head(args, limit_bytes=limit_bytes)
        text = done.stdout.decode(errors="replace")
        return text if not done.cut else f"{text}\n[The rest of this diff is left out: it is longer than {limit_bytes} bytes.]\n"

    def ignored(self, paths: Sequence[str]) -> frozenset[str]:
        """Returns those of the checkout's paths that its ignore rules name and under which HEAD tracks nothing."""
        if self.checkout is None:
            return frozenset()
        head = self.runner.at(self.checkout_git_dir).run(["rev-parse", "--verify", "--quiet", "HEAD"], check=False).text
        named = ignored_paths(self.runner, self.checkout, paths)
        return frozenset(path for path in named if not head or not self.entries(head, path))

    def _checked_out_by_git(self) -> dict[RefName, Path]:
        lines = self.runner.run(["for-each-ref", "--format=%(refname)%00%(worktreepath)", "refs/heads"]).text.split("\n")
        pairs = [line.split("\0") for line in lines if line]
        return {RefName(ref): Path(path) for ref, path in pairs if path}

    def _status(self, head: Oid) -> tuple[tuple[str, ...], tuple[str, ...]]:
        settings = self._checkout_settings()
        env = {"GIT_INDEX_FILE": str(self.checkout_git_dir / "index"), "GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings.items()):
            env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        args = ["status", "--porcelain=v1", "-z", "--ignore-submodules=all", "--untracked-files=normal", "--no-renames"]
        with sterile_view(self.runner, object_format=self.object_format, refs={"HEAD": head}, env=env, bare=False) as runner:
            (runner.git_dir / "info").mkdir()
            _link_if_there(self.git_dir / "info/exclude", runner.git_dir / "info/exclude")
            for shared in self.checkout_git_dir.glob("sharedindex.*"):
                _link_if_there(shared, runner.git_dir / shared.name)
            lines = [os.fsdecode(line) for line in runner.run(args, work_tree=self.checkout).stdout.split(b"\0")[:-1]]
        dirty = sorted(line[3:] for line in lines if not line.startswith("??"))
        return tuple(dirty), tuple(sorted(line[3:] for line in lines if line.startswith("??")))

    def _checkout_settings(self) -> dict[str, str]:
        items = os.fsdecode(self.runner.at(self.checkout_git_dir).run(["config", "--list", "-z"]).stdout).split("\0")
        pairs = [item.partition("\n") for item in items if item]
        # A key without a value means true.
        return {key: value if has_value else "true" for key, has_value, value in pairs if key in _CHECKOUT_SETTINGS}


def text_of(path: Path) -> str:
    """The text of one of git's own files without line ends around it; empty where there is none, as in a worktree that is half made or half removed."""
    try:
        return os.fsdecode(path.read_bytes()).strip("\n")
    except OSError:
        return ""


def _head_of(folder: Path) -> RefName | None:
    """The branch that a HEAD names, whatever bytes its name has; None where it is detached."""
    head = folder / "HEAD"
    if head.is_symlink():  # as very old ones are
        return RefName(os.fspath(head.readlink()))
    return _branch_in(head)


def _branch_in(file: Path) -> RefName | None:
    """The branch that a symbolic ref leads to; None where the file holds a commit, or is none."""
    text = text_of(file)
    return RefName(text.removeprefix("ref: ")) if text.startswith("ref: ") else None


def _tree_entry(line: bytes) -> TreeEntry:
    facts, _, path = line.partition(b"\t")
    mode, kind, oid = facts.decode().split(" ")
    return TreeEntry(mode=mode, kind="commit" if kind == "commit" else "blob", oid=Oid(oid), path=os.fsdecode(path))


def _link_if_there(source: Path, link: Path) -> None:
    if source.exists():
        link.symlink_to(source)
