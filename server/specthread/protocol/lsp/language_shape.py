"""The shape of a document: its outline, what folds, what a selection grows to, and the files it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp
from pygls.uris import from_fs_path, to_fs_path

from specthread.protocol.lsp import markers
from specthread.protocol.lsp.language_place import Document, Language
from specthread.views.assist.folding import Fold, folds
from specthread.views.assist.index import Cursor
from specthread.views.assist.linking import Link, links
from specthread.views.assist.outline import Entry, EntryKind, flat, outline
from specthread.views.assist.selection import Area, selections

KINDS: Final[dict[EntryKind, lsp.SymbolKind]] = {
    "section": lsp.SymbolKind.String,
    "requirement": lsp.SymbolKind.Class,
    "criterion": lsp.SymbolKind.Method,
    "group": lsp.SymbolKind.Module,
    "task": lsp.SymbolKind.Function,
    "property": lsp.SymbolKind.Property,
}
"""As what the things of a spec are shown; the protocol knows only those of programs."""


def install(language: Language) -> None:
    """Registers the features."""
    editor = language.editor

    @editor.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol] | list[lsp.SymbolInformation] | None:
        if (document := language.document(params.text_document.uri)) is None:
            return None
        entries = outline(document.spec, document.name)
        can = language.can.document_symbol
        if can is not None and can.hierarchical_document_symbol_support:
            return [_symbol(document, each) for each in entries]
        return [symbol_at(document, each, around) for each, around in flat(entries)]

    @editor.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    def folding(params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange] | None:
        if (document := language.document(params.text_document.uri)) is None:
            return None
        limit = language.can.folding_range.range_limit if language.can.folding_range is not None else None
        return [_folded(each) for each in folds(document.spec, document.name)][:limit]

    @editor.feature(lsp.TEXT_DOCUMENT_SELECTION_RANGE)
    def selecting(params: lsp.SelectionRangeParams) -> list[lsp.SelectionRange] | None:
        document = language.document(params.text_document.uri)
        return [_selection(document, each) for each in params.positions] if document is not None else None

    @editor.feature(lsp.TEXT_DOCUMENT_DOCUMENT_LINK, lsp.DocumentLinkOptions(resolve_provider=False))
    async def linked(params: lsp.DocumentLinkParams) -> list[lsp.DocumentLink] | None:
        document = language.document(params.text_document.uri)
        return list(_links(document)) if document is not None else await markers.links(language.session, params)


def symbol_at(document: Document, entry: Entry, around: Entry | None) -> lsp.SymbolInformation:
    """Returns an entry of an outline for clients that draw no tree."""
    location = lsp.Location(uri=document.uri, range=document.lines(entry.line, entry.last))
    return lsp.SymbolInformation(
        name=entry.name, kind=KINDS[entry.kind], location=location, container_name=around.name if around is not None else None
    )


def _symbol(document: Document, entry: Entry) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        name=entry.name.strip() or "…",
        detail=entry.detail,
        kind=KINDS[entry.kind],
        range=document.lines(entry.line, entry.last),
        selection_range=document.text.span(entry.span),
        children=[_symbol(document, part) for part in entry.parts],
    )


def _folded(fold: Fold) -> lsp.FoldingRange:
    kind = lsp.FoldingRangeKind.Comment if fold.kind == "comment" else None
    return lsp.FoldingRange(start_line=fold.first - 1, end_line=fold.last - 1, kind=kind)


def _selection(document: Document, position: lsp.Position) -> lsp.SelectionRange:
    """Returns the areas around a position; a position that is not there stands for itself, since each must be answered."""
    place = document.text.place(position)
    found: lsp.SelectionRange | None = None
    for area in reversed(selections(Cursor(document.spec, document.name, *place)) if place is not None else ()):
        found = lsp.SelectionRange(range=_range(document, area), parent=found)
    return found or lsp.SelectionRange(range=lsp.Range(start=position, end=position))


def _range(document: Document, area: Area) -> lsp.Range:
    return lsp.Range(start=document.text.at(*area.start), end=document.text.at(*area.end))


def _links(document: Document) -> Iterator[lsp.DocumentLink]:
    """Yields the links to files that exist."""
    for link in links(document.spec, document.name):
        if (target := _target(document, link)) is not None:
            yield lsp.DocumentLink(range=document.text.span(link.span), target=target)


def _target(document: Document, link: Link) -> str | None:
    here = to_fs_path(document.uri)
    folder = document.shelf.root if link.origin == "repository" else Path(here or "").parent
    try:
        path = folder / link.path
        return from_fs_path(str(path.resolve())) if path.exists() else None
    except (OSError, ValueError, RuntimeError):
        return None
