"""What an agent left in its worktree, found by our own walk: git never looks at these files, so nothing they contain is ever run.

The agent may have put anything there: links out of the folder, a repository of its own, pipes, names that git would take for its own.
Every folder is opened without following links. What must not enter the history is left out and reported with a reason.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from specgit.folder import EXECUTABLE, SYMLINK, open_below
from specgit.ignore import ignored_paths
from specgit.import_stream import REGULAR
from specgit.include import Included
from specgit.known import KnownFiles
from specgit.repository import Repository, TreeEntry
from specgit.sparse import Cone
from specgit.types import Oid, danger_of

DropReason = Literal[
    "git-folder", "nested-repository", "gitmodules", "submodule", "protected", "special-file", "unreadable", "too-large", "copied-in"
]

_LARGEST = 100 << 20
"""Bytes of one file, and of all changed files together: they are held in memory until they are committed."""
_MOST_NEW_FILES = 20_000
_EVIDENCE_NAMES = {".gitattributes", ".gitignore"}
_TOOL_NAMES = {
    ".envrc",
    ".vscode",
    ".idea",
    ".zed",
    ".claude",
    ".codex",
    ".gemini",
    ".cursor",
    ".mcp.json",
    ".devcontainer",
    ".devcontainer.json",
}
"""What an editor, an agent or a shell reads, and may run, as soon as somebody opens the folder it lies in."""
_EVIDENCE_PATHS = (
    ".github",
    ".gitlab-ci.yml",
    ".gitlab",
    ".circleci",
    ".travis.yml",
    ".buildkite",
    ".drone.yml",
    ".woodpecker",
    ".woodpecker.yml",
    ".pre-commit-config.yaml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "jenkinsfile",
)

_NOTHING_INCLUDED = Included()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A file or folder that is left out of the commit."""

    path: str
    reason: DropReason


@dataclass(frozen=True, slots=True, kw_only=True)
class WorktreeScan:
    """How a worktree differs from a commit.

    `files` maps each changed or new path to mode and bytes; `evidence` names the changes a human should look at, such as CI files.
    """

    files: Mapping[str, tuple[str, bytes]]
    deleted: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    evidence: tuple[str, ...]

    @classmethod
    def empty(cls) -> "WorktreeScan":
        """How a worktree differs whose files are gone altogether: by nothing that could be kept."""
        return cls(files={}, deleted=(), dropped=(), evidence=())


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    stat: os.stat_result


@dataclass(slots=True)
class _Walk:
    """The state of one walk: what was seen, what is left out, and below which folders nothing is known."""

    repository: Repository
    root: int
    work_tree: Path
    tracked: Mapping[str, TreeEntry]
    tracked_folders: frozenset[str]
    places: Mapping[str, int]
    known: KnownFiles | None
    copied_in: Included
    dropped: list[Dropped] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)

    def drop(self, path: str, reason: DropReason) -> None:
        self.dropped.append(Dropped(path=path, reason=reason))


def scan_worktree(
    repository: Repository,
    path: Path,
    *,
    against: Oid,
    drop_prefixes: Sequence[str],
    known: KnownFiles | None = None,
    cone: Cone | None = None,
    copied_in: Included = _NOTHING_INCLUDED,
) -> WorktreeScan:
    """Compares the files of a worktree with a commit; ignored files that are not part of it are passed over.

    Without `known` every file is read; with it those that are known to be unchanged are not. With a `cone` a file outside of it that is not there is
    not deleted: it never was. Files that were `copied_in` from the user's checkout are not part of the work, under another name neither.
    """
    tracked = {entry.path: entry for entry in repository.entries(against)}
    if known is not None:
        known.begin(against, len(tracked))
    folders = frozenset(folder for name in tracked for folder in _folders_above(name))
    root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        places = {name: place for place, name in enumerate(tracked)} if known is not None else {}
        walk = _Walk(
            repository=repository,
            root=root,
            work_tree=path,
            tracked=tracked,
            tracked_folders=folders,
            places=places,
            known=known,
            copied_in=copied_in,
        )
        present = {found.path: found for found in _files(walk)}
        changed = dict(_changes(walk, _affordable(walk, present.values())))
    finally:
        os.close(root)
    unknown = {dropped.path for dropped in walk.dropped}
    deleted = [name for name, entry in tracked.items() if entry.kind == "blob" and name not in present and name not in unknown]
    deleted = [name for name in deleted if cone is None or cone.holds(name)]
    deleted = [name for name in deleted if not any(name.startswith(f"{folder}/") for folder in walk.sealed)]
    for name in [*changed, *deleted]:
        if reason := _protection_of(name, drop_prefixes):
            walk.drop(name, reason)
    unknown = {dropped.path for dropped in walk.dropped}
    files = {name: changed[name] for name in sorted(changed) if name not in unknown}
    gone = tuple(sorted(name for name in deleted if name not in unknown))
    dropped = tuple(sorted(walk.dropped, key=lambda item: item.path))
    return WorktreeScan(files=files, deleted=gone, dropped=dropped, evidence=evidence_in([*files, *gone]))


def evidence_in(paths: Sequence[str]) -> tuple[str, ...]:
    """Picks the paths that change what other tools do with a repository: attributes, ignore rules, CI definitions, settings of editors and agents."""
    return tuple(sorted(path for path in paths if _is_evidence(path)))


def _is_evidence(path: str) -> bool:
    named = path.rsplit("/", 1)[-1] in _EVIDENCE_NAMES or _is_below(path, _EVIDENCE_PATHS)
    return named or not _TOOL_NAMES.isdisjoint(path.casefold().split("/"))


