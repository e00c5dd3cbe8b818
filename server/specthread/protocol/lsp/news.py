"""What happens in the daemon, told to the features of one editor: each SpecTask that changed, a moment after it did."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types as lsp
from pygls.uris import to_fs_path

from specthread.domain.events import Envelope
from specthread.domain.ids import SpecTaskId
from specthread.protocol.lsp.needs import Needs
from specthread.protocol.lsp.progress import Progress
from specthread.protocol.lsp.session import Session

GATHER_SECONDS = 0.1
"""Changes of a SpecTask within so many seconds are told once."""


def install(session: Session) -> None:
    """Begins to listen once the editor is ready."""
    progress, needs = Progress(session), Needs(session)
    session.on_news += [progress.changed, needs.changed]

    @session.editor.feature(lsp.INITIALIZED)
    def initialized(_: lsp.InitializedParams) -> None:
        session.is_ready = True
        session.touch()
        session.begin(_listen(session, needs))

    @session.editor.feature(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def cancelled(params: lsp.WorkDoneProgressCancelParams) -> None:
        progress.cancelled(params.token)


async def _listen(session: Session, needs: Needs) -> None:
    session.checkouts = await _checkouts(session)
    engine = session.ports.engine
    subscription = engine.subscribe(engine.visible.sequence)
    session.on_close.append(subscription.close)
    needs.begin()
    session.recheck_all()
    gathered: set[SpecTaskId] = set()

    def tell() -> None:
        told, known = tuple(gathered), engine.visible.spectasks
        gathered.clear()
        for spectask in told:
            if spectask in known:
                session.recheck(spectask)

    async for note in subscription:
        if isinstance(note, Envelope):
            if not gathered:
                asyncio.get_running_loop().call_later(GATHER_SECONDS, tell)
            gathered.add(note.spectask)


async def _checkouts(session: Session) -> frozenset[str]:
    """Returns the folders whose SpecTasks belong into this window; none where its folders are in no repository, which stands for all."""
    workspace = session.editor.workspace
    roots = [to_fs_path(folder.uri) for folder in workspace.folders.values()] or [workspace.root_path or session.cwd]
    found: set[str] = set()
    for root in filter(None, roots):
        try:
            found |= await session.ports.checkouts_at(Path(root))
        except Exception as error:  # a folder that is in no repository, or that git will not read, has no SpecTasks of its own
            if session.ports.fault_of(error) is None:
                raise
    return frozenset(found)
