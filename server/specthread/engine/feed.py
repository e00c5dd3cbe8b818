"""What happens, told to whoever listens: durable events without gaps, streamed text where there is room.

A listener pulls. Events are never queued for it: it is told that there is more and reads from the last few thousand kept here, or from the log. So a slow listener costs nobody
memory, misses no event, and loses only streamed text.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Self

from specthread.domain.events import CallLost, Envelope
from specthread.domain.ids import RunId

RECENT = 4_096
RECENT_BYTES = 16 * 1024 * 1024
"""How much is kept here for listeners that are nearly up to date: so many events, and so much text in them."""
TICKS = 256
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A piece of streamed text of a run; may be lost. A `CallLost` of the run makes void what came since its last call."""

    run: RunId
    text: str


Note = Envelope | Tick


class Feed:
    """Keeps the last events and wakes the listeners."""

    def __init__(self, read: Callable[[int, int], Awaitable[tuple[Envelope, ...]]], last_seq: int) -> None:
        self._read = read
        self._recent: deque[Envelope] = deque()
        self._sizes: deque[int] = deque()
        self._kept = 0
        self._listeners: set[Subscription] = set()
        self.last_seq = last_seq

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Tells everybody about durable events."""
        for envelope in envelopes:
            self._keep(envelope)
        self.last_seq = envelopes[-1].seq
        broken = {envelope.event.run for envelope in envelopes if isinstance(envelope.event, CallLost)}
        for listener in self._listeners:
            listener.forget_text(broken)
            listener.wake()

    def _keep(self, envelope: Envelope) -> None:
        size = _size(envelope.event)
        self._recent.append(envelope)
        self._sizes.append(size)
        self._kept += size
        while len(self._recent) > RECENT or self._kept > RECENT_BYTES:
            self._recent.popleft()
            self._kept -= self._sizes.popleft()

    def tick(self, run: RunId, text: str) -> None:
        """Passes streamed text on."""
        for listener in self._listeners:
            listener.add_tick(Tick(run=run, text=text))

    def subscribe(self, since: int) -> Subscription:
        """Returns a listener that begins after event `since`."""
        listener = Subscription(self, since)
        self._listeners.add(listener)
        return listener

    def forget(self, listener: Subscription) -> None:
        """Keeps nothing for a listener any more."""
        self._listeners.discard(listener)

    async def after(self, seq: int) -> tuple[Envelope, ...]:
        """Returns the next events after `seq`, from memory where they are there."""
        if self._recent and self._recent[0].seq <= seq + 1:
            start = seq + 1 - self._recent[0].seq
            return tuple(self._recent[index] for index in range(start, min(start + CHUNK, len(self._recent))))
        return await self._read(seq, CHUNK)


def _size(value: Any) -> int:  # noqa: ANN401  an event, or anything in one
    """Returns about how many bytes of text an event holds."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(_size(key) + _size(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    if is_dataclass(value):
        return sum(_size(getattr(value, field.name)) for field in fields(value))
    return 0


class Subscription:
    """One listener's place in the feed; iterate over it."""

    def __init__(self, feed: Feed, since: int) -> None:
        self._feed = feed
        self._seq = since
        self._ticks: deque[Tick] = deque(maxlen=TICKS)
        self._ready: deque[Envelope] = deque()
        self._event = asyncio.Event()
        self._closed = False

    def wake(self) -> None:
        """Tells that there is something new."""
        self._event.set()

    def add_tick(self, tick: Tick) -> None:
        """Keeps streamed text if there is room; the oldest goes first."""
        self._ticks.append(tick)
        self._event.set()

    def forget_text(self, runs: Collection[RunId]) -> None:
        """Drops what these runs streamed: their call broke, and whoever hears of that must not be told its words afterwards."""
        if runs:
            self._ticks = deque((tick for tick in self._ticks if tick.run not in runs), maxlen=TICKS)

    def close(self) -> None:
        """Ends the iteration."""
        self._closed = True
        self._feed.forget(self)
        self._event.set()

    def __aiter__(self) -> Self:
        """Returns itself."""
        return self

    async def __anext__(self) -> Note:
        """Returns the next event, else the next streamed text, else waits."""
        while not self._closed:
            self._event.clear()
            if not self._ready and self._seq < self._feed.last_seq:
                self._ready.extend(await self._feed.after(self._seq))
            if self._ready:
                envelope = self._ready.popleft()
                self._seq = envelope.seq
                return envelope
            if self._ticks:
                return self._ticks.popleft()
            await self._event.wait()
        raise StopAsyncIteration