def _files(walk: _Walk) -> Iterator[_Found]:
    """Walks level by level, so that one question about ignore rules serves a whole level."""
    level = [""]
    while level:
        found = [item for folder in level for item in _list_folder(walk, folder)]
        unknown = [item.path for item in found if item.path not in walk.tracked and item.path not in walk.tracked_folders]
        ignored = ignored_paths(walk.repository.runner, walk.work_tree, unknown)
        level = []
        for item in found:
            if item.path in ignored:
                continue
            if item.path in walk.copied_in.paths and item.path not in walk.tracked:
                walk.drop(item.path, "copied-in")
                continue
            if stat.S_ISDIR(item.stat.st_mode):
                level.append(item.path)
            elif stat.S_ISREG(item.stat.st_mode) or stat.S_ISLNK(item.stat.st_mode):
                yield item
            else:
                walk.drop(item.path, "special-file")


def _list_folder(walk: _Walk, folder: str) -> list[_Found]:
    """Lists one folder without what belongs to git; a folder that is a repository of its own is left out as a whole."""
    try:
        descriptor = open_below(walk.root, folder.split("/") if folder else [])
    except OSError:
        walk.drop(folder, "unreadable")
        walk.sealed.append(folder)
        return []
    try:
        names = sorted(os.listdir(descriptor))  # noqa: PTH208  a path cannot be listed by descriptor
        facts = {name: os.lstat(name, dir_fd=descriptor) for name in names}
        if ".gitignore" in facts and stat.S_ISFIFO(facts[".gitignore"].st_mode):
            os.unlink(".gitignore", dir_fd=descriptor)  # git would wait for its writer for ever
    finally:
        os.close(descriptor)
    entry = walk.tracked.get(folder)
    if entry is not None and entry.kind == "commit":
        if names:
            walk.drop(folder, "submodule")
        return []
    if folder and folder not in walk.tracked_folders and any(name.casefold() == ".git" for name in names):
        walk.drop(folder, "nested-repository")
        return []
    prefix = f"{folder}/" if folder else ""
    dangerous = {name for name in names if danger_of(name)}
    for name in sorted(dangerous):
        if not (not folder and name == ".git" and stat.S_ISREG(facts[name].st_mode)):
            walk.drop(prefix + name, "git-folder")
    return [_Found(prefix + name, facts[name]) for name in names if name not in dangerous]


def _affordable(walk: _Walk, present: Iterable[_Found]) -> Iterator[_Found]:
    """Yields the tracked files, then what is new, the smallest first; a new folder that is too much is left out as a whole."""
    new: dict[str, list[_Found]] = {}
    for found in present:
        if found.path in walk.tracked:
            yield found
        else:
            top = next((folder for folder in _folders_above(found.path) if folder not in walk.tracked_folders), found.path)
            new.setdefault(top, []).append(found)
    sizes = {top: sum(found.stat.st_size for found in group if found.stat.st_size <= _LARGEST) for top, group in new.items()}
    count = size = 0
    for top in sorted(new, key=lambda top: (sizes[top], top)):
        if count + len(new[top]) > _MOST_NEW_FILES or size + sizes[top] > _LARGEST:
            walk.drop(top, "too-large")
            continue
        count, size = count + len(new[top]), size + sizes[top]
        yield from new[top]


def _changes(walk: _Walk, present: Iterable[_Found]) -> Iterator[tuple[str, tuple[str, bytes]]]:
    held = 0
    for found in present:
        if walk.known is not None and found.path in walk.places and walk.known.holds(walk.places[found.path], found.stat):
            continue
        if found.stat.st_size > _LARGEST:
            walk.drop(found.path, "too-large")
            continue
        try:
            mode, content = _read(walk.root, found)
        except OSError:
            walk.drop(found.path, "unreadable")
            continue
        entry = walk.tracked.get(found.path)
        if entry is not None and (entry.mode, entry.oid) == (mode, _blob_id(content, walk.repository.object_format)):
            if walk.known is not None:
                walk.known.note(walk.places[found.path], found.stat)
            continue
        if walk.copied_in.holds(content):
            walk.drop(found.path, "copied-in")
            continue
        held += len(content)
        if held > _LARGEST:
            held -= len(content)
            walk.drop(found.path, "too-large")
        else:
            yield found.path, (mode, content)


def _read(root: int, found: _Found) -> tuple[str, bytes]:
    *folders, name = found.path.split("/")
    parent = open_below(root, folders)
    try:
        if stat.S_ISLNK(found.stat.st_mode):
            return SYMLINK, os.fsencode(os.readlink(name, dir_fd=parent))
        # A pipe put in the place of the file would block a plain open for ever.
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        with os.fdopen(descriptor, "rb") as file:
            return EXECUTABLE if found.stat.st_mode & stat.S_IXUSR else REGULAR, file.read(_LARGEST)
    finally:
        os.close(parent)


def _protection_of(path: str, drop_prefixes: Sequence[str]) -> DropReason | None:
    if path.rsplit("/", 1)[-1].casefold() == ".gitmodules":
        return "gitmodules"
    return "protected" if _is_below(path, drop_prefixes) else None


def _is_below(path: str, prefixes: Sequence[str]) -> bool:
    """Compares without case, since some file systems do."""
    plain = path.casefold()
    return any(plain == prefix or plain.startswith(f"{prefix}/") for prefix in (prefix.rstrip("/").casefold() for prefix in prefixes))


def _folders_above(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _blob_id(content: bytes, object_format: str) -> Oid:
    return Oid(hashlib.new(object_format, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest())
