"""What an editor has open: told to the desk, so that nothing unsaved is overwritten, and checked, so that the person sees what is wrong.

A *shelf* is the set of documents that are checked together: the live documents of a SpecTask, or the files of one spec folder anywhere on the disk. A check
that only some lines concern takes a moment and is made at once; any other happens in a thread, one at a time for a shelf, and what was typed meanwhile is
checked next.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types as lsp
from pygls.uris import to_fs_path

from specthread.domain.model import SpecTask, SpecTaskId
from specthread.protocol.lsp import diagnostics
from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.texts import Encoding
from specthread.protocol.port import Ports
from specthread.spec.dialects import DOCUMENT_FILES, Dialect, detect, place_of
from specthread.spec.document import TASKS, DocumentName
from specthread.spec.recall import Recall
from specthread.spec.source import Source, scan
from specthread.spec.spec import Spec, read_spec, spec_of

AT_ONCE = 1_000_000
"""Bytes of a document up to which a keystroke is checked without a thread."""


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
        self._specs: dict[SpecTaskId | Path, Checked] = {}
        self._beside: dict[Path, Beside] = {}

    # --- what the editor tells ------------------------------------------------------------------------------------------------

    def open(self, uri: str) -> None:
        """Takes note of an opened document."""
        path = to_fs_path(uri)
        if path is None:
            return
        live = live_document(self._session.ports, path)
        if live is not None:
            self._session.shown[uri] = live
        elif (place := place_of(path)) is not None:
            self._folders[uri] = (Path(place[0]), place[1])
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
            self._specs.pop(shelf, None)
        elif shelf in self._checking:
            self._again.add(shelf)
        elif not self._check_at_once(shelf):
            self._checking[shelf] = self._session.begin(self._check(shelf))

    async def _check(self, shelf: SpecTaskId | Path) -> None:
        try:
            while True:
                self._again.discard(shelf)
                versions, texts = self._shown(shelf)
                before = self._specs.get(shelf)
                checked = await asyncio.to_thread(
                    check_texts, self._contents(shelf, texts), self._dialect(shelf), before, self._session.encoding
                )
                self._tell(shelf, versions, checked)
                if shelf not in self._again:
                    return
        finally:
            del self._checking[shelf]

    def _check_at_once(self, shelf: SpecTaskId | Path) -> bool:
        """Checks a shelf of which only some lines are other ones than before: that takes a moment, less than a thread does."""
        before = self._specs.get(shelf)
        if before is None:
            return False
        versions, texts = self._shown(shelf)
        contents = self._contents(shelf, texts)
        sources = {name: scan(content, before.spec.sources.get(name)) for name, content in contents.items() if len(content) <= AT_ONCE}
        known = before.spec.sources
        if len(sources) < len(contents) or not all(source.splice or known.get(name) is source for name, source in sources.items()):
            return False
        self._tell(shelf, versions, check_sources(sources, before, self._session.encoding))
        return True

    def _shown(self, shelf: SpecTaskId | Path) -> tuple[dict[str, int | None], dict[DocumentName, bytes]]:
        """Returns the versions of the open documents of a shelf by address, and their texts by name."""
        documents = self._session.editor.workspace.text_documents
        places = {uri: name for uri, name in self._on(shelf).items() if uri in documents}
        texts = {DocumentName(name): self._session.text(uri) for uri, name in places.items()}
        return {uri: documents[uri].version for uri in places}, texts

    def _contents(self, shelf: SpecTaskId | Path, shown: Mapping[DocumentName, bytes]) -> dict[DocumentName, bytes]:
        if isinstance(shelf, Path):
            return {**self._beside.setdefault(shelf, Beside(shelf)).documents(), **shown}
        spectask: SpecTask | None = self._session.ports.engine.visible.spectasks.get(shelf)
        others = {DocumentName(name): document.content for name, document in spectask.documents.items()} if spectask else {}
        return {**others, **shown}

    def _dialect(self, shelf: SpecTaskId | Path) -> Dialect:
        if isinstance(shelf, Path):
            return detect(str(shelf), self._beside[shelf].told)
        spectask = self._session.ports.engine.visible.spectasks.get(shelf)
        return spectask.dialect if spectask else "specthread"

    def _tell(self, shelf: SpecTaskId | Path, versions: Mapping[str, int | None], checked: Checked) -> None:
        self._specs[shelf] = checked
        spectask = None if isinstance(shelf, Path) else self._session.ports.engine.visible.spectasks.get(shelf)
        has_threads = self._session.editor.shows_comments
        places = self._on(shelf)
        for uri, version in versions.items():
            name = DocumentName(places.get(uri, ""))
            if name not in checked.found:
                continue  # closed meanwhile
            # What was typed meanwhile is checked anew; what is told belongs to the version it names.
            found = list(checked.found[name])
            if spectask is not None:
                buffer = self._session.ports.engine.buffers(spectask.id).shown(name, self._session.key)
                review = diagnostics.of_review(spectask, name, checked.contents[name], buffer, self._session.encoding)
                found += (diagnostics.encoded(each) for each in review if not (has_threads and each.code == diagnostics.COMMENT))
            self._publish(uri, version, found)

    def _on(self, shelf: SpecTaskId | Path) -> dict[str, str]:
        """Returns the open documents of a shelf: their names by address."""
        live = {uri: name for uri, (spectask, name) in self._session.shown.items() if spectask == shelf}
        return live or {uri: name for uri, (folder, name) in self._folders.items() if folder == shelf}

    def _publish(self, uri: str, version: int | None, found: Iterable[diagnostics.Encoded]) -> None:
        versioned = "" if version is None else f'"version":{version},'
        params = f'{{"uri":{json.dumps(uri)},{versioned}"diagnostics":[{",".join(found)}]}}'
        self._session.editor.offer_encoded(f"diagnostics {uri}", lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check of a shelf: the spec that was read, the diagnostics of each document, and what the next check makes use of."""

    spec: Spec
    contents: Mapping[DocumentName, bytes]
    found: Mapping[DocumentName, Sequence[diagnostics.Encoded]]
    recall: Recall


