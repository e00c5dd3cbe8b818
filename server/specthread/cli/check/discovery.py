"""Where the specs are: every spec folder of every dialect below a path, each real file once.

Folders are told by their place (`.kiro/specs/<name>`, `openspec/changes/<id>`, …). A path that was named and lies in no such place is a spec
itself where it holds documents and no spec lies below it. Links are followed only inside those places, so a walk stays in its tree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from specthread.cli.outcome import OUTSIDE, USAGE, Failure
from specthread.spec.dialects import SPEC_ROOTS, document_of, is_spec_folder
from specthread.spec.document import TASKS, DocumentName


class SpecFolder(NamedTuple):
    """One spec: its folder, its documents with their paths, the names of those that were asked about, and the path that was named."""

    path: str
    files: dict[DocumentName, str]
    wanted: frozenset[DocumentName]
    named: str


class Trouble(NamedTuple):
    """Why something was not checked as a person may expect: its path, its line where there is one, a sentence, and the exit code."""

    path: str
    line: int | None
    message: str
    status: int


class Found(NamedTuple):
    """The specs below the named paths in the order of the paths, and why other paths cannot be checked."""

    folders: list[SpecFolder]
    troubles: list[Trouble]


def specs_below(paths: list[str], *, archived: bool) -> Found:
    """Finds every spec below the paths; a change that was archived counts where it is named, or with `archived`."""
    found = Found([], [])
    seen: set[tuple[int, int]] = set()
    for path in paths:
        try:
            for folder in _specs_at(path, found.troubles, archived=archived or _is_archived(path)):
                if (left := _unread(folder, seen)).files:
                    found.folders.append(left)
        except Failure as failure:
            found.troubles.append(trouble_of(path, failure))
    return found


def spec_at(path: str) -> SpecFolder:
    """Returns the one spec that a folder is, or a file by itself; a file of another name is read as tasks. Raises Failure."""
    if not os.path.isdir(path):
        name = DocumentName(os.path.splitext(os.path.basename(path))[0])
        name = name if document_of(os.path.basename(path)) else TASKS
        return SpecFolder(path, {name: path}, frozenset({name}), path)
    if files := _documents(path):
        return SpecFolder(path, files, frozenset(files), path)
    raise Failure("no-spec", f"There is no spec in {os.path.abspath(path)}.", NO_SPEC)


def trouble_of(path: str, failure: Failure) -> Trouble:
    """Says about a path why it was not checked."""
    return Trouble(path, None, f"{failure.message} {failure.hint}".strip(), failure.status)


def unreadable(path: str, error: OSError) -> Failure:
    """Says that a file or folder cannot be read."""
    return Failure("unreadable", f"{path} cannot be read: {error.strerror}.", "Correct the path, or who may read it.", status=OUTSIDE)


NO_SPEC: Final = (
    "Name a spec folder, one of its files, or a folder that has .specs, .kiro/specs, specs/001-…, openspec or .spec-workflow in it."
)

_CHANGE = re.compile(r".*/openspec/changes/(?!archive/?$)(?:archive/)?[^/]+(?=/|$)", re.DOTALL)
_NEAR_A_PLACE = re.compile(rf"/(?:{'|'.join(map(re.escape, SPEC_ROOTS))})(?:/|$)")
_ARCHIVED = re.compile(r"/(?:openspec/changes|\.spec-workflow)/archive(?:/|$)")
_SKIPPED: Final = frozenset({".git", ".hg", ".svn", ".jj", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox", ".mypy_cache"})


def _is_archived(path: str) -> bool:
    return _ARCHIVED.search(os.path.abspath(path)) is not None


def _specs_at(path: str, troubles: list[Trouble], *, archived: bool) -> Iterator[SpecFolder]:
    try:
        os.stat(path)
    except FileNotFoundError:
        raise Failure("unreadable", f"{path} is not there.", "Correct the path.", status=OUTSIDE) from None
    except OSError as error:
        raise unreadable(path, error) from error
    if not os.path.isdir(path):
        yield _around(path)
        return
    if change := _CHANGE.match(os.path.abspath(path)):
        yield _part(_shown(path, change[0]), path)
        return
    some = False
    for folder in _walked(path, troubles, archived=archived):
        some = True
        yield folder._replace(named=path)
    if not some and not (files := _documents(path)):
        raise Failure("no-spec", f"There is no spec at {os.path.abspath(path)}.", NO_SPEC)
    if not some:
        yield SpecFolder(path, files, frozenset(files), path)


def _around(path: str) -> SpecFolder:
    """The spec around a file, of which only that file was asked about."""
    place = os.path.abspath(path)
    if change := _CHANGE.match(place):
        return _part(_shown(path, change[0]), path)
    folder = os.path.dirname(path)
    if document_of(os.path.basename(path)):
        files = _documents(folder or ".")
        name = next((name for name, file in files.items() if os.path.basename(file) == os.path.basename(path)), None)
        if name is not None:
            return SpecFolder(folder, {**files, name: path}, frozenset({name}), path)
    elif is_spec_folder(os.path.dirname(place)):
        raise _no_document(path)
    return spec_at(path)


def _part(change: str, named: str) -> SpecFolder:
    """The change, of which the documents at or below a path were asked about."""
    files = _change_documents(change)
    place = os.path.abspath(named)
    wanted = frozenset(name for name, file in files.items() if f"{os.path.abspath(file)}/".startswith(f"{place}/"))
    if not wanted:
        raise _no_document(named)
    return SpecFolder(change, files, wanted, named)


def _no_document(path: str) -> Failure:
    message = f"{path} is none of the documents of a spec, so there is nothing to check in it."
    return Failure("no-document", message, NO_SPEC, status=USAGE)


def _shown(path: str, above: str) -> str:
    """The absolute folder as a person wrote paths: relative where they did."""
    return above if os.path.isabs(path) else os.path.relpath(above)


def _walked(top: str, troubles: list[Trouble], *, archived: bool) -> Iterator[SpecFolder]:
    entered: set[tuple[int, int]] = set()
    waiting = [(top, os.path.abspath(top))]
    while waiting:
        folder, place = waiting.pop()
        try:
            status = os.stat(folder)
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            troubles.append(trouble_of(folder, unreadable(folder, error)))
            continue
        if (status.st_dev, status.st_ino) in entered or (not archived and _ARCHIVED.search(place)):
            continue
        entered.add((status.st_dev, status.st_ino))
        if _CHANGE.fullmatch(place):
            files = _change_documents(folder)
        else:
            files = _named(folder, [entry.name for entry in entries]) if is_spec_folder(place) else {}
            below = [entry for entry in entries if entry.name not in _SKIPPED and _is_entered(entry, place)]
            waiting += [(_joined(folder, entry.name), f"{place}/{entry.name}") for entry in reversed(below)]
        if files:
            yield SpecFolder(folder, files, frozenset(files), top)


def _is_entered(entry: os.DirEntry[str], place: str) -> bool:
    try:
        return entry.is_dir(follow_symlinks=_NEAR_A_PLACE.search(f"{place}/{entry.name}") is not None)
    except OSError:
        return False


def _joined(folder: str, name: str) -> str:
    return name if folder in {"", "."} else os.path.join(folder, name)


def _documents(folder: str) -> dict[DocumentName, str]:
    if _CHANGE.fullmatch(os.path.abspath(folder)):
        return _change_documents(folder)
    try:
        return _named(folder, os.listdir(folder))
    except OSError:
        return {}


def _named(folder: str, names: list[str]) -> dict[DocumentName, str]:
    return {DocumentName(name[:-3]): _joined(folder, name) for name in sorted(names) if document_of(name)}


def _change_documents(change: str) -> dict[DocumentName, str]:
    """The documents of an OpenSpec change: its own, and below `specs` what it does to each capability."""
    files = {}
    entered: set[tuple[int, int]] = set()
    for folder, below, names in os.walk(change, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in entered:
            below.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        prefix = os.path.relpath(folder, change)
        below[:] = sorted(below) if prefix != "." else [name for name in below if name == "specs"]
        for name, path in _named(folder, names).items():
            if prefix == "." or name.casefold() == "spec":
                files[DocumentName(name if prefix == "." else f"{prefix}/{name}")] = path
    return files


def _unread(folder: SpecFolder, seen: set[tuple[int, int]]) -> SpecFolder:
    """The spec with those documents asked about that no other spec had; one that cannot be reached stays, to be told."""
    wanted = set()
    for name in folder.wanted:
        try:
            status = os.stat(folder.files[name])
        except OSError:
            wanted.add(name)
            continue
        if (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            wanted.add(name)
    return folder._replace(wanted=frozenset(wanted), files=folder.files if wanted else {})
