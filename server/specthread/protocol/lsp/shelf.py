"""The specs around open documents, as they read at this moment: what is open in the editor over what is live, or over what is on the disk.

A *shelf* holds the documents that are read together: those of a SpecTask, or of one spec folder anywhere on the disk. It is read again at the price of what
changed since it was last asked for: files only where their time or size is another, and of the texts only the stretches that differ. Everything is a plain
function call; nothing has to be told, and nothing waits.
"""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from specthread.domain.ids import SpecTaskId
from specthread.domain.model import SpecTask
from specthread.engine.spec_folder import documents_in, name_in
from specthread.protocol.port import Ports
from specthread.spec import dialects
from specthread.spec.dialects import SPEC_ROOTS, Dialect, detect
from specthread.spec.document import TASKS, DocumentName
from specthread.spec.levels import CheckSettings, Levels
from specthread.spec.lint_approval import RECORDS
from specthread.spec.spec import Around, Spec, read_spec
from specthread.views.assist.index import Index
from specthread.views.assist.live import task_notes

MOST_BYTES = 5_000_000
"""Documents above this size are not read."""
_MOST_SHELVES = 16
"""Shelves kept for when they are asked for again."""

ShelfKey = SpecTaskId | Path


class Place(NamedTuple):
    """Which document a path is: its shelf, its name there, and the folder that names count from."""

    key: ShelfKey
    name: DocumentName
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Documents read together. `uris` are the editor's own addresses where it has a document open; `root` is where paths in tasks count from.

    `versions` are those of the open documents.
    """

    index: Index
    uris: Mapping[DocumentName, str]
    versions: Mapping[DocumentName, int | None]
    folder: Path
    levels: Levels
    root: Path
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The texts of a shelf, and of the open ones the version they belong to, those too large to be read included."""

    spectask: SpecTask | None
    dialect: Dialect
    contents: Mapping[DocumentName, bytes]
    uris: Mapping[DocumentName, str]
    versions: Mapping[DocumentName, int | None]
    around: Around
    settings: CheckSettings


class File(NamedTuple):
    """A file's content, and its time and size when it was read."""

    stamp: tuple[int, int]
    content: bytes


@dataclass(frozen=True, slots=True)
class _Kept:
    contents: Mapping[DocumentName, bytes]
    index: Index


@dataclass(slots=True)
class ShelfReader:
    """Reads the shelves of one editor."""

    ports: Ports
    editor: LanguageServer
    _kept: OrderedDict[ShelfKey, _Kept] = field(default_factory=OrderedDict)
    _files: dict[Path, dict[Path, File]] = field(default_factory=dict)

    def at(self, uri: str) -> tuple[Shelf, DocumentName] | None:
        """Returns the shelf of a document and its name on it; None for whatever is no document of a spec."""
        place = self.place(uri)
        shelf = self._read(place) if place is not None else None
        return (shelf, place.name) if shelf is not None and place is not None and place.name in shelf.uris else None

    def opened(self) -> Iterator[Shelf]:
        """Yields the shelf of every open document, each once."""
        places = [place for uri in self.editor.workspace.text_documents if (place := self.place(uri)) is not None]
        for place in {each.key: each for each in places}.values():
            if (shelf := self._read(place)) is not None:
                yield shelf

    def place(self, uri: str) -> Place | None:
        """Returns which document an address is; None for whatever is no document of a spec."""
        path = to_fs_path(uri) if uri.startswith("file:") else None
        return place_of(self.ports, path) if path is not None else None

    def gather(self, place: Place) -> Gathered:
        """Returns the texts of the shelf of a document as they are now; those too large for a spec are left out."""
        spectask = None if isinstance(place.key, Path) else self.ports.engine.visible.spectasks.get(place.key)
        documents = self.editor.workspace.text_documents
        opened = {other.name: uri for uri in documents if (other := self.place(uri)) is not None and other.key == place.key}
        shown = {name: text for name, uri in opened.items() if len(text := documents[uri].source.encode("utf-8", "replace")) <= MOST_BYTES}
        if spectask is not None:
            below = {DocumentName(name): (document.path, document.content) for name, document in spectask.documents.items()}
            paths = {name: place.folder / path for name, (path, _) in below.items()}
            contents = {name: content for name, (_, content) in below.items() if name not in opened} | shown
            records = {}
        else:
            files = self._on_disk(place.folder, {place.folder / f"{name}.md" for name in opened})
            paths = {name_in(place.folder, path): path for path in files if path.name not in RECORDS}
            contents = {name: files[path].content for name, path in paths.items()} | shown
            records = {path.name: file.content for path, file in files.items() if path.name in RECORDS}
        uris = {name: from_fs_path(str(path)) or "" for name, path in paths.items()} | opened
        settings = self.ports.check_settings_at(Path(spectask.repository) if spectask is not None else place.folder)
        return Gathered(
            spectask=spectask,
            dialect=_dialect(place, spectask, contents),
            contents=contents,
            uris={name: uris[name] for name in contents},
            versions={name: documents[uri].version for name, uri in opened.items()},
            around=Around(records, settings.systems),
            settings=settings,
        )

    def keep(self, key: ShelfKey, contents: Mapping[DocumentName, bytes], spec: Spec) -> None:
        """Notes what somebody else read of a shelf already."""
        self._put(key, _Kept(contents, Index(spec)))

    def _read(self, place: Place) -> Shelf | None:
        gathered = self.gather(place)
        if not gathered.contents:
            return None
        spectask = gathered.spectask
        return Shelf(
            index=self._index(place.key, gathered),
            uris=gathered.uris,
            versions=gathered.versions,
            folder=place.folder,
            levels=gathered.settings.levels,
            root=Path(spectask.repository) if spectask is not None else root_of(place.folder),
            notes=task_notes(spectask) if spectask is not None else {},
        )

    def _index(self, key: ShelfKey, gathered: Gathered) -> Index:
        kept = self._kept.get(key)
        before = kept.index.spec if kept is not None else None
        same = before is not None and (before.dialect, before.around) == (gathered.dialect, gathered.around)
        if kept is None or not same or kept.contents != gathered.contents:
            index = Index(read_spec(gathered.contents, gathered.dialect, before, gathered.around))
            kept = _Kept(gathered.contents, index)
        self._put(key, kept)
        return kept.index

    def _put(self, key: ShelfKey, kept: _Kept) -> None:
        self._kept.pop(key, None)
        self._kept[key] = kept
        while len(self._kept) > _MOST_SHELVES:
            oldest, _ = self._kept.popitem(last=False)
            if isinstance(oldest, Path):
                self._files.pop(oldest, None)

    def _on_disk(self, folder: Path, opened: set[Path]) -> Mapping[Path, File]:
        """Returns the documents of a folder that the editor has not open, and the records beside them, read again where they changed."""
        before = self._files.get(folder, {})
        files: dict[Path, File] = {}
        for path in (*documents_in(folder), *(folder / name for name in RECORDS)):
            found = None if path in opened else read_file(path, before.get(path))
            if found is not None:
                files[path] = found
        self._files[folder] = files
        return files


