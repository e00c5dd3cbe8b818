"""Commands from the first sentence to the approved spec: new task, open, comment, approve, request changes, bring in."""

from __future__ import annotations

import re
import weakref
from pathlib import Path
from urllib.parse import unquote

from pygls.uris import to_fs_path

from specthread.domain.approval import unapproved_documents
from specthread.domain.model import ENDED_TASK_STATES, Refusal, SpecTask
from specthread.domain.names import documents_of
from specthread.engine.buffers import same_text
from specthread.protocol.lsp.arguments import Arguments
from specthread.protocol.lsp.ask import changed
from specthread.protocol.lsp.bring_in import bring_in, is_behind
from specthread.protocol.lsp.people import choose, show_file, which
from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.shelf import live_document
from specthread.protocol.port import Fault
from specthread.spec.digest import short

Outcome = str | Refusal | Fault | None
_LINE = re.compile(r"[0-9]{1,9}")


async def new_task(session: Session, arguments: Arguments) -> Outcome:
    """Asks for a SpecTask: in the words given, else in a draft that is sent when it is saved without its first line."""
    folder = _folder(session)
    if arguments.text:
        return await changed(session, "new", prompt=arguments.text, path=str(folder))
    here = weakref.ref(session)  # the draft may outlive this editor

    def told(text: str) -> None:
        if (editor := here()) is not None:
            editor.refuse(Refusal(code="not-sent", message=text))

    await show_file(session, await session.ports.engine.open_new_task_draft(folder, told), line=3)
    return None


def _folder(session: Session) -> Path:
    """Returns the folder the person works in: the repository of the SpecTask whose document is open, else that of the window."""
    active = session.ports.engine.visible.spectasks.get(session.active) if session.active else None
    if active is not None:
        return Path(active.repository)
    for folder in session.editor.workspace.folders.values():
        if path := to_fs_path(folder.uri):
            return Path(path)
    return Path(session.editor.workspace.root_path or session.cwd)


async def open_document(session: Session, arguments: Arguments) -> Outcome:
    """Opens a live document."""
    spectask = await which(session, arguments, lambda each: bool(each.documents), "has documents to open")
    if not isinstance(spectask, SpecTask):
        return spectask
    names = [name for name in documents_of(spectask) if name in spectask.documents]
    if not names:
        return Refusal(code="no-document", message=f"{spectask.id} has no documents yet.", hint="The planner is writing them.")
    name = arguments.document or (await choose(session, f"Which document of {spectask.id}?", names) or "" if len(names) > 1 else names[0])
    if name and name not in spectask.documents:
        return Refusal(code="unknown-document", message=f"{spectask.id} has no document {name}.", hint=f"It has {', '.join(names)}.")
    if name:
        await show_file(session, Path(await session.ports.desk_of(spectask.id)) / spectask.documents[name].path)
    return None


async def comment(session: Session, arguments: Arguments) -> Outcome:
    """Comments on a line that is named; without one, says how it is done in the text."""
    if not (arguments.text and _LINE.fullmatch(arguments.line) and (arguments.document or arguments.uri)):
        return "Use the code action “Comment here” on a line: write between <!--? and -->, and save."
    live = live_document(session.ports, to_fs_path(unquote(arguments.uri)) or "") if arguments.uri else None
    spectask, name = (live[0], live[1]) if live else (arguments.id, arguments.document)
    return await changed(session, "comment", id=spectask, file=name, line=int(arguments.line), text=arguments.text)


def _to_approve(spectask: SpecTask) -> bool:
    return spectask.state not in ENDED_TASK_STATES and bool(unapproved_documents(spectask)) and bool(spectask.documents)


async def approve(session: Session, arguments: Arguments) -> Outcome:
    """Approves the words that a lens showed; without them, shows which words it would be and asks."""
    if arguments.document and arguments.digest:
        return await changed(session, "approve", id=arguments.id, documents=[{"document": arguments.document, "digest": arguments.digest}])
    spectask = await which(session, arguments, _to_approve, "waits for your approval")
    if not isinstance(spectask, SpecTask):
        return spectask
    open_names = [name for name in unapproved_documents(spectask) if name in spectask.documents]
    if not open_names:
        return Refusal(code="already-approved", message=f"Nothing of {spectask.id} waits for your approval.")
    if behind := _shown_otherwise(session, spectask, open_names):
        text = f"Your editor shows other words of {', '.join(behind)} than the live version has."
        return Refusal(code="not-live", message=text, hint="Save, or reload the file, then approve what you read.")
    versions = {name: spectask.documents[name].digest for name in open_names}
    named = ", ".join(f"{name}@{short(digest)}" for name, digest in versions.items())
    answer = await choose(session, f"Approve exactly these words of {spectask.id}: {named}?", ["Approve", "Open the documents", "Not now"])
    if answer == "Open the documents":
        for name in open_names:
            await open_document(session, Arguments(id=str(spectask.id), document=name))
        return None
    if answer != "Approve":
        return None
    documents = [{"document": name, "digest": str(digest)} for name, digest in versions.items()]
    return await changed(session, "approve", id=str(spectask.id), documents=documents)


def _shown_otherwise(session: Session, spectask: SpecTask, names: list[str]) -> list[str]:
    """Returns the documents of which this editor shows another text than would be approved."""
    shown = [(name, session.text(uri)) for uri, (identifier, name) in session.shown.items() if identifier == spectask.id]
    return sorted({name for name, text in shown if name in names and not same_text(text, spectask.documents[name].content)})


async def request_changes(session: Session, arguments: Arguments) -> Outcome:
    """Sends the documents back: with the words given, else with those saved in a draft; open comments go along."""
    spectask = await which(
        session, arguments, lambda each: each.state not in ENDED_TASK_STATES and bool(each.documents), "can be sent back"
    )
    if not isinstance(spectask, SpecTask):
        return spectask
    if arguments.text:
        return await changed(session, "request-changes", id=str(spectask.id), message=arguments.text)
    comments = sum(not each.resolved for each in spectask.comments.values())
    along = f" Your {comments} open comment{' goes' if comments == 1 else 's go'} along." if comments else ""
    path = await session.ports.engine.open_draft(spectask.id, "request-changes", f"Say below what should change in {spectask.id}.{along}")
    if path is None:
        return Refusal(code="ended", message=f"{spectask.id} is {spectask.state}.")
    await show_file(session, path, line=3)
    return None


async def bring_newer_in(session: Session, arguments: Arguments) -> Outcome:
    """Merges a newer version into the unsaved text the person is in."""
    known = session.ports.engine.visible.spectasks
    for uri, (spectask, name) in session.shown.items():
        meant = arguments.uri in {"", uri} and arguments.document in {"", name}
        if meant and is_behind(session, known[spectask], name):
            return await bring_in(session, known[spectask], name, uri)
    return Refusal(code="nothing-newer", message="No open document has a newer version.")
