"""One document commit on the specs branch, beside the two git commands it cannot do without."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from bench.measure import Figure, Step, at_most, beside, in_turn
from specgit.commits import CommitRequest, Writer
from specgit.repository import Repository
from specgit.types import Person, spec_refs
from support.git_fixture import git, make_repository

WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADA = Person(name="Ada", email="ada@example.org")
DOCUMENT = "\n".join(f"{number}. WHEN the user asks, THE tool SHALL answer line {number}." for number in range(400))
COMMITTER = "Ada <ada@example.org> 1772366400 +0000"
BARE = ("git", "-c", "core.fsync=committed", "-c", "gc.auto=0", "-c", "core.hooksPath=/dev/null")


def figures() -> list[Figure]:
    """Returns the figures for a small and for a large repository."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for files, rounds in ((50, 100), (50_000, 60)):
            repository = make_repository(Path(folder, str(files)), {"README.md": "A repository.\n"})
            fill(repository, files)
            ours, floor = asyncio.run(in_turn([_ours(repository), _floor(repository)], rounds=rounds, warm=5))
            name = f"document commit, {files:,} files"
            found.append(at_most(name, ours, limit=15, tail=False))
            found.append(beside(name, ours, floor, floor_name="fast-import + update-ref", ratio=1.3))
    return found


def _ours(path: Path) -> Step:
    writer = Writer(Repository.open(path))
    ref = spec_refs("add-json-7k3f").specs
    numbers = count(1)

    async def step() -> None:
        number = next(numbers)
        writer.commit(
            [
                CommitRequest(
                    ref=ref,
                    message="Edit requirements",
                    author=ADA,
                    when=WHEN,
                    trailers=(("Spec-Task", "add-json-7k3f"),),
                    event=f"bench:{number}",
                    files={".specs/add-json-7k3f/requirements.md": f"{DOCUMENT}\n{number}\n".encode()},
                )
            ]
        )

    return step


def _floor(path: Path) -> Step:
    numbers = count(1)
    tip = ""

    async def step() -> None:
        nonlocal tip
        content = f"{DOCUMENT}\nbare {next(numbers)}\n".encode()
        stream = (
            f"feature done\ncommit refs/bench/scratch\nmark :1\ncommitter {COMMITTER}\ndata 18\nEdit requirements\n\n"
            + (f"from {tip}\n" if tip else "")
            + f"M 100644 inline .specs/bare/requirements.md\ndata {len(content)}\n"
        ).encode()
        new = _bare(path, ["fast-import", "--quiet", "--force"], stream + content + b"\nget-mark :1\ndone\n").strip()
        _bare(path, ["update-ref", "refs/heads/bare", new, tip or "0" * 40])
        tip = new

    return step


def _bare(path: Path, arguments: list[str], stdin: bytes = b"") -> str:
    done = subprocess.run([*BARE, *arguments], cwd=path, input=stdin, capture_output=True, check=True, env={"PATH": os.environ["PATH"]})
    return done.stdout.decode()


def fill(path: Path, files: int) -> None:
    """Commits so many files on main, two hundred to a folder."""
    parts = [f"commit refs/heads/main\ncommitter {COMMITTER}\ndata 5\nFill\n\nfrom refs/heads/main^0\n"]
    for number in range(files):
        body = f"print({number})\n"
        parts.append(f"M 100644 inline src/{number // 200}/module_{number}.py\ndata {len(body)}\n{body}\n")
    git(path, "fast-import", "--quiet", stdin="".join(parts).encode())