def place_of(ports: Ports, path: str) -> Place | None:
    """Returns which document a path is: a live one on a desk, or one of a spec folder; None for other files."""
    if path[-3:].casefold() != ".md":  # most of what is open; links are followed for none of it
        return None
    live = live_document(ports, path)
    if live is not None:
        spectask, name, desk = live
        return Place(spectask, DocumentName(name), desk)
    found = dialects.place_of(path)
    return Place(Path(found[0]), found[1], Path(found[0])) if found is not None else None


def live_document(ports: Ports, path: str) -> tuple[SpecTaskId, str, Path] | None:
    """Returns the SpecTask, the name and the desk of the live document at a path; None where the path is not on a desk."""
    try:
        inside = Path(os.path.realpath(path)).relative_to(ports.state_folder / "desk")
    except (ValueError, OSError):
        return None
    if len(inside.parts) < 3:  # noqa: PLR2004  repository, SpecTask, file
        return None
    spectask = ports.engine.visible.spectasks.get(SpecTaskId(inside.parts[1]))
    wanted = "/".join(inside.parts[2:])
    documents = spectask.documents.values() if spectask is not None else ()
    name = next((document.name for document in documents if document.path == wanted), None)
    return (SpecTaskId(inside.parts[1]), name, ports.state_folder / "desk" / Path(*inside.parts[:2])) if name is not None else None


def read_file(path: Path, before: File | None) -> File | None:
    """Returns a file's content, as it was read before where nothing changed; None for what is no plain file, or too large for a spec."""
    stamp = stamp_of(path)
    if stamp is None or (before is not None and before.stamp == stamp):
        return before if stamp is not None else None
    try:
        return File(stamp, path.read_bytes())
    except OSError:
        return None


def stamp_of(path: Path) -> tuple[int, int] | None:
    """Returns the time and the size of a file; None for what is no plain file, or too large for a spec."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES else None


def root_of(folder: Path) -> Path:
    """Returns the repository that a spec folder most likely speaks of: the folder around the outermost one that holds specs."""
    for above in (folder, *folder.parents):
        if above.name in SPEC_ROOTS and above.parent.name not in SPEC_ROOTS:
            return above.parent
    return folder


def _dialect(place: Place, spectask: SpecTask | None, contents: Mapping[DocumentName, bytes]) -> Dialect:
    return spectask.dialect if spectask is not None else detect(f"{place.folder}/{place.name}.md", contents.get(TASKS, b""))
