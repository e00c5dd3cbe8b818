"""Findings for editors that ask for them. Only those that cannot be told without being asked do: others would show everything twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from specthread.protocol.lsp.diagnostics import Encoded
from specthread.protocol.lsp.session import Session

if TYPE_CHECKING:
    from specthread.protocol.lsp.documents import Shelves


def install(session: Session, shelves: Shelves) -> None:
    """Registers the request where the editor can do nothing but ask."""
    session.editor.on_initialize.append(lambda capabilities: _prepare(session, shelves, capabilities))


def _prepare(session: Session, shelves: Shelves, capabilities: lsp.ClientCapabilities) -> None:
    documents = capabilities.text_document
    if documents is None or documents.diagnostic is None or documents.publish_diagnostics is not None:
        return
    shelves.pushes = False
    found = _Found(session, shelves, can_refresh=_can_refresh(capabilities))
    shelves.on_told = found.changed
    options = lsp.DiagnosticOptions(identifier="specthread", inter_file_dependencies=True, workspace_diagnostics=False)

    @session.editor.feature(lsp.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def diagnostic(params: lsp.DocumentDiagnosticParams) -> dict[str, Any]:
        return await found.report(params.text_document.uri, params.previous_result_id)


def _can_refresh(capabilities: lsp.ClientCapabilities) -> bool:
    workspace = capabilities.workspace
    return bool(workspace and workspace.diagnostics and workspace.diagnostics.refresh_support)


class _Found:
    """What was found last, for an editor that asks; it is told to ask again where something came from elsewhere."""

    def __init__(self, session: Session, shelves: Shelves, *, can_refresh: bool) -> None:
        self._session = session
        self._shelves = shelves
        self._can_refresh = can_refresh
        self._told = asyncio.Event()
        self._asked: dict[str, str] = {}

    def changed(self) -> None:
        """Lets those who wait look again, and has the editor ask for what is another one than it knows."""
        self._told.set()
        self._told = asyncio.Event()
        known = ((uri, known) for uri, known in self._asked.items() if uri in self._shelves.told)
        if self._can_refresh and any(_identity(self._shelves.told[uri][1]) != identity for uri, identity in known):
            self._asked.clear()
            self._session.begin(self._session.editor.workspace_diagnostic_refresh_async(None))

    async def report(self, uri: str, previous: str | None) -> dict[str, Any]:
        """Returns what is found in the text as it is now, as soon as it is checked; nothing for documents that are not ours."""
        while not self._is_current(uri):
            await self._told.wait()
        found = self._shelves.told[uri][1] if uri in self._shelves.told else []
        identity = self._asked[uri] = _identity(found)
        if identity == previous:
            return {"kind": "unchanged", "resultId": identity}
        return {"kind": "full", "resultId": identity, "items": [json.loads(each) for each in found]}

    def _is_current(self, uri: str) -> bool:
        documents = self._session.editor.workspace.text_documents
        if uri not in documents or not self._shelves.holds(uri):
            return True
        return uri in self._shelves.told and self._shelves.told[uri][0] == documents[uri].version


def _identity(found: list[Encoded]) -> str:
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]
