"""What an editor has open: told to the desk, so that nothing unsaved is overwritten, and checked, so that the person sees what is wrong.

A *shelf* is the set of documents that are checked together: the live documents of a SpecTask, or the files of one spec folder anywhere on the disk. Checking
takes a moment for long documents, so it happens in a thread, once at a time for a shelf; what was typed meanwhile is checked next.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from lsprotocol import types as lsp
from pygls.uris import to_fs_path

from specthread.domain.model import SpecTask, SpecTaskId
from specthread.protocol.lsp import diagnostics
from specthread.protocol.lsp.session import Session
from specthread.protocol.port import Ports
from specthread.spec.dialects import is_spec_folder
from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS

NAMES = (REQUIREMENTS, BUGFIX, DESIGN, TASKS)


def install(session: Session) -> None:
    """Registers the handlers of open documents."""
    editor, shelves = session.editor, Shelves(session)

    @editor.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        shelves.open(params.text_document.uri)

    @editor.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        shelves.change(params.text_document.uri)

    # The text lets the relay forget the changes that led to it.
    @editor.feature(lsp.TEXT_DOCUMENT_DID_SAVE, lsp.SaveOptions(include_text=True))
    def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
        shelves.save(params.text_document.uri)

    @editor.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        shelves.close(params.text_document.uri)

    session.on_news.append(shelves.check)
    session.on_close.append(shelves.close_all)


class Shelves:
    """The open documents of one editor, by shelf."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._folders: dict[str, tuple[Path, str]] = {}
        """Open documents that are not live: their folder and name, by address."""
        self._checking: dict[SpecTaskId | Path, asyncio.Task[None]] = {}
        self._again: set[SpecTaskId | Path] = set()

    # --- what the editor tells ------------------------------------------------------------------------------------------------

    def open(self, uri: str) -> None:
        """Takes note of an opened document."""
        path = to_fs_path(uri)
        if path is None:
            return
        live = live_document(self._session.ports, path)
        if live is not None:
            self._session.shown[uri] = live
        elif Path(path).name.removesuffix(".md") in NAMES and is_spec_folder(path):
            self._folders[uri] = (Path(path).parent, Path(path).stem)
        self.change(uri)

    def change(self, uri: str) -> None:
        """Takes note of what a document reads now."""
        live = self._session.shown.get(uri)
        if live is not None:
            spectask, name = live
            self._enter(spectask)
            self._session.ports.engine.buffers(spectask).hold(name, self._session.key, self._session.text(uri))
            self.check(spectask)
        elif uri in self._folders:
            self.check(self._folders[uri][0])

    def save(self, uri: str) -> None:
        """Takes note of a save."""
        live = self._session.shown.get(uri)
        if live is not None:
            spectask, name = live
            self._enter(spectask)
            self._session.ports.engine.buffers(spectask).save(name, self._session.key)

    def close(self, uri: str) -> None:
        """Forgets a document; what was said about it is taken back."""
        live = self._session.shown.pop(uri, None)
        if live is not None:
            self._session.ports.engine.buffers(live[0]).drop(live[1], self._session.key)
        if live is not None or self._folders.pop(uri, None) is not None:
            self._publish(uri, None, [])

    def close_all(self) -> None:
        """Forgets everything: the editor is gone."""
        for spectask, name in self._session.shown.values():
            self._session.ports.engine.buffers(spectask).drop(name, self._session.key)
        self._session.shown.clear()

    def _enter(self, spectask: SpecTaskId) -> None:
        self._session.active = spectask
        self._session.touch()

    # --- what is wrong ----------------------------------------------------------------------------------------------------------

    def check(self, shelf: SpecTaskId | Path) -> None:
        """Has the documents of a shelf checked, now or as soon as the check under way is done."""
        if not self._on(shelf):
            return
        if shelf in self._checking:
            self._again.add(shelf)
            return
        self._checking[shelf] = self._session.begin(self._check(shelf))

    async def _check(self, shelf: SpecTaskId | Path) -> None:
        try:
            while True:
                self._again.discard(shelf)
                await self._check_once(shelf)
                if shelf not in self._again:
                    return
        finally:
            del self._checking[shelf]

    async def _check_once(self, shelf: SpecTaskId | Path) -> None:
        documents = self._session.editor.workspace.text_documents
        places = self._on(shelf)
        versions = {uri: documents[uri].version for uri in places if uri in documents}
        shown = {name: self._session.text(uri) for uri, name in places.items() if uri in versions}
        contents = {**await self._others(shelf), **shown}
        spectask = None if isinstance(shelf, Path) else self._session.ports.engine.visible.spectasks.get(shelf)
        buffers = self._session.ports.engine.buffers(spectask.id) if spectask else None
        held = {name: buffers.shown(name, self._session.key) for name in shown} if buffers else {}
        found = await asyncio.to_thread(diagnostics.of_shelf, spectask, contents, held, self._session.encoding)
        has_threads = self._session.editor.shows_comments
        for uri, version in versions.items():
            if uri not in self._on(shelf):
                continue  # closed meanwhile
            # What was typed meanwhile is checked anew; what is told belongs to the version it names.
            told = [each for each in found[places[uri]] if not (has_threads and each.code == diagnostics.COMMENT)]
            self._publish(uri, version, told)

    def _on(self, shelf: SpecTaskId | Path) -> dict[str, str]:
        """Returns the open documents of a shelf: their names by address."""
        live = {uri: name for uri, (spectask, name) in self._session.shown.items() if spectask == shelf}
        return live or {uri: name for uri, (folder, name) in self._folders.items() if folder == shelf}

    async def _others(self, shelf: SpecTaskId | Path) -> dict[str, bytes]:
        if isinstance(shelf, Path):
            return await asyncio.to_thread(_files_in, shelf)
        spectask: SpecTask | None = self._session.ports.engine.visible.spectasks.get(shelf)
        return {name: document.content for name, document in spectask.documents.items()} if spectask else {}

    def _publish(self, uri: str, version: int | None, found: list[lsp.Diagnostic]) -> None:
        params = lsp.PublishDiagnosticsParams(uri=uri, version=version, diagnostics=found)
        self._session.editor.offer(f"diagnostics {uri}", lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)


def live_document(ports: Ports, path: str) -> tuple[SpecTaskId, str] | None:
    """Returns the SpecTask and the name of the live document at a path, or None where the path is not on a desk."""
    try:
        inside = Path(os.path.realpath(path)).relative_to(ports.state_folder / "desk")
    except ValueError:
        return None
    if len(inside.parts) < 3:  # noqa: PLR2004  repository, SpecTask, file
        return None
    spectask = ports.engine.visible.spectasks.get(SpecTaskId(inside.parts[1]))
    wanted = "/".join(inside.parts[2:])
    documents = spectask.documents.values() if spectask else ()
    return next(((spectask.id, document.name) for document in documents if spectask and document.path == wanted), None)


def _files_in(folder: Path) -> dict[str, bytes]:
    files = {name: folder / f"{name}.md" for name in NAMES}
    return {name: file.read_bytes() for name, file in files.items() if file.is_file() and file.stat().st_size <= diagnostics.LIMIT}
