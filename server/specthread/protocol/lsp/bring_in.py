"""“Bring it in”: a newer live version is merged into an editor's unsaved text, as an edit that the person can undo and saves when ready."""

from __future__ import annotations

from lsprotocol import types as lsp

from specthread.domain.model import Refusal, SpecTask
from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.texts import edits_between


def is_behind(session: Session, spectask: SpecTask, name: str) -> bool:
    """Tells whether an editor holds unsaved text that was made from an older version than the live one."""
    buffer = session.ports.engine.buffers(spectask.id).shown(name, session.key)
    document = spectask.documents.get(name)
    return bool(buffer and document and buffer.unsaved and buffer.base is not None and document.content not in {buffer.base, buffer.text})


async def bring_in(session: Session, spectask: SpecTask, name: str, uri: str) -> Refusal | None:
    """Merges the live version into what the editor shows; returns why nothing was done, or None."""
    buffers = session.ports.engine.buffers(spectask.id)
    buffer = buffers.shown(name, session.key)
    if buffer is None or buffer.base is None or not is_behind(session, spectask, name):
        return Refusal(code="nothing-newer", message=f"There is no newer version of {name}.")
    if not session.editor.applies_edits:
        return Refusal(
            code="no-edits", message="This editor takes no edits from a server.", hint="Save: your text is merged with the newer version."
        )
    live = spectask.documents[name].content
    version = session.editor.workspace.get_text_document(uri).version  # of the text that is merged, whatever is typed meanwhile
    merged = await session.ports.engine.merge(spectask.id, name, buffer.base, live, buffer.text)
    if merged.conflict:
        hint = "Save: both are kept, and a file beside the document shows them together."
        at_odds = " ".join(merged.questions) or "Both changed the same lines."
        return Refusal(code="conflict", message=f"Your text of {name} and the newer version do not go together. {at_odds}", hint=hint)
    edit = lsp.TextDocumentEdit(
        text_document=lsp.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version),
        edits=list(edits_between(buffer.text, merged.content, session.encoding)),
    )
    params = lsp.ApplyWorkspaceEditParams(label="Bring the newer version in", edit=lsp.WorkspaceEdit(document_changes=[edit]))
    answer = await session.editor.workspace_apply_edit_async(params)
    if not answer.applied:
        return Refusal(code="not-applied", message="The editor did not take the edit.", hint=answer.failure_reason or "Try again.")
    buffers.rebase(name, session.key, live)
    session.recheck(spectask.id)
    return None
