"""One editor's connection: reads its messages, lets the features answer them, and takes everything apart when it goes.

The features of a connection share one `Session`; each registers its handlers on the editor object and knows nothing of the others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from specthread.protocol import wire_notice
from specthread.protocol.encode import EventBodies, notification
from specthread.protocol.lsp import actions, commands, custom, documents, edit_actions, language, language_edit, lenses, news
from specthread.protocol.lsp.editor import Editor
from specthread.protocol.lsp.frames import BoundedWriter, FrameError, framed, read_body
from specthread.protocol.lsp.session import Presence, Session

__all__ = ["LspConnection", "Presence"]
from specthread.protocol.port import Ports
from specthread.protocol.visitor import Visitor

_log = structlog.get_logger(__name__)


class LspConnection:
    """One editor over a socket. `presence` is shared by all connections; `clients` counts them."""

    def __init__(
        self,
        ports: Ports,
        visitor: Visitor,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        bodies: EventBodies,
        presence: Presence,
        clients: Callable[[], int],
    ) -> None:
        self._reader = reader
        self._writer = BoundedWriter(writer)
        self._editor = Editor(self._writer, lambda name, arguments: commands.execute(self._session, name, arguments))
        self._session = Session(editor=self._editor, ports=ports, visitor=visitor, presence=presence, clients=clients, bodies=bodies)
        for feature in (documents, language, language_edit, lenses, custom, commands, news):
            feature.install(self._session)
        actions.install(self._session, (edit_actions.actions, lenses.actions))

    async def run(self) -> None:
        """Handles messages until the editor goes."""
        try:
            while not self._editor.ended and (body := await read_body(self._reader)) is not None:
                self._editor.take(body)
                if self._writer.is_behind:
                    # A client that does not read is not read from either.
                    await self._writer.wait_room()
        except FrameError as error:
            _log.info("an editor's stream made no sense", client=self._session.name, reason=str(error))
        finally:
            await self._session.close()
            self._editor.end()
            with contextlib.suppress(ConnectionError):
                self._writer.close()

    def say_stopping(self, reason: str) -> None:
        """Says that the daemon stops; the shim reads it too."""
        self._writer.write(framed(notification("specthread/stopping", wire_notice.Stopping(reason=reason))))
