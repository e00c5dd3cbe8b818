"""One commit onto a branch nobody has checked out, beside the ways other people make it; and the wait of each of eight writers at once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path

import pygit2
from git.index.typ import BaseIndexEntry
from gitdb.base import IStream

import git as git_python
from bench.document_commit import DOCUMENT, fill
from bench.measure import Figure, Step, at_most, compared, in_turn
from specgit.commits import CommitRequest, Writer
from specgit.repository import Repository
from specgit.types import Person, spec_refs
from support import commit_loop
from support.git_fixture import git, make_repository

WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADA = Person(name="Ada", email="ada@example.org")
PATH = ".specs/add-json-7k3f/requirements.md"
PEERS = ("GitPython IndexFile, no fsync", "pygit2 TreeBuilder, no fsync", "git add + git commit in a worktree, no fsync")
WRITERS, EACH, LIMIT = 8, 25, 200.0


def figures() -> list[Figure]:
    """Returns the figures for a small and for a large repository, and for many writers."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_beside_peers(Path(folder)), _many_writers(Path(folder))]


def _beside_peers(folder: Path) -> list[Figure]:
    found: list[Figure] = []
    for files, rounds in ((50, 50), (50_000, 6)):
        path = make_repository(folder / str(files), {"README.md": "A repository.\n"})
        fill(path, files)
        git(path, "reset", "--quiet", "--hard")
        steps = [_ours(path), _git_python(path), _pygit2(path), _naive(path, folder / f"naive-{files}")]
        ours, *peers = asyncio.run(in_turn(steps, rounds=rounds, warm=2))
        found += [
            compared(f"commit on the tree of main, {files:,} files", ours, peer, peer_name=name)
            for name, peer in zip(PEERS, peers, strict=True)
        ]
    return found


def _many_writers(folder: Path) -> Figure:
    path = make_repository(folder / "shared", {"README.md": "A repository.\n"})
    command = [sys.executable, commit_loop.__file__, str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen([*command, f"w{number}", "0", str(EACH)], stdout=subprocess.PIPE, env=environment) for number in range(WRITERS)
    ]
    lines = [line for process in processes for line in process.communicate(timeout=300)[0].decode().splitlines()]
    kept = int(git(path, "rev-list", "--count", spec_refs("a-7k3f").specs))
    if not len(lines) == kept == WRITERS * EACH:
        raise AssertionError(f"{len(lines)} commits were promised and {kept} are there")
    return at_most(
        f"{WRITERS} processes x {EACH} commits on one branch", [float(line.split()[2]) for line in lines], limit=LIMIT, tail=True
    )


def _contents() -> Sequence[bytes]:
    return [f"{DOCUMENT}\n{number}\n".encode() for number in range(200)]


def _ours(path: Path) -> Step:
    repository, contents = Repository.open(path), iter(_contents())
    writer, ref, start = Writer(repository), spec_refs("add-json-7k3f").feature, repository.head().oid

    async def step() -> None:
        request = CommitRequest(ref=ref, message="Edit", author=ADA, when=WHEN, files={PATH: next(contents)}, start=start)
        writer.commit([request])

    return step


def _git_python(path: Path) -> Step:
    repo, contents = git_python.Repo(path), iter(_contents())
    branch = repo.create_head("gitpython")

    async def step() -> None:
        content = next(contents)
        index = git_python.IndexFile.from_tree(repo, branch.commit.tree)
        blob = repo.odb.store(IStream("blob", len(content), BytesIO(content)))
        index.add([BaseIndexEntry((0o100644, blob.binsha, 0, PATH))], write=False)
        branch.set_commit(git_python.Commit.create_from_tree(repo, index.write_tree(), "Edit", parent_commits=[branch.commit]))

    return step


def _pygit2(path: Path) -> Step:
    repo, contents = pygit2.Repository(str(path)), iter(_contents())
    repo.branches.local.create("pygit2", repo[repo.head.target])
    ada = pygit2.Signature("Ada", "ada@example.org", int(WHEN.timestamp()), 0)

    def tree_with(tree: pygit2.Tree | None, parts: list[str], blob: pygit2.Oid) -> pygit2.Oid:
        builder = repo.TreeBuilder(tree) if tree is not None else repo.TreeBuilder()
        if not parts[1:]:
            builder.insert(parts[0], blob, pygit2.GIT_FILEMODE_BLOB)
            return builder.write()
        below = repo[tree[parts[0]].id] if tree is not None and parts[0] in tree else None
        builder.insert(parts[0], tree_with(below, parts[1:], blob), pygit2.GIT_FILEMODE_TREE)
        return builder.write()

    async def step() -> None:
        parent = repo.references["refs/heads/pygit2"].target
        tree = tree_with(repo[parent].tree, PATH.split("/"), repo.create_blob(next(contents)))
        repo.create_commit("refs/heads/pygit2", ada, ada, "Edit", tree, [parent])

    return step


def _naive(path: Path, worktree: Path) -> Step:
    numbers, contents = count(1), iter(_contents())
    git(path, "worktree", "add", "--quiet", str(worktree), "-b", "naive")

    async def step() -> None:
        target = worktree / PATH
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(next(contents))
        git(worktree, "add", PATH)
        git(worktree, "commit", "--quiet", "-m", f"Edit {next(numbers)}")

    return step
