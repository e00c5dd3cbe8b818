"""`workspace/symbol`: every requirement, criterion, task and property below the folders of a window, and of whatever is open.

Spec folders are looked for when somebody asks, in a thread; where the editor tells of changed files, only after it told of one. Of each folder only the
symbols are kept, and they are read again where one of its files changed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.uris import from_fs_path, to_fs_path

from specthread.engine.spec_folder import documents_in, is_text, name_in
from specthread.protocol.lsp.language_place import Document, Language
from specthread.protocol.lsp.language_shape import symbol_at
from specthread.protocol.lsp.shelf import Shelf, read_file, stamp_of
from specthread.protocol.lsp.texts import Encoding, Text
from specthread.spec.dialects import SPEC_ROOTS, detect, document_of, place_of
from specthread.spec.document import TASKS
from specthread.spec.levels import AS_WRITTEN
from specthread.spec.spec import read_spec
from specthread.views.assist.index import Index
from specthread.views.assist.outline import flat, outline

MOST_SYMBOLS = 1_000
"""Symbols told for one question; nobody reads more."""
MOST_FOLDERS = 50_000
"""Folders looked into below one root."""
_SKIPPED = frozenset({"node_modules", "venv", "target", "dist", "build", "__pycache__"})


class _Found(NamedTuple):
    """The symbols of a spec folder, as they were when its files had these times and sizes."""

    stamps: Mapping[Path, tuple[int, int]]
    symbols: Sequence[lsp.SymbolInformation]


def install(language: Language) -> None:
    """Registers the feature."""
    finder = _Finder(language)

    @language.editor.feature(lsp.WORKSPACE_SYMBOL)
    async def search(params: lsp.WorkspaceSymbolParams) -> list[lsp.SymbolInformation]:
        return await finder.search(params.query)

    @language.editor.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def changed(_: lsp.DidChangeWatchedFilesParams) -> None:
        finder.is_fresh = False


class _Finder:
    """What was found below the folders of a window; `is_fresh` while nothing changed since."""

    def __init__(self, language: Language) -> None:
        self.is_fresh = False
        self._language = language
        self._found: Mapping[Path, _Found] = {}
        self._roots: frozenset[str] = frozenset()
        self._is_watched = False
        self._asked = False

    async def search(self, query: str) -> list[lsp.SymbolInformation]:
        """Returns what has each word of the query in its name."""
        self._watch()
        workspace = self._language.editor.workspace
        roots = frozenset(path for folder in workspace.folders.values() if (path := to_fs_path(folder.uri)))
        roots = roots or frozenset(filter(None, (workspace.root_path,)))
        if not self.is_fresh or roots != self._roots:
            # A change that is told while the thread looks around makes the next question look again.
            self.is_fresh, self._roots = self._is_watched, roots
            self._found = await asyncio.to_thread(_look, roots, self._found, self._language.session.encoding)
        opened = [each for shelf in self._language.shelves.opened() for each in self._symbols(shelf)]
        shown = {to_fs_path(each.location.uri) for each in opened}
        rest = (each for found in self._found.values() for each in found.symbols if to_fs_path(each.location.uri) not in shown)
        matching = (each for each in (*opened, *rest) if _has_words(each.name.casefold(), query.casefold()))
        return [each for each, _ in zip(matching, range(MOST_SYMBOLS), strict=False)]

    def _symbols(self, shelf: Shelf) -> Iterator[lsp.SymbolInformation]:
        for name in shelf.index.spec.sources:
            yield from _symbols(self._language.on_shelf(shelf, name))

    def _watch(self) -> None:
        """Asks the editor, once, to tell of changed files."""
        workspace = self._language.editor.client_capabilities.workspace
        watched = workspace.did_change_watched_files if workspace is not None else None
        if watched is not None and watched.dynamic_registration and not self._asked:
            self._asked = True
            self._language.session.begin(self._ask_to_watch())

    async def _ask_to_watch(self) -> None:
        options = lsp.DidChangeWatchedFilesRegistrationOptions(watchers=[lsp.FileSystemWatcher(glob_pattern="**/*.md")])
        method = lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES
        registration = lsp.Registration(id="specthread-files", method=method, register_options=options)
        try:
            await self._language.editor.client_register_capability_async(lsp.RegistrationParams(registrations=[registration]))
        except JsonRpcException:
            return  # it will not; then every question looks again
        self._is_watched = True


def _has_words(name: str, query: str) -> bool:
    # Letters in order, as editors match names of code, would find every criterion: those are sentences.
    return all(word in name for word in query.split())


def _look(roots: Iterable[str], before: Mapping[Path, _Found], encoding: Encoding) -> Mapping[Path, _Found]:
    """Returns the symbols of every spec folder below the roots; called in a thread."""
    folders = dict.fromkeys(folder for root in sorted(roots) for folder in _spec_folders(root))
    return {folder: _of_folder(folder, before.get(folder), encoding) for folder in folders}


def _spec_folders(root: str) -> Iterator[Path]:
    for count, (here, below, files) in enumerate(os.walk(root)):
        if count >= MOST_FOLDERS:
            return
        below[:] = sorted(name for name in below if is_text(name) and name not in _SKIPPED and (name[0] != "." or name in SPEC_ROOTS))
        named = next((name for name in files if document_of(name) is not None), None)
        if named is not None and (place := place_of(f"{here}/{named}")) is not None:
            yield Path(place[0])


def _of_folder(folder: Path, before: _Found | None, encoding: Encoding) -> _Found:
    stamps = {path: stamp for path in documents_in(folder) if (stamp := stamp_of(path)) is not None}
    if before is not None and before.stamps == stamps:
        return before
    files = {path: found for path in stamps if (found := read_file(path, None)) is not None}
    contents = {name_in(folder, path): found.content for path, found in files.items()}
    first = next(iter(files), folder)
    index = Index(read_spec(contents, detect(str(first), contents.get(TASKS, b""))))
    uris = {name_in(folder, path): from_fs_path(str(path)) or "" for path in files}
    shelf = Shelf(index=index, uris=uris, versions={}, folder=folder, levels=AS_WRITTEN, root=folder, notes={})
    documents = [Document(shelf, name, Text(content, encoding)) for name, content in contents.items()]
    return _Found(stamps, [symbol for document in documents for symbol in _symbols(document)])


def _symbols(document: Document) -> Iterator[lsp.SymbolInformation]:
    """Yields what has a name of its own in a document; headings alone have not, and editors find them without us."""
    for entry, around in flat(outline(document.spec, document.name)):
        if entry.kind != "section":
            yield symbol_at(document, entry, around)
