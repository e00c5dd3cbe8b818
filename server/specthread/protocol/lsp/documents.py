"""What an editor has open: told to the desk, so that nothing unsaved is overwritten, and checked, so that the person sees what is wrong.

A *shelf* is the set of documents that are checked together: the live documents of a SpecTask, or the files of one spec folder anywhere on the disk. A check
that only some lines concern takes a moment and is made at once; any other happens in a thread, one at a time for a shelf, and what was typed meanwhile is
checked next.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types as lsp

from specthread.domain.ids import SpecTaskId
from specthread.protocol.lsp import diagnostics, pull
from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.shelf import Gathered, Place, ShelfKey
from specthread.protocol.lsp.texts import Encoding
from specthread.spec.document import DocumentName
from specthread.spec.levels import CheckSettings
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

    pull.install(session, shelves)
    session.on_news.append(shelves.check)
    session.on_close.append(shelves.close_all)


class Shelves:
    """The open documents of one editor, by shelf."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._places: dict[str, Place] = {}
        """The open documents that are checked, by address."""
        self._checking: dict[ShelfKey, asyncio.Task[None]] = {}
        self._again: set[ShelfKey] = set()
        self._checked: dict[ShelfKey, Checked] = {}
        self.told: dict[str, tuple[int | None, list[diagnostics.Encoded]]] = {}
        """What was found last in each open document, by address, and the version it belongs to."""
        self.pushes = True
        """Whether findings are sent as soon as they are there; otherwise the editor asks for them."""
        self.on_told: Callable[[], object] = lambda: None

    # --- what the editor tells ------------------------------------------------------------------------------------------------

    def open(self, uri: str) -> None:
        """Takes note of an opened document."""
        place = self._session.shelves.place(uri)
        if place is None:
            return
        self._places[uri] = place
        if not isinstance(place.key, Path):
            self._session.shown[uri] = (place.key, place.name)
        self.change(uri)

    def change(self, uri: str) -> None:
        """Takes note of what a document reads now."""
        live = self._session.shown.get(uri)
        if live is not None:
            spectask, name = live
            self._enter(spectask)
            self._session.ports.engine.buffers(spectask).hold(name, self._session.key, self._session.text(uri))
        if uri in self._places:
            self.check(self._places[uri].key)

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
        if self._places.pop(uri, None) is not None:
            self._publish(uri, None, [])

    def close_all(self) -> None:
        """Forgets everything: the editor is gone."""
        for spectask, name in self._session.shown.values():
            self._session.ports.engine.buffers(spectask).drop(name, self._session.key)
        self._session.shown.clear()

    def _enter(self, spectask: SpecTaskId) -> None:
        self._session.active = spectask
        self._session.touch()

    def holds(self, uri: str) -> bool:
        """Tells whether a document is open here and is one that is checked."""
        return uri in self._places

    # --- what is wrong ----------------------------------------------------------------------------------------------------------

    def check(self, shelf: ShelfKey) -> None:
        """Has the documents of a shelf checked, now or as soon as the check under way is done."""
        if self._on(shelf) is None:
            self._checked.pop(shelf, None)
        elif shelf in self._checking:
            self._again.add(shelf)
        elif not self._check_at_once(shelf):
            self._checking[shelf] = self._session.begin(self._check(shelf))

    def _on(self, shelf: ShelfKey) -> Place | None:
        """Returns one of the open documents of a shelf."""
        return next((place for place in self._places.values() if place.key == shelf), None)

    async def _check(self, shelf: ShelfKey) -> None:
        try:
            while (place := self._on(shelf)) is not None:
                self._again.discard(shelf)
                gathered = self._session.shelves.gather(place)
                checked = await asyncio.to_thread(check_texts, gathered, self._checked.get(shelf), self._session.encoding)
                self._tell(shelf, gathered, checked)
                if shelf not in self._again:
                    return
        finally:
            del self._checking[shelf]

    def _check_at_once(self, shelf: ShelfKey) -> bool:
        """Checks a shelf of which only some lines are other ones than before: that takes a moment, less than a thread does."""
        before, place = self._checked.get(shelf), self._on(shelf)
        if before is None or place is None:
            return False
        gathered = self._session.shelves.gather(place)
        known = before.spec.sources
        sources = {name: scan(content, known.get(name)) for name, content in gathered.contents.items() if len(content) <= AT_ONCE}
        same = (before.spec.dialect, before.spec.around, before.settings) == (gathered.dialect, gathered.around, gathered.settings)
        if len(sources) < len(gathered.contents) or not same:
            return False
        if not all(source.splice or known.get(name) is source for name, source in sources.items()):
            return False
        self._tell(shelf, gathered, check_sources(sources, before, self._session.encoding))
        return True

    def _tell(self, shelf: ShelfKey, gathered: Gathered, checked: Checked) -> None:
        self._checked[shelf] = checked
        self._session.shelves.keep(shelf, gathered.contents, checked.spec)
        spectask = gathered.spectask
        has_threads = self._session.editor.shows_comments
        for uri, place in self._places.items():
            if place.key != shelf or place.name not in gathered.versions:
                continue  # closed, or opened, meanwhile
            # What was typed meanwhile is checked anew; what is told belongs to the version it names.
            content = gathered.contents.get(place.name)
            found = list(checked.found[place.name]) if content is not None else [diagnostics.TOO_LARGE]
            if gathered.settings.excludes_file(str(place.folder / f"{place.name}.md")):
                found = []
            if spectask is not None and content is not None:
                buffer = self._session.ports.engine.buffers(spectask.id).shown(place.name, self._session.key)
                review = diagnostics.of_review(spectask, place.name, content, buffer, self._session.encoding)
                found += (diagnostics.encoded(each) for each in review if not (has_threads and each.code == diagnostics.COMMENT))
            self._publish(uri, gathered.versions[place.name], found)

    def _publish(self, uri: str, version: int | None, found: list[diagnostics.Encoded]) -> None:
        if version is None:
            self.told.pop(uri, None)
        else:
            self.told[uri] = (version, found)
        self.on_told()
        if not self.pushes:
            return
        versioned = "" if version is None else f'"version":{version},'
        params = f'{{"uri":{json.dumps(uri)},{versioned}"diagnostics":[{",".join(found)}]}}'
        self._session.editor.offer_encoded(f"diagnostics {uri}", lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check of a shelf: the spec that was read, the diagnostics of each document, and what the next check makes use of."""

    spec: Spec
    settings: CheckSettings
    found: Mapping[DocumentName, Sequence[diagnostics.Encoded]]
    recall: Recall


def check_texts(gathered: Gathered, before: Checked | None, encoding: Encoding) -> Checked:
    """Returns what is wrong with documents that belong together; slow for long ones, so it is called in a thread."""
    spec = read_spec(gathered.contents, gathered.dialect, before.spec if before else None, gathered.around)
    return _checked(spec, gathered.settings, before, encoding)


def check_sources(sources: Mapping[DocumentName, Source], before: Checked, encoding: Encoding) -> Checked:
    """Returns the same of documents already scanned."""
    spec = spec_of(sources, before.spec.dialect, before.spec, before.spec.around)
    return _checked(spec, before.settings, before, encoding)


def _checked(spec: Spec, settings: CheckSettings, before: Checked | None, encoding: Encoding) -> Checked:
    recall = Recall(before.recall if before else None)
    found = diagnostics.of_spec(spec, settings.levels, encoding, recall)
    return Checked(spec=spec, settings=settings, found=found, recall=recall)
