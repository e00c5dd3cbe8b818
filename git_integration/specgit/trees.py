"""Committed files on disk exactly as they are in git: no filter, no line-end conversion, no hook."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from specgit.errors import ObjectMissing, writing
from specgit.folder import Folder
from specgit.repository import Repository, TreeEntry
from specgit.sparse import Cone, mark_absent
from specgit.types import Oid

_BATCH_BYTES = 32 << 20


@writing()
def export_tree(repository: Repository, tree_or_commit: Oid, folder: Path) -> None:
    """Writes all files of a tree below `folder`, which is made when it is missing; submodules become empty folders."""
    folder.mkdir(parents=True, exist_ok=True)
    write_entries(repository, repository.entries(tree_or_commit), folder)


def write_index(repository: Repository, treeish: Oid, path: Path, cone: Cone | None = None) -> None:
    """Writes a new index file at `path` that lists the tree's files, those outside a cone as not checked out; no worktree and no other index is looked at."""
    repository.runner.run(["read-tree", "--end-of-options", treeish], env={"GIT_INDEX_FILE": str(path)})
    if cone is not None:
        outside = [entry.path for entry in repository.entries(treeish) if not cone.holds(entry.path)]
        with tempfile.TemporaryDirectory(prefix="specthread-index-") as nowhere:
            mark_absent(repository.runner, path, Path(nowhere), outside)


def tree_with(repository: Repository, tree: Oid, files: Mapping[str, bytes]) -> Oid:
    """Returns a tree that differs from `tree` in the content of these files, which are in it; nothing refers to it yet."""
    modes = {entry.path: entry.mode for entry in repository.entries(tree) if entry.path in files}
    with tempfile.TemporaryDirectory(prefix="specthread-tree-") as name:
        env = {"GIT_INDEX_FILE": str(Path(name, "index"))}
        repository.runner.run(["read-tree", "--end-of-options", tree], env=env)
        blobs = {path: repository.runner.run(["hash-object", "-w", "--stdin"], stdin=content).text for path, content in files.items()}
        lines = b"".join(f"{modes[path]} {blob}\t".encode() + os.fsencode(path) + b"\0" for path, blob in blobs.items())
        repository.runner.run(["update-index", "-z", "--index-info"], stdin=lines, env=env)
        return Oid(repository.runner.run(["write-tree"], env=env).text)


def write_entries(repository: Repository, entries: Sequence[TreeEntry], folder: Path) -> None:
    """Writes these files below `folder`, in place of whatever is there."""
    with Folder(folder) as target:
        for entry, content in read_blobs(repository, [entry for entry in entries if entry.kind == "blob"]):
            target.write(entry.path, entry.mode, content)
        for entry in entries:
            if entry.kind == "commit":
                target.make(entry.path)


def read_blobs(repository: Repository, entries: Sequence[TreeEntry]) -> Iterator[tuple[TreeEntry, bytes]]:
    """Yields the content of each entry, in order, holding about 32 MB at a time."""
    for batch in _batches(repository, entries):
        request = "".join(f"{entry.oid}\n" for entry in batch).encode()
        output = memoryview(repository.runner.run(["cat-file", "--batch"], stdin=request).stdout)
        for entry in batch:
            header_end = _line_end(output)
            size = _size_in(bytes(output[:header_end]), entry)
            yield entry, bytes(output[header_end + 1 : header_end + 1 + size])
            output = output[header_end + size + 2 :]


def read_small_blobs(repository: Repository, entries: Sequence[TreeEntry], largest: int) -> Iterator[tuple[TreeEntry, bytes | None]]:
    """Yields the content of each entry, or None in place of one that holds more than `largest` bytes."""
    sizes = _sizes(repository, entries)
    small = [entry for entry, size in zip(entries, sizes, strict=True) if size <= largest]
    yield from ((entry, None) for entry, size in zip(entries, sizes, strict=True) if size > largest)
    yield from read_blobs(repository, small)


def _sizes(repository: Repository, entries: Sequence[TreeEntry]) -> list[int]:
    request = "".join(f"{entry.oid}\n" for entry in entries).encode()
    lines = repository.runner.run(["cat-file", "--batch-check"], stdin=request).stdout.splitlines()
    return [_size_in(line, entry) for entry, line in zip(entries, lines, strict=True)]


def _batches(repository: Repository, entries: Sequence[TreeEntry]) -> Iterator[list[TreeEntry]]:
    if not entries:
        return
    batch: list[TreeEntry] = []
    total = 0
    for entry, size in zip(entries, _sizes(repository, entries), strict=True):
        batch.append(entry)
        total += size
        if total > _BATCH_BYTES:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _line_end(output: memoryview) -> int:
    return bytes(output[:200]).index(b"\n")


def _size_in(header: bytes, entry: TreeEntry) -> int:
    words = header.split(b" ")
    if words[1] != b"blob":
        raise ObjectMissing(
            f"The content of {entry.path} is not in this repository. In a partial clone, fetch it first with: git fetch --refetch"
        )
    return int(words[2])