def check_texts(contents: Mapping[DocumentName, bytes], dialect: Dialect, before: Checked | None, encoding: Encoding) -> Checked:
    """Returns what is wrong with documents that belong together; slow for long ones, so it is called in a thread."""
    small = {name: content for name, content in contents.items() if len(content) <= diagnostics.LIMIT}
    spec = read_spec(small, dialect, before.spec if before else None)
    recall = Recall(before.recall if before else None)
    found = diagnostics.of_spec(spec, encoding, recall)
    too_large = {name: [diagnostics.TOO_LARGE] for name in contents.keys() - small.keys()}
    return Checked(spec=spec, contents=contents, found={**found, **too_large}, recall=recall)


def check_sources(sources: Mapping[DocumentName, Source], before: Checked, encoding: Encoding) -> Checked:
    """Returns the same of documents already scanned."""
    spec = spec_of(sources, before.spec.dialect, before.spec)
    recall = Recall(before.recall)
    found = diagnostics.of_spec(spec, encoding, recall)
    return Checked(spec=spec, contents={name: source.content for name, source in sources.items()}, found=found, recall=recall)


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


class Beside:
    """The documents of a spec folder as they are on the disk, read again only where a file has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[DocumentName, tuple[tuple[int, int], bytes]] = {}

    def documents(self) -> dict[DocumentName, bytes]:
        """Returns the documents by name; what cannot be read is left out, as a file that is too large is."""
        found: dict[DocumentName, tuple[tuple[int, int], bytes]] = {}
        for name, file in self._files():
            with contextlib.suppress(OSError):  # gone since, or not ours to read: the linter has its own word for a missing one
                told = file.stat()
                stamp = (told.st_mtime_ns, told.st_size)
                known = self._read.get(name)
                if told.st_size <= diagnostics.LIMIT:
                    found[name] = known if known and known[0] == stamp else (stamp, file.read_bytes())
        self._read = found
        return {name: content for name, (_, content) in found.items()}

    @property
    def told(self) -> bytes:
        """What tells the dialect where the folder does not: the tasks."""
        return self._read.get(TASKS, ((0, 0), b""))[1]

    def _files(self) -> Iterator[tuple[DocumentName, Path]]:
        below = (file for name in DOCUMENT_FILES if (file := self._folder / name).is_file())
        for file in (*below, *self._folder.glob("specs/**/spec.md")):
            if (place := place_of(str(file))) is not None and Path(place[0]) == self._folder:
                yield place[1], file
