"""Merging without a checkout, and without any merge program that a repository names."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from specgit.errors import UnsavedWork, error_from_git, writing
from specgit.folder import EXECUTABLE, Folder
from specgit.git import Completed, GitRunner
from specgit.import_stream import REGULAR
from specgit.repository import Repository, TreeEntry
from specgit.scan import WorktreeScan
from specgit.trees import read_blobs, tree_with, write_entries
from specgit.types import Oid
from specgit.view import sterile_view
from specgit.worktrees import Worktrees

_TOO_MANY_CONFLICTS = 128
_UNKNOWN_OPTION = 129
FileMerge = Callable[[str, bytes, bytes, bytes], bytes | None]
"""Merges the texts of one file, given its path, base, ours and theirs; None leaves it a conflict."""
_MARKERS = (b"<<<<<<< ", b">>>>>>> ")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePreview:
    """The tree a merge would have; where `conflicts` names paths, that tree holds conflict markers or one of both sides."""

    tree: Oid
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMerge:
    """A merged text, with conflict markers where `conflict` is set; a binary file then keeps our side."""

    content: bytes
    conflict: bool


def conflicts_between(view: GitRunner, pairs: Sequence[tuple[Oid, Oid]]) -> list[tuple[str, ...]]:
    """Merges each pair of commits in memory, all in one git process, and returns the paths that conflict; `view` shows no config but our own."""
    if not pairs:
        return []
    args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories"]
    asked = "".join(f"{one} {other}\n" for one, other in pairs)
    done = view.run([*args, "--stdin"], stdin=asked.encode(), check=False)
    if done.exit_code == _UNKNOWN_OPTION:  # git 2.38 takes one pair at a time
        return [_conflicts_of(view.run([*args, *pair], check=False), args)[1] for pair in pairs]
    if done.exit_code:
        raise error_from_git(["git", *args], done.exit_code, done.stderr)
    # Per pair: whether it is clean, the tree, each path that conflicts, and an empty field.
    answers = iter(os.fsdecode(done.stdout).split("\0"))
    return [tuple(iter(lambda: next(answers), ""))[2:] for _ in pairs]


def _conflicts_of(done: Completed, args: Sequence[str]) -> tuple[Oid, tuple[str, ...]]:
    """Reads what `merge-tree` says of one pair: the merged tree and the paths that conflict."""
    if done.exit_code not in {0, 1} or not done.stdout:  # 1 with a tree: conflicts; 1 without: no such commit
        raise error_from_git(["git", *args], done.exit_code, done.stderr)
    tree, *conflicts = done.text.removesuffix("\0").split("\0")
    return Oid(tree), tuple(conflicts)


class Merger:
    """Merges of one repository; none of them moves a ref."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def preview(self, ours: Oid, theirs: Oid) -> MergePreview:
        """Merges two commits in memory; attributes are not followed, so at worst a conflict too many is reported."""
        self._require_trees([(ours, theirs)])
        args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "ours", "theirs"]
        refs = {"refs/heads/ours": ours, "refs/heads/theirs": theirs}
        runner = self._repository.runner
        with sterile_view(runner, object_format=self._repository.object_format, refs=refs, env={}, bare=True) as view:
            done = view.run(args, check=False)
        tree, conflicts = _conflicts_of(done, args)
        return MergePreview(tree=tree, conflicts=conflicts)

    def settle(self, preview: MergePreview, ours: Oid, theirs: Oid, merge: FileMerge) -> MergePreview:
        """Has `merge` look at each file that conflicts and that both sides changed, and returns the merge with what it could bring together.

        Where the two have several bases, or none, nothing is settled: what either side changed is then not known.
        """
        bases = self._repository.runner.run(["merge-base", "--all", ours, theirs], check=False).text.split("\n")
        if not preview.conflicts or len(bases) != 1 or not bases[0]:
            return preview
        settled: dict[str, bytes] = {}
        for path in self._plain_files(preview, [bases[0], ours, theirs]):
            base, mine, other = (self._repository.read(commit, path) or b"" for commit in (bases[0], ours, theirs))
            if (merged := merge(path, base, mine, other)) is not None:
                settled[path] = merged
        if not settled:
            return preview
        left = tuple(path for path in preview.conflicts if path not in settled)
        return MergePreview(tree=tree_with(self._repository, preview.tree, settled), conflicts=left)

    def matrix(self, tips: Mapping[str, Oid]) -> dict[tuple[str, str], tuple[str, ...]]:
        """Merges each two of these commits in memory, all in one git process, and returns the paths that conflict, by the pair's names."""
        pairs = list(combinations(tips, 2))
        if pairs:
            self._require_trees([(tips[one], tips[other]) for one, other in pairs])
        with sterile_view(self._repository.runner, object_format=self._repository.object_format, refs={}, env={}, bare=True) as view:
            found = conflicts_between(view, [(tips[one], tips[other]) for one, other in pairs])
        return dict(zip(pairs, found, strict=True))

    def write_with_markers(self, path: Path, ours: Oid, theirs: Oid, *, drop_prefixes: Sequence[str] = ()) -> tuple[str, ...]:
        """Brings a merge into the files of a worktree that stands on `ours`; returns the conflicted paths.

        Files that the merge leaves alone are not touched. Raises UnsavedWork, before anything is written, where a file that it touches is neither as in `ours`
        nor, as a crash leaves it, as the merge makes it; what no commit of the worktree takes up, such as files below `drop_prefixes`, does not count.
        """
        preview = self.preview(ours, theirs)
        touched = set(self._repository.changed_paths(ours, preview.tree))
        entries = [entry for entry in self._repository.entries(preview.tree) if entry.path in touched]
        found = Worktrees(self._repository).scan(path, against=ours, drop_prefixes=drop_prefixes)
        if unsaved := self._unsaved(found, touched, entries):
            raise UnsavedWork(path, unsaved)
        with Folder(path) as folder:
            for name in sorted(touched - {entry.path for entry in entries}):
                folder.remove(name)
        write_entries(self._repository, entries, path)
        return preview.conflicts

    @writing()
    def merge_text(self, base: bytes, ours: bytes, theirs: bytes) -> TextMerge:
        """Merges two edits of one text line by line; the same edit on both sides is no conflict."""
        if theirs in (ours, base):
            return TextMerge(content=ours, conflict=False)
        if ours == base:
            return TextMerge(content=theirs, conflict=False)
        with tempfile.TemporaryDirectory(prefix="specthread-merge-") as name:
            files = [Path(name, side) for side in ("ours", "base", "theirs")]
            for file, content in zip(files, (ours, base, theirs), strict=True):
                file.write_bytes(content)
            labels = [word for label in ("ours", "base", "theirs") for word in ("-L", label)]
            done = self._repository.runner.run(["merge-file", "-p", *labels, *map(str, files)], check=False)
        if done.exit_code < 0 or done.exit_code >= _TOO_MANY_CONFLICTS:
            if "Cannot merge binary files" in done.stderr:
                return TextMerge(content=ours, conflict=True)
            raise error_from_git(["git", "merge-file"], done.exit_code, done.stderr)
        return TextMerge(content=done.stdout, conflict=done.exit_code > 0)

    def has_markers(self, tree: Oid, paths: Sequence[str], *, before: Sequence[Oid] = ()) -> tuple[str, ...]:
        """Returns those of `paths` that hold more conflict markers in `tree` than in any of the trees or commits `before`.

        A text about merging may hold markers by right.
        """
        known = [self._markers(earlier, paths) for earlier in before]
        found = self._markers(tree, paths)
        return tuple(path for path, count in found.items() if count > max((counts.get(path, 0) for counts in known), default=0))

    def _unsaved(self, found: WorktreeScan, touched: AbstractSet[str], merged: Sequence[TreeEntry]) -> list[str]:
        """Returns the touched files that hold something else than what is about to be written there, or its beginning."""
        changed = touched & found.files.keys()
        gone = {entry.path for entry in merged} & set(found.deleted)
        written = dict.fromkeys(changed, b"")
        for entry, content in read_blobs(self._repository, [entry for entry in merged if entry.path in changed and entry.kind == "blob"]):
            written[entry.path] = content
        return sorted(gone | {name for name in changed if not written[name].startswith(found.files[name][1])})

    def _plain_files(self, preview: MergePreview, commits: Sequence[str]) -> list[str]:
        """Returns the paths that conflict and are a file, no link, in all of these commits and in the merge itself."""
        paths = set(preview.conflicts)
        for treeish in (preview.tree, *commits):
            paths &= {entry.path for entry in self._repository.entries(treeish) if entry.mode in {REGULAR, EXECUTABLE}}
        return [path for path in preview.conflicts if path in paths]

    def _require_trees(self, pairs: Sequence[tuple[Oid, Oid]]) -> None:
        """Raises ObjectMissing where a partial clone lacks a tree that a merge starts from: git before 2.44 would take it for an empty one."""
        if not any((self._repository.git_dir / "objects" / "pack").glob("*.promisor")):
            return
        waiting, needed = list(pairs), set[Oid]()
        while waiting:
            one, other = waiting.pop()
            found = self._repository.runner.run(["merge-base", "--all", "--end-of-options", one, other], check=False)
            bases = [Oid(line) for line in found.text.split("\n") if line]
            needed |= {one, other, *bases}
            waiting += combinations(bases, 2)  # several bases are merged themselves
        for commit in needed:
            self._repository.tree_of(commit)

    def _markers(self, treeish: Oid, paths: Sequence[str]) -> dict[str, int]:
        """Counts the lines that begin like a conflict marker in each of these files."""
        wanted = set(paths)
        entries = [entry for entry in self._repository.entries(treeish) if entry.path in wanted and entry.kind == "blob"]
        return {
            entry.path: sum(line.startswith(_MARKERS) for line in content.split(b"\n"))
            for entry, content in read_blobs(self._repository, entries)
        }
