"""What the features of one editor's connection share: who it is, what it shows, and the tasks that work for it.

`Presence` is shared by all connections: it knows which editor a person touched last, so that a question is put once and to the right place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import structlog
from lsprotocol import types as lsp

from specthread.domain.events import Envelope
from specthread.domain.ids import SpecTaskId
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.protocol import wire_notice
from specthread.protocol.call import explained
from specthread.protocol.encode import EventBodies, encoded
from specthread.protocol.follow import Follower
from specthread.protocol.lsp.editor import Editor
from specthread.protocol.lsp.frames import framed
from specthread.protocol.lsp.shelf import ShelfReader
from specthread.protocol.lsp.texts import Encoding
from specthread.protocol.port import Fault, Ports
from specthread.protocol.visitor import Visitor

_log = structlog.get_logger(__name__)
_numbers = count(1)


@dataclass(slots=True, kw_only=True)
class Presence:
    """The connected editors; the one that was touched last comes last."""

    sessions: dict[str, Session] = field(default_factory=dict)
    asked: dict[Hashable, Session] = field(default_factory=dict)
    """Who asks a person about what."""

    def touch(self, session: Session) -> None:
        """Notes that a person did something in an editor; what nobody was asked about yet may be asked there now."""
        if not session.is_ready or next(reversed(self.sessions), "") == session.key:
            return
        self.sessions.pop(session.key, None)
        self.sessions[session.key] = session
        session.recheck_all()

    def leave(self, session: Session) -> None:
        """Notes that an editor went away; what it was asked and did not answer may be asked elsewhere."""
        self.sessions.pop(session.key, None)
        for subject in [subject for subject, asking in self.asked.items() if asking is session]:
            del self.asked[subject]
        for other in tuple(self.sessions.values()):
            other.recheck_all()

    def claim(self, subject: Hashable, session: Session) -> bool:
        """Tells whether an editor may ask about a subject: nobody else does."""
        return self.asked.setdefault(subject, session) is session

    def settle(self, subject: Hashable) -> None:
        """Notes that a subject is answered."""
        self.asked.pop(subject, None)

    def is_foremost(self, session: Session, spectask: SpecTask) -> bool:
        """Tells whether a message box about a SpecTask belongs into this editor: of those that show boxes and that it concerns, the one touched last."""
        fit = [each for each in self.sessions.values() if not each.editor.is_rich and each.concerns(spectask)]
        return bool(fit) and fit[-1] is session


class Session:
    """One editor with everything the daemon keeps for it."""

    def __init__(
        self, *, editor: Editor, ports: Ports, visitor: Visitor, presence: Presence, clients: Callable[[], int], bodies: EventBodies
    ) -> None:
        self.editor = editor
        self.ports = ports
        self.presence = presence
        self.clients = clients
        self.key = f"{visitor.name}#{next(_numbers)}"
        self.shown: dict[str, tuple[SpecTaskId, str]] = {}
        """The live documents that are open, by the address the editor uses: the SpecTask and the document's name."""
        self.active: SpecTaskId | None = None
        """The SpecTask of the document the person was in last."""
        self.shelves = ShelfReader(ports, editor)
        """The specs around the documents that are open."""
        self.checkouts: frozenset[str] = frozenset()
        """The folders whose SpecTasks belong into this window; none stands for all."""
        self.is_ready = False
        """Whether the editor has said that it is set up; before that nothing is known of it."""
        self.on_news: list[Callable[[SpecTaskId], object]] = []
        """Called with a SpecTask whose durable state has changed."""
        self.on_close: list[Callable[[], object]] = []
        self._visitor = visitor
        self._bodies = bodies
        self._tasks: set[asyncio.Task[Any]] = set()
        self._follower = Follower(ports.engine, self, self._lost, visitor.name)

    # --- what a request may use of the client -------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The client, for logs and sentences."""
        return self._visitor.name

    @property
    def cwd(self) -> str:
        """The folder the client was started in."""
        return self._visitor.cwd

    @property
    def is_back(self) -> bool:
        """Whether the editor was here before its daemon went away."""
        return self._visitor.is_back

    async def actor(self, folder: str) -> Actor:
        """Returns the human behind this client, as known to the repository around a folder."""
        return await self._visitor.actor(folder)

    def follow(self, since: int, spectask: SpecTaskId | None) -> None:
        """Sends events after `since` once the request that asks is answered."""
        self._follower.ask(since, spectask)
        asyncio.get_running_loop().call_soon(self._follower.start)

    # --- events, for clients with faces of their own --------------------------------------------------------------------------

    async def say_event(self, envelope: Envelope) -> None:
        """Sends an event."""
        self.editor.writer.write(framed(self._bodies.body(envelope)))
        await self.editor.writer.wait_room()

    async def say_resync(self, resync: wire_notice.Resync) -> None:
        """Says that events were left out."""
        self.editor.writer.write(framed(b'{"jsonrpc":"2.0","method":"specthread/resync","params":%b}' % encoded(resync)))
        await self.editor.writer.wait_room()

    def say_text(self, tick: wire_notice.Tick) -> None:
        """Sends streamed text if the client reads."""
        if not self.editor.writer.is_behind:
            self.editor.writer.write(framed(b'{"jsonrpc":"2.0","method":"specthread/tick","params":%b}' % encoded(tick)))

    def _lost(self) -> None:
        self.editor.writer.close()

    # --- people and work ------------------------------------------------------------------------------------------------------

    @property
    def encoding(self) -> Encoding:
        """The units in which this editor counts columns."""
        return self.editor.workspace.position_encoding or lsp.PositionEncodingKind.Utf16

    def text(self, uri: str) -> bytes:
        """Returns what the editor shows under an address."""
        return self.editor.workspace.get_text_document(uri).source.encode("utf-8", "replace")

    def touch(self) -> None:
        """Notes that a person did something here."""
        self.presence.touch(self)

    def recheck(self, spectask: SpecTaskId) -> None:
        """Has everything that shows a SpecTask look at it again."""
        for listener in self.on_news:
            listener(spectask)

    def recheck_all(self) -> None:
        """The same for every SpecTask."""
        for spectask in self.ports.engine.visible.spectasks:
            self.recheck(spectask)

    def concerns(self, spectask: SpecTask) -> bool:
        """Tells whether a SpecTask belongs into this editor's window: its repository is open here, or one of its documents."""
        return not self.checkouts or spectask.repository in self.checkouts or any(shown == spectask.id for shown, _ in self.shown.values())

    def refuse(self, refusal: Refusal) -> None:
        """Shows why something did not happen."""
        self.editor.say(f"{refusal.message} {refusal.hint}".strip(), lsp.MessageType.Warning)

    async def tell(self, work: Awaitable[object], name: str) -> None:
        """Does what a person asked for and tells what came of it; a mistake of ours is logged and told, and the connection goes on."""
        try:
            outcome = await work
        except Exception as error:  # noqa: BLE001  the edge of what a person asked for
            outcome = explained(self.ports, name, error, self.name)
        if isinstance(outcome, Fault):
            self.editor.say(f"{outcome.refusal.message} {outcome.refusal.hint}".strip(), lsp.MessageType.Error)
        elif isinstance(outcome, Refusal):
            self.refuse(outcome)
        elif isinstance(outcome, str) and outcome:
            self.editor.say(outcome)

    def begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Does work for this editor; it ends with the connection, and its failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, ConnectionError):
            _log.error("work for an editor failed", client=self.name, exc_info=error)

    async def close(self) -> None:
        """Ends everything that was done for this editor."""
        self.presence.leave(self)
        for end in self.on_close:
            end()
        await self._follower.stop()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
