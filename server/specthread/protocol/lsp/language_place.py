"""The documents and places that the requests of one editor are about, in its units and in ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from lsprotocol import types as lsp

from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.shelf import Shelf
from specthread.protocol.lsp.texts import Text, text_of
from specthread.spec.document import DocumentName, Span
from specthread.spec.symbols import Occurrence
from specthread.views.assist.index import Cursor, Index


class At(Protocol):
    """The params of a request about a place."""

    text_document: lsp.TextDocumentIdentifier
    position: lsp.Position


class Document(NamedTuple):
    """One document of a shelf, with its text in the editor's units."""

    shelf: Shelf
    name: DocumentName
    text: Text

    @property
    def spec(self) -> Index:
        """The spec it is part of."""
        return self.shelf.index

    @property
    def uri(self) -> str:
        """Its address."""
        return self.shelf.uris[self.name]

    def lines(self, first: int, last: int) -> lsp.Range:
        """Returns whole lines, which count from 1, from the beginning of one to the end of another."""
        return lsp.Range(start=lsp.Position(line=first - 1, character=0), end=self.text.line(last).end)


class Language:
    """The documents of one editor as its requests ask for them."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.editor = session.editor
        self.shelves = session.shelves

    def document(self, uri: str) -> Document | None:
        """Returns the document at an address; None where it belongs to no spec."""
        found = self.shelves.at(uri)
        return self.on_shelf(*found) if found is not None else None

    def on_shelf(self, shelf: Shelf, name: DocumentName) -> Document:
        """Returns a document of a shelf."""
        return Document(shelf, name, text_of(shelf.index.spec.sources[name].content, self.session.encoding))

    def at(self, params: At) -> tuple[Document, Cursor] | None:
        """Returns the document of a request and the place in it; None where there is no such place."""
        document = self.document(params.text_document.uri)
        place = document.text.place(params.position) if document is not None else None
        return (document, Cursor(document.spec, document.name, *place)) if document is not None and place is not None else None

    def locations(self, shelf: Shelf, occurrences: Iterable[Occurrence]) -> list[lsp.Location]:
        """Returns where occurrences stand."""
        return [self.location(shelf, each.document, each.span) for each in occurrences]

    def location(self, shelf: Shelf, name: DocumentName, span: Span) -> lsp.Location:
        """Returns where a place of a shelf is."""
        document = self.on_shelf(shelf, name)
        return lsp.Location(uri=document.uri, range=document.text.span(span))

    @property
    def can(self) -> lsp.TextDocumentClientCapabilities:
        """What the client can do with documents."""
        return self.editor.client_capabilities.text_document or lsp.TextDocumentClientCapabilities()
