"""Following what happens, for one client: events in order without gaps, streamed text where there is room.

The client is never written to faster than it reads. It loses streamed text at once; when it is more than `RESYNC_LAG` events late it gets one
`specthread/resync` in their place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from specthread.domain.events import Envelope
from specthread.domain.ids import SpecTaskId
from specthread.protocol import wire_notice
from specthread.protocol.port import EnginePort, StreamedText

RESYNC_LAG = 2000

_log = structlog.get_logger(__name__)


class Listener(Protocol):
    """The way to one client; each method that waits returns when the client has room for more."""

    async def say_event(self, envelope: Envelope) -> None:
        """Sends an event."""

    async def say_resync(self, resync: wire_notice.Resync) -> None:
        """Says that events were left out."""

    def say_text(self, tick: wire_notice.Tick) -> None:
        """Sends streamed text if the client reads; drops it if not."""


class Follower:
    """Sends one client what it follows: all events or those of one SpecTask. `lost` is called when that ends by a fault."""

    def __init__(self, engine: EnginePort, listener: Listener, lost: Callable[[], None], client: str) -> None:
        self._engine = engine
        self._listener = listener
        self._lost = lost
        self._client = client
        self._asked: tuple[int, SpecTaskId | None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    def ask(self, since: int, spectask: SpecTaskId | None) -> None:
        """Notes what is to be followed from the next `start` on, in place of what was followed before."""
        self._asked = (since, spectask)

    def start(self) -> None:
        """Begins to send what was asked for; to be called once the request that asked is answered."""
        if self._asked is None or self._is_over:
            return
        (since, spectask), self._asked = self._asked, None
        if self._task:
            self._task.cancel()
        self._task = asyncio.create_task(self._follow(since, spectask))
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Ends it for good: a client may die between its request and the start."""
        self._is_over = True
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if not isinstance(error, ConnectionError):
            _log.error("events lost", client=self._client, exc_info=error)
        # The client sees the end of the connection and asks again from its last event.
        self._lost()

    async def _follow(self, since: int, spectask: SpecTaskId | None) -> None:
        while True:
            since = await self._follow_until_late(since, spectask)

    async def _follow_until_late(self, since: int, spectask: SpecTaskId | None) -> int:
        """Sends events until this client is too late, and returns from where to go on then."""
        engine = self._engine
        subscription = engine.subscribe(since)
        was_level = False
        try:
            async for note in subscription:
                if not isinstance(note, Envelope):
                    self._say_text(note, spectask)
                    continue
                lag = engine.visible.sequence - note.seq
                # Old events that were asked for are no lag.
                was_level = was_level or lag == 0
                if was_level and lag > RESYNC_LAG:
                    latest = engine.visible.sequence
                    await self._listener.say_resync(wire_notice.Resync(instance=engine.instance, since=note.seq - 1, seq=latest))
                    return latest
                if spectask is None or note.spectask == spectask:
                    await self._listener.say_event(note)
        finally:
            subscription.close()
        raise ConnectionResetError("the engine ended the subscription")

    def _say_text(self, note: StreamedText, spectask: SpecTaskId | None) -> None:
        if spectask is None or note.run.startswith(f"{spectask}/"):
            self._listener.say_text(wire_notice.Tick(run=note.run, text=note.text))
