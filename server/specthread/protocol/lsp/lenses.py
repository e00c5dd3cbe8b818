"""Code lenses, and the same offers as code actions: editors that draw no lenses miss nothing."""

from __future__ import annotations

import asyncio

from lsprotocol import types as lsp

from specthread.domain.model import SpecTask
from specthread.protocol.lsp import bring_in
from specthread.protocol.lsp.commands import command_id
from specthread.protocol.lsp.diagnostics import NEWER
from specthread.protocol.lsp.refresher import Refresher
from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.shelf import MOST_BYTES
from specthread.protocol.lsp.texts import text_of
from specthread.views.assist.offers import Offer, offers


def install(session: Session) -> None:
    """Registers lenses, and has them drawn anew when something changed."""
    editor = session.editor

    @editor.feature(lsp.TEXT_DOCUMENT_CODE_LENS, lsp.CodeLensOptions(resolve_provider=False))
    async def lenses(params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        text = session.text(params.text_document.uri)
        offers = await _offers(session, params.text_document.uri, text)
        lines = text_of(text, session.encoding)
        return [lsp.CodeLens(range=lines.line(offer.line), command=_command(offer)) for offer in offers]

    refresher = Refresher(session, lambda: editor.refreshes_lenses, lambda: editor.workspace_code_lens_refresh_async(None))
    session.on_news.append(refresher.changed)


async def _offers(session: Session, uri: str, text: bytes) -> tuple[Offer, ...]:
    """Returns what is offered in a text; long ones are read in a thread."""
    live = session.shown.get(uri)
    spectask = session.ports.engine.visible.spectasks.get(live[0]) if live else None
    return await asyncio.to_thread(offers, spectask, live[1], text) if live and spectask and len(text) <= MOST_BYTES else ()


def _command(offer: Offer) -> lsp.Command:
    if offer.verb is None:
        return lsp.Command(title=offer.title, command="")
    return lsp.Command(title=offer.title, command=command_id(offer.verb), arguments=[dict(offer.arguments)])


async def actions(session: Session, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """Returns what the lenses around a place offer, and what else can be done with the document there."""
    uri = params.text_document.uri
    live = session.shown.get(uri)
    if live is None:
        return []
    session.active = live[0]
    session.touch()
    first, last = params.range.start.line + 1, params.range.end.line + 1
    found = [
        lsp.CodeAction(title=offer.title, kind=lsp.CodeActionKind.Empty, command=_command(offer))
        for offer in await _offers(session, uri, session.text(uri))
        # What concerns the whole document is offered anywhere in it.
        if offer.verb is not None and (offer.line == 1 or first <= offer.line <= last)
    ]
    spectask = session.ports.engine.visible.spectasks[live[0]]
    found += await _newer(session, uri, spectask, live[1], params)
    return [*found, _comment_here(session, uri, last)]


async def _newer(session: Session, uri: str, spectask: SpecTask, name: str, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """Returns the action that brings a newer version into unsaved text."""
    if not bring_in.is_behind(session, spectask, name):
        return []
    command = lsp.Command(
        title="Bring it in", command=command_id("bring-in"), arguments=[{"id": str(spectask.id), "document": name, "uri": uri}]
    )
    fixes = [each for each in params.context.diagnostics if each.code == NEWER]
    return [
        lsp.CodeAction(title="Bring the newer version in", kind=lsp.CodeActionKind.QuickFix, diagnostics=fixes or None, command=command)
    ]


def _comment_here(session: Session, uri: str, line: int) -> lsp.CodeAction:
    """Returns the action that puts a comment line below; saved with words in it, it becomes a comment and leaves the text."""
    end = text_of(session.text(uri), session.encoding).line(line).end
    edit = lsp.TextEdit(range=lsp.Range(start=end, end=end), new_text="\n<!--? -->")
    document = session.editor.workspace.get_text_document(uri)
    versioned = lsp.OptionalVersionedTextDocumentIdentifier(uri=uri, version=document.version)
    changes = lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(text_document=versioned, edits=[edit])])
    if not session.editor.applies_edits:
        changes = lsp.WorkspaceEdit(changes={uri: [edit]})
    return lsp.CodeAction(title="Comment here", kind=lsp.CodeActionKind.Empty, edit=changes)
