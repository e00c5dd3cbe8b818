"""Markers in code files (`Req 1.2`): hover, definition, references and links, for files of a checkout that holds specs.

Each answer is a function of its own, asked where a file is no document of a spec: None means that it holds no code of one either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from lsprotocol import types as lsp
from pygls.uris import to_fs_path

from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.texts import Encoding, units
from specthread.spec.code_paths import is_prose
from specthread.spec.markers import Marker
from specthread.spec.symbols import Symbol
from specthread.views import assist_markers as assist
from specthread.views.assist_markers import Place
from specthread.views.trace import TraceIndex

T = TypeVar("T")
Asked = lsp.HoverParams | lsp.DefinitionParams | lsp.ReferenceParams
"""What is asked about a place in a file."""


async def hover(session: Session, params: Asked) -> lsp.Hover | None:
    """Returns what the marker at a place means; in plain text, since documents may hold anything."""
    said = await _at(session, params, lambda _, index, path, markers: assist.hover_text(index, path, markers))
    return lsp.Hover(contents=lsp.MarkupContent(kind=lsp.MarkupKind.PlainText, value=said)) if said else None


async def definition(session: Session, params: Asked) -> list[lsp.Location] | None:
    """Returns where what the marker means is written down."""
    return await _at(session, params, lambda root, *asked: _locations(root, assist.definitions(*asked), session.encoding))


async def references(session: Session, params: lsp.ReferenceParams) -> list[lsp.Location] | None:
    """Returns every place that speaks of the same."""

    def found(root: str, index: TraceIndex, path: str, markers: Iterable[Marker]) -> list[lsp.Location]:
        defined = assist.definitions(index, path, markers) if params.context.include_declaration else ()
        return _locations(root, (*defined, *assist.references(index, path, markers)), session.encoding)

    return await _at(session, params, found)


async def mentions(session: Session, folder: Path, symbols: Iterable[Symbol]) -> list[lsp.Location]:
    """Returns where code and tests speak of symbols of the spec in a folder; nothing for a spec that is not in a checkout."""
    placed = await session.ports.trace_at(folder / "spec.md")
    root = Path(placed.root) if placed is not None else folder
    home = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else ""
    if placed is None or home not in placed.index.specs:
        return []
    return _locations(placed.root, [place for each in symbols for place in assist.mentioned_at(placed.index, home, each)], session.encoding)


async def links(session: Session, params: lsp.DocumentLinkParams) -> list[lsp.DocumentLink] | None:
    """Returns a link to its requirement for every marker of a file."""

    def found(root: str, index: TraceIndex, path: str) -> list[lsp.DocumentLink]:
        return [
            lsp.DocumentLink(
                range=_range(Place(path, link.marker.span, link.marker.text), session.encoding),
                target=f"{Path(root, link.target.path).as_uri()}#L{link.target.span.line}",
                tooltip=f"{link.kind} {link.marker.id}",
            )
            for link in assist.links(index, path)
        ]

    return await _in(session, params.text_document.uri, found)


async def _at(session: Session, params: Asked, answer: Callable[[str, TraceIndex, str, tuple[Marker, ...]], T]) -> T | None:
    """Answers for the markers at a place; None where there are none."""
    workspace = session.editor.workspace
    document = workspace.text_documents.get(params.text_document.uri)
    if document is None:
        return None
    at = workspace.position_codec.position_from_client_units(document.lines, params.position)

    def asked(root: str, index: TraceIndex, path: str) -> T | None:
        markers = assist.markers_at(index, path, at.line + 1, at.character)
        return answer(root, index, path, markers) if markers else None

    return await _in(session, params.text_document.uri, asked)


async def _in(session: Session, uri: str, answer: Callable[[str, TraceIndex, str], T]) -> T | None:
    """Answers for an open code file as the editor shows it, in a thread; None for other files, and where there is no spec around."""
    name = to_fs_path(uri)
    if name is None or is_prose(name) or uri not in session.editor.workspace.text_documents:
        return None
    content = session.text(uri)
    placed = await session.ports.trace_at(Path(name))
    if placed is None:
        return None
    file, root = Path(name), Path(placed.root)
    if not file.is_relative_to(root):
        file, root = file.resolve(), root.resolve()  # noqa: ASYNC240  two names, no content
    path = file.relative_to(root).as_posix() if file.is_relative_to(root) else ""
    if not path or not placed.index.rules.is_read(path):
        return None
    return await asyncio.to_thread(lambda: answer(placed.root, placed.index.with_file(path, content), path))


def _locations(root: str, places: Iterable[Place], encoding: Encoding) -> list[lsp.Location]:
    return [lsp.Location(uri=Path(root, place.path).as_uri(), range=_range(place, encoding)) for place in dict.fromkeys(places)]


def _range(place: Place, encoding: Encoding) -> lsp.Range:
    start, end = (units(place.text[:at].encode("utf-8", "surrogateescape"), encoding) for at in (place.span.start, place.span.end))
    line = place.span.line - 1
    return lsp.Range(start=lsp.Position(line=line, character=start), end=lsp.Position(line=line, character=end))
