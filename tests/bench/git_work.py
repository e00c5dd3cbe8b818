"""What sessions do to a repository: a long transcript, worktrees that come and go, merges looked at in memory."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from bench.document_commit import fill
from bench.measure import Figure, Step, beside, in_turn, median
from specgit.commits import CommitRequest, Writer
from specgit.known import KnownFiles
from specgit.maintenance import is_worthwhile, pack_loose
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.session_log import turn_path
from specgit.types import Oid, Person, spec_refs
from specgit.worktrees import Worktrees
from support.git_fixture import git, make_repository

WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADA = Person(name="Ada", email="ada@example.org")
REFS = spec_refs("add-json-7k3f")
TURNS = 1_000
LARGEST_MB = 5.0
FLAT = 1.5
FILES = 50_000
BRANCHES = 8


def figures() -> list[Figure]:
    """Returns the figures of the git work around sessions."""
    with tempfile.TemporaryDirectory() as folder:
        small = make_repository(Path(folder, "small"), {"README.md": "A repository.\n"})
        large = make_repository(Path(folder, "large"), {"README.md": "A repository.\n"})
        fill(large, FILES)
        git(large, "reset", "--quiet", "--hard")
        return [_transcript(small), *asyncio.run(_worktrees(large, Path(folder))), *asyncio.run(_merges(large))]


def _transcript(path: Path) -> Figure:
    """One commit per turn, as a session makes them, with the daemon's upkeep between them."""
    repository, before = Repository.open(path), _size(path)
    writer = Writer(repository)
    taken: list[float] = []
    for turn in range(1, TURNS + 1):
        text = "".join(f"Line {line} of turn {turn}: {hash((turn, line)):x}\n" for line in range(40))
        files = {turn_path("add-json-7k3f", "ws-1", turn): text.encode()}
        started = time.perf_counter()
        writer.commit([CommitRequest(ref=REFS.specs, message=f"Turn {turn}", author=ADA, when=WHEN, event=f"turn-{turn}", files=files)])
        taken.append((time.perf_counter() - started) * 1000)
        if turn % 50 == 0 and is_worthwhile(repository):
            pack_loose(repository)
    pack_loose(repository)
    grown, share = (_size(path) - before) / 1e6, TURNS // 10
    first, last = median(taken[:share]), median(taken[-share:])
    return Figure(
        name=f"transcript of {TURNS:,} turns, a commit each",
        target=f"≤ {LARGEST_MB:g} MB, last tenth ≤ {FLAT:g} x the first",
        measured=f"{grown:.1f} MB; {first:.1f} ms, then {last:.1f} ms a turn",
        holds=grown <= LARGEST_MB and last <= FLAT * first,
        numbers={"megabytes": grown, "first_tenth": first, "last_tenth": last},
    )


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (path / ".git").rglob("*") if file.is_file())


async def _worktrees(path: Path, folder: Path) -> list[Figure]:
    repository = Repository.open(path)
    worktrees, start = Worktrees(repository), repository.head().oid
    numbers = count(1)

    async def ours() -> None:
        where = folder / f"ours-{next(numbers)}"
        worktrees.add_detached(where, start)
        worktrees.remove(where, keep=None)

    async def theirs() -> None:
        where = folder / f"theirs-{next(numbers)}"
        git(path, "worktree", "add", "--quiet", "--detach", str(where), start)
        git(path, "worktree", "remove", str(where))

    mine, floor = await in_turn([ours, theirs], rounds=2)
    again, whole = await _looks(worktrees, folder / "looked-at", start)
    return [
        beside(f"worktree looked at again, {FILES:,} files", again, whole, floor_name="reading every file", ratio=0.35),
        beside(f"worktree made and removed, {FILES:,} files", mine, floor, floor_name="git worktree add + remove", ratio=1.5),
    ]


async def _looks(worktrees: Worktrees, path: Path, start: Oid) -> list[list[float]]:
    """Looks ahead after one turn: a few files are new, all others are known by their stat data."""
    worktrees.add_detached(path, start)
    known, numbers = KnownFiles(), count(1)
    await asyncio.sleep(2.1)  # until the files are no longer as young as the clock is coarse
    worktrees.scan(path, against=start, known=known)

    async def look(known: KnownFiles | None) -> None:
        (path / f"new_{next(numbers)}.py").write_text("One more.\n")
        assert worktrees.scan(path, against=start, known=known).files

    return await in_turn([lambda: look(known), lambda: look(None)], rounds=5)


async def _merges(path: Path) -> list[Figure]:
    tips = _branches(path)
    merger = Merger(Repository.open(path))
    one, other, *_ = tips.values()

    async def preview() -> None:
        assert merger.preview(one, other).conflicts

    async def matrix() -> None:
        assert len(merger.matrix(tips)) == BRANCHES * (BRANCHES - 1) // 2

    previews, bare, pairs, each = await in_turn(
        [preview, _bare(path, [(one, other)]), matrix, _bare(path, [(a, b) for a in tips.values() for b in tips.values() if a < b])],
        rounds=10,
        warm=2,
    )
    return [
        beside(f"merge looked at, {FILES:,} files", previews, bare, floor_name="git merge-tree", ratio=2.5),
        beside(f"matrix of {BRANCHES} branches", pairs, each, floor_name="git merge-tree for each pair", ratio=0.5),
    ]


def _branches(path: Path) -> dict[str, Oid]:
    """Branches of which each two change one file in common."""
    start, tips = git(path, "rev-parse", "HEAD"), {}
    for number in range(BRANCHES):
        body = f"branch {number}\n"
        stream = (
            f"commit refs/heads/b{number}\ncommitter Ada <ada@example.org> 1772366400 +0000\ndata 4\nWork\nfrom {start}\n"
            f"M 100644 inline README.md\ndata {len(body)}\n{body}\nM 100644 inline src/1/new_{number}.py\ndata {len(body)}\n{body}\n"
        )
        git(path, "fast-import", "--quiet", stdin=stream.encode())
        tips[f"b{number}"] = Oid(git(path, "rev-parse", f"b{number}"))
    return tips


def _bare(path: Path, pairs: list[tuple[Oid, Oid]]) -> Step:
    def look(one: Oid, other: Oid) -> None:
        args = ["git", "merge-tree", "--write-tree", "--name-only", "--no-messages", one, other]
        subprocess.run(args, cwd=path, capture_output=True, check=False, env={"PATH": os.environ["PATH"]})

    async def step() -> None:
        for one, other in pairs:
            look(one, other)

    return step
