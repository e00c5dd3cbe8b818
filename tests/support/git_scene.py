"""A repository in the middle of somebody's day, in which every public call of specgit can be made, with what such a call left behind."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType

import psutil
import pytest

from specgit import git as git_file
from specgit.commits import CommitRequest, Writer
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.types import Oid, Person, SpecRefs, spec_refs
from specgit.worktrees import Worktrees
from support.git_fixture import commit_files, fingerprint, git, make_repository, write_files

ADA = Person(name="Ada", email="ada@example.org")
WHEN = datetime(2026, 1, 2, tzinfo=UTC)
FILES = {"README.md": "Hello\n", "src/app.py": "1\n2\n3\n", ".gitignore": "*.log\nbuild/\n", "data.txt": "x\n"}


@dataclass(kw_only=True)
class Scene:
    """A busy repository with what calls are made on; `agent` plays the agent in each new worktree, `watched` are folders that must stay as they are."""

    checkout: Path
    folder: Path
    base: Oid
    ours: Oid
    theirs: Oid
    watched: Sequence[Path]
    agent: Callable[[Path], None] = lambda _: None
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.repository = Repository.open(self.checkout)
        self.writer = Writer(self.repository)
        self.worktrees = Worktrees(self.repository)
        self.merger = Merger(self.repository)

    def refs(self) -> SpecRefs:
        """Returns ref names that no other call has used."""
        return spec_refs(f"call-{next(self.numbers)}")

    def place(self) -> Path:
        """Returns a path outside the repository where nothing is yet."""
        return self.folder / "places" / str(next(self.numbers))

    def request(self, refs: SpecRefs, **changes: object) -> CommitRequest:
        """Returns a commit to be made on the specs branch."""
        given = {"ref": refs.specs, "message": "Write", "author": ADA, "when": WHEN, "files": {"a/b.md": b"b\n"}, "event": "i:1"}
        return CommitRequest(**{**given, **changes})  # type: ignore[arg-type]

    def made(self) -> tuple[SpecRefs, Oid]:
        """Makes a specs branch with one commit."""
        refs = self.refs()
        return refs, self.writer.commit([self.request(refs)])[0].oid

    def desk(self) -> tuple[Path, SpecRefs]:
        """Makes a worktree in which an agent has been at work."""
        refs, path = self.refs(), self.place()
        self.worktrees.add(path, branch=refs.session(1), start=self.ours)
        write_files(path, {"src/app.py": "1\n2\nagent\n", "new/file.py": "x\n", "data.txt": "changed\n"})
        self.agent(path)
        return path, refs

    def fingerprint(self) -> dict[str, str]:
        """Returns what must be the same before and after a call."""
        return fingerprint(self.checkout, *self.watched)


def busy_scene(folder: Path) -> Scene:
    """Makes a repository with staged, changed, new and stashed work, a branch to merge, a linked worktree, and a rebase that waits for its user."""
    checkout = make_repository(folder / "repo", FILES)
    base = git(checkout, "rev-parse", "HEAD")
    commit_files(checkout, {"old/gone.txt": "x\n"}, "Old")
    git(checkout, "branch", "ahead")
    git(checkout, "checkout", "--quiet", "-b", "theirs")
    theirs = commit_files(checkout, {"src/app.py": "1\n2\ntheirs\n", "theirs.txt": "t\n"}, "Theirs")
    git(checkout, "checkout", "--quiet", "main")
    ours = commit_files(checkout, {"src/app.py": "ours\n2\n3\n"}, "Ours")
    git(checkout, "tag", "-a", "-m", "First", "v1", base)
    write_files(checkout, {"README.md": "stashed\n"})
    git(checkout, "stash", "--quiet")
    git(checkout, "worktree", "add", "--quiet", str(folder / "linked"), "-b", "linked")
    write_files(folder / "linked", {"README.md": "linked, not committed\n"})
    git(checkout, "worktree", "add", "--quiet", "--detach", str(folder / "rebasing"), "theirs")
    rebase = checkout / ".git/worktrees/rebasing/rebase-merge"
    write_files(rebase, {"head-name": "refs/heads/theirs\n"})
    write_files(checkout, {"src/app.py": "not committed\n", "staged.txt": "staged\n", "new.txt": "new\n", "x.log": "ignored\n"})
    git(checkout, "add", "staged.txt")
    git(checkout, "add", "--intent-to-add", "new.txt")
    os.utime(checkout / "data.txt", (1, 1))  # a status that may write the index does so now
    git(checkout, "pack-refs", "--all")
    write_files(checkout, {".git/MERGE_MSG": "half written\n"})
    home = folder / "home"
    write_files(home, {".gitconfig": "[user]\n\tname = Ada\n\temail = ada@example.org\n"})
    watched = (folder / "linked", folder / "rebasing", home)
    return Scene(checkout=checkout, folder=folder, base=Oid(base), ours=Oid(ours), theirs=Oid(theirs), watched=watched)


@dataclass(kw_only=True)
class Made:
    """What the calls of one scenario left behind.

    What they changed of the user's, how they ended, which code ran, the git commands with their input, the refs before and after,
    which traps fired, and what is left running or open.
    """

    changed: dict[str, tuple[str | None, str | None]]
    error: BaseException | None
    ran: set[CodeType]
    commands: list[tuple[list[str], bytes]]
    before: dict[str, str]
    after: dict[str, str]
    fired: list[str]
    left_running: list[str]
    left_open: int


def play(scene: Scene, scenarios: dict[Callable[[Scene], object], list[str]], traps: Path) -> dict[str, Made]:
    """Plays each scenario and looks around after it; the answer is by the first call that it plays. A trap is a file that a program leaves in `traps`."""
    traps.mkdir(exist_ok=True)
    return {names[0]: _made(scene, scenario, traps) for scenario, names in scenarios.items()}


def _made(scene: Scene, scenario: Callable[[Scene], object], traps: Path) -> Made:
    for path in traps.iterdir():
        path.unlink()
    process, real = psutil.Process(), git_file._run
    commands: list[tuple[list[str], bytes]] = []
    ran: set[CodeType] = set()

    def noted(request: git_file._Request) -> git_file.Completed:
        commands.append((list(request.command), request.stdin))
        return real(request)

    before, refs_before, descriptors, error = scene.fingerprint(), _refs(scene), process.num_fds(), None
    # Other tests of this process may have children of their own.
    others = set(process.children(recursive=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(git_file, "_run", noted)
        sys.setprofile(lambda frame, *_: ran.add(frame.f_code))
        try:
            scenario(scene)
        except Exception as raised:  # noqa: BLE001  told by the test that looks at it
            error = raised
        finally:
            sys.setprofile(None)
    fired, after = sorted(path.name for path in traps.iterdir()), scene.fingerprint()
    return Made(
        changed={key: (before.get(key), after.get(key)) for key in {*before, *after} if before.get(key) != after.get(key)},
        error=error,
        ran=ran,
        commands=commands,
        before=refs_before,
        after=_refs(scene),
        fired=fired,
        left_running=[child.name() for child in process.children(recursive=True) if child not in others],
        left_open=process.num_fds() - descriptors,
    )


def _refs(scene: Scene) -> dict[str, str]:
    lines = git(scene.checkout, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)
