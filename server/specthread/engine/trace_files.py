"""Keeps a trace index true to files: those of a checkout, those of a commit, or those of a plain folder. Everything here blocks; call it in a thread.

What did not change is not read again: a file of a checkout has its size and times, one of a commit the name of its blob.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal, Protocol

from specgit.errors import GitError
from specgit.history import CommitFact
from specgit.repository import Repository
from specgit.trees import read_small_blobs
from specthread.spec.dialects import SPEC_ROOTS, detect, document_of, is_spec_folder
from specthread.spec.document import DocumentName
from specthread.spec.home import home_of
from specthread.spec.markers import LARGEST
from specthread.spec.spec import read_spec
from specthread.views.trace import TraceCommit, TraceIndex, TraceRules

TRAILERS = ("Spec-Task", "Spec-Requirement")
MOST_COMMITS = 1_000
LOG_SECONDS = 5.0
"""A history that takes longer to search is left out."""
MOST_FILES = 50_000
"""Files of a folder without git that are looked at."""
_Kind = Literal["document", "code", "other"]
_BORING = frozenset({"node_modules", "__pycache__", "venv", "target", "dist", "build"})
_REGULAR = frozenset({"100644", "100755"})


class Files(Protocol):
    """Files by their path below a root, and how to read them."""

    def stamps(self) -> Mapping[str, Hashable]:
        """Returns each file with something that changes when its content does."""

    def contents(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yields what files hold, None for what is too large; those that are gone are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingFiles:
    """Files below a root as they are on disk: those that belong to the repository where there is one, and all below the `walked` folders."""

    root: Path
    repository: Repository | None
    walked: tuple[str, ...]

    def stamps(self) -> Mapping[str, Hashable]:
        """Returns each file with its size and times; links are not followed."""
        own = self.repository.own_files() if self.repository is not None else ()
        names = chain(own, *(_below(self.root, folder) for folder in self.walked))
        return {name: stamp for name in names if (stamp := self._stamp(name)) is not None}

    def _stamp(self, name: str) -> Hashable | None:
        try:
            found = os.lstat(f"{self.root}/{name}")
        except (OSError, ValueError):
            return None
        return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino) if stat.S_ISREG(found.st_mode) else None

    def contents(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yields what the files hold now."""
        for path in paths:
            try:
                descriptor = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue
            with os.fdopen(descriptor, "rb") as file:
                content = file.read(LARGEST + 1)
            yield path, content if len(content) <= LARGEST else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedFiles:
    """The files of a commit."""

    repository: Repository
    commit: str

    def stamps(self) -> Mapping[str, Hashable]:
        """Returns each file with the name of its blob."""
        return {entry.path: entry for entry in self.repository.entries(self.commit) if entry.mode in _REGULAR}

    def contents(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yields what the files hold in the commit."""
        wanted = frozenset(paths)
        entries = [entry for entry in self.repository.entries(self.commit) if entry.path in wanted] if wanted else []
        yield from ((entry.path, content) for entry, content in read_small_blobs(self.repository, entries, LARGEST))


@dataclass(slots=True)
class TraceKeeper:
    """One index that follows files; threads may share it. `home` is a folder that holds a spec whatever its name says."""

    home: str = ""
    index: TraceIndex = field(default_factory=TraceIndex)
    _stamps: dict[str, Hashable] = field(default_factory=dict)
    _documents: dict[str, dict[DocumentName, bytes]] = field(default_factory=dict)
    _kinds: dict[str, _Kind] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, files: Files, rules: TraceRules) -> TraceIndex:
        """Returns the index of the files as they are now; code is only read where there is a spec it may speak of."""
        with self._lock:
            if rules != self.index.rules:
                self.index, self._stamps, self._documents, self._kinds = TraceIndex(rules=rules), {}, {}, {}
            present = files.stamps()
            self._kinds = {path: self._kinds.get(path) or self._kind(path) for path in present}
            read = {"document", "code"} if "document" in self._kinds.values() else set()
            now = {path: present[path] for path, kind in self._kinds.items() if kind in read}
            gone = self._stamps.keys() - now.keys()
            changed = sorted(path for path, stamp in now.items() if self._stamps.get(path) != stamp)
            self._take(files, changed, gone)
            self._stamps = now
            return self.index

    def copied(self) -> TraceKeeper:
        """Returns another keeper that knows the same, and goes its own way: to follow nearly the same files it has little to read."""
        with self._lock:
            documents = {home: dict(contents) for home, contents in self._documents.items()}
            return TraceKeeper(self.home, self.index, self._stamps, documents, self._kinds)

    def _kind(self, path: str) -> _Kind:
        if self._home_of(path) is not None:
            return "document"
        return "code" if self.index.rules.is_read(path) else "other"

    def _take(self, files: Files, changed: Iterable[str], gone: Iterable[str]) -> None:
        touched: set[str] = set()
        read = dict.fromkeys((*changed, *gone))
        for path, content in files.contents(changed):
            del read[path]
            if (at := self._home_of(path)) is not None:
                self._documents.setdefault(at[0], {})[at[1]] = content or b""
                touched.add(at[0])
            else:
                self.index = self.index.with_file(path, content) if content is not None else self.index.with_passed_over(path, "large")
        for path in read:  # gone, or gone meanwhile
            if (at := self._home_of(path)) is not None:
                self._documents.get(at[0], {}).pop(at[1], None)
                touched.add(at[0])
            self.index = self.index.with_file(path, None)
        for home in sorted(touched):
            self._read(home)

    def _home_of(self, path: str) -> tuple[str, DocumentName] | None:
        if self.home and path.startswith(f"{self.home}/"):
            return (self.home, DocumentName(path[len(self.home) + 1 :].rpartition(".")[0])) if document_of(path) else None
        return home_of(path)

    def _read(self, home: str) -> None:
        contents = self._documents.get(home)
        before = self.index.specs.get(home)
        if not contents:
            self._documents.pop(home, None)
            self.index = self.index.with_spec(home, None)
            return
        tasks = contents.get(DocumentName("tasks"), next(iter(contents.values())))
        spec = read_spec(dict(sorted(contents.items())), detect(home, tasks), before.spec if before else None)
        self.index = self.index.with_spec(home, spec)


def commits_of(repository: Repository, ref_or_range: str) -> tuple[TraceCommit, ...]:
    """Returns the newest commits that say by trailers what they are for; none where there is no such history, or it takes too long to search."""
    try:
        found = repository.log_with(TRAILERS, ref_or_range, limit=MOST_COMMITS, timeout=LOG_SECONDS)
    except GitError:
        return ()
    told = [fact for fact in found if any(key in TRAILERS for key, _ in fact.trailers)]
    # The last merge of a session stands for the commits that it brought.
    merges = {run: fact.oid for fact in reversed(told) if fact.parents[1:] and (run := _run_of(fact))}
    return tuple(_commit(fact) for fact in told if merges.get(_run_of(fact), fact.oid) == fact.oid)


def _run_of(fact: CommitFact) -> str:
    """The session of a commit without the number of its attempt."""
    return next((value.rpartition("/")[0] for key, value in fact.trailers if key == "Spec-Session"), "")


def _commit(fact: CommitFact) -> TraceCommit:
    told: dict[str, list[str]] = {}
    for key, value in fact.trailers:
        told.setdefault(key, []).append(value.strip())
    spec, _, task = (told.get("Spec-Task") or [""])[0].partition("/")
    ids: list[str] = []
    for value in told.get("Spec-Requirement", ()):
        # `user-auth#1.2` and `user-auth/1.2` name the spec too.
        named, _, written = value.replace("#", "/").rpartition("/")
        spec = spec or named
        ids += [each.strip() for each in written.split(",") if each.strip()]
    session = (told.get("Spec-Session") or [""])[0]
    return TraceCommit(fact.oid, fact.subject, spec, task, tuple(ids), session)


def root_of(path: Path) -> WorkingFiles | None:
    """Returns the files among which a path lies: those of its checkout, else of the folder that holds a spec folder; None where there is neither."""
    try:
        repository = Repository.open(path)
    except (GitError, OSError):
        repository = None
    if repository is not None and repository.checkout is not None:
        return WorkingFiles(root=repository.checkout, repository=repository, walked=())
    absolute = Path(os.path.realpath(path))
    above = next((folder for folder in (absolute, *absolute.parents) if _holds_specs(folder)), None)
    return WorkingFiles(root=above, repository=None, walked=("",)) if above is not None else None


def _holds_specs(folder: Path) -> bool:
    usual = any((folder / name).is_dir() for name in SPEC_ROOTS - {"specs"})
    return usual or any(is_spec_folder(f"specs/{below.name}") for below in (folder / "specs").glob("[0-9]*-*"))


def _below(root: Path, start: str) -> Iterator[str]:
    count = 0
    for folder, folders, names in os.walk(root / start):
        inside = os.path.relpath(folder, root)
        folders[:] = sorted(name for name in folders if name not in _BORING and (not name.startswith(".") or name in SPEC_ROOTS))
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                return
            yield name if inside == "." else f"{inside}/{name}".replace(os.sep, "/")
