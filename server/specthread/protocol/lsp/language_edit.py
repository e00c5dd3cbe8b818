"""What an editor changes through us by name: renaming an id everywhere, and the normal form of a document."""

from __future__ import annotations

import asyncio

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from specthread.protocol.lsp.opened import Opened, opened
from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.texts import text_of
from specthread.spec.changes import Cannot
from specthread.spec.document import Change
from specthread.spec.format import format_changes
from specthread.spec.rename import rename
from specthread.spec.symbols import Occurrence, occurrence_at


def install(session: Session) -> None:
    """Registers renaming and formatting."""
    editor = session.editor

    @editor.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare(params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder | None:
        there = opened(session, params.text_document.uri)
        place = _id_at(there, params.position) if there else None
        if there is None or place is None:
            return None
        span = place.span
        shown = there.source.lines[span.line - 1].text[span.start : span.end]
        return lsp.PrepareRenamePlaceholder(range=text_of(there.source.content, session.encoding).span(span), placeholder=shown)

    @editor.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    async def renamed(params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        there = opened(session, params.text_document.uri)
        place = _id_at(there, params.position) if there else None
        if there is None or place is None:
            raise _failed("There is no id here. Put the cursor on the number of a requirement, criterion, task or property.")
        changes = await asyncio.to_thread(rename, there.spec, place.symbol, params.new_name)
        if isinstance(changes, Cannot):
            raise _failed(changes.reason)
        return _current(session, there).workspace_edit(session, changes)

    @editor.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    async def formatted(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        there = opened(session, params.text_document.uri)
        changes = await asyncio.to_thread(_form, there) if there else ()
        return _current(session, there).edits(there.name, changes) if there else None

    @editor.feature(lsp.TEXT_DOCUMENT_RANGE_FORMATTING)
    async def formatted_in(params: lsp.DocumentRangeFormattingParams) -> list[lsp.TextEdit] | None:
        there = opened(session, params.text_document.uri)
        if there is None:
            return None
        first, last = params.range.start.line + 1, params.range.end.line + 1
        changes = await asyncio.to_thread(_form, there)
        inside = tuple(change for change in changes if first <= change.start[0] and change.end[0] <= last)
        return _current(session, there).edits(there.name, inside)


def _form(there: Opened) -> tuple[Change, ...]:
    """The changes to the normal form; other dialects than our own have none that we would know."""
    return format_changes(there.source) if there.spec.dialect == "specthread" else ()


def _id_at(there: Opened, position: lsp.Position) -> Occurrence | None:
    """The id at a position; None beside it, and in the middle of a range, where it is not written."""
    place = text_of(there.source.content, there.encoding).place(position)
    if place is None:
        return None
    line, character = place
    found = occurrence_at(there.spec, there.name, line, character)
    return found if found and found.is_exact and found.span.start <= character <= found.span.end else None


def _current(session: Session, there: Opened) -> Opened:
    """The spec, if nothing was typed meanwhile; its positions mean nothing in another text."""
    if not there.is_current(session):
        raise JsonRpcException("The document was changed meanwhile. Ask again.", lsp.LSPErrorCodes.ContentModified)
    return there


def _failed(reason: str) -> JsonRpcException:
    return JsonRpcException(reason, lsp.LSPErrorCodes.RequestFailed)
