"""The gate before a provider: calls beyond what it takes now wait here, in order, and nobody fails because there are many.

All runs that use one provider pass one gate. Which provider that is follows from base URL and key, never from the model: that is what providers count by, and one
client of the Messages API has exactly one of each. Runs are let through by the number they drew when they first asked; a run whose call was refused keeps its number, so it
goes before those that came later, and nobody starves. Only the first in line watches the clock, the others sleep until it has gone.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from specthread.agents.breaker import Breaker
from specthread.agents.throttle import Throttle
from specthread.domain.ids import RunId
from specthread.domain.provider import ProviderState

MANY = 1000
"""The most calls at once where nobody set a limit, as for a scripted model."""

LONGEST_HOLD = 60.0


@dataclass(slots=True, kw_only=True)
class Provider:
    """Is the gate of one provider; `clock` counts seconds and `sleep` waits for them."""

    name: str = "the provider"
    throttle: Throttle = field(default_factory=lambda: Throttle(most=MANY))
    breaker: Breaker = field(default_factory=Breaker)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    has_answered: bool = field(default=False, init=False)
    """Whether it ever took a call, so that a key which it refuses now is one that it took before."""
    _numbers: Iterator[int] = field(default_factory=itertools.count, init=False)
    _number_of: dict[str, int] = field(default_factory=dict, init=False)
    _waiting: dict[int, tuple[str, asyncio.Event]] = field(default_factory=dict, init=False)

    async def enter(self, run: str) -> Place:
        """Returns a place for one call of a run, once it is its turn; being cancelled gives the turn to the next."""
        number = self._number_of.setdefault(run, next(self._numbers))
        wake = asyncio.Event()
        self._waiting[number] = run, wake
        try:
            while (seconds := self._wait(number)) > 0:
                await self._woken(wake, seconds)
            return Place(provider=self, run=run, epoch=self.throttle.begin(), probe=self.breaker.begin())
        finally:
            del self._waiting[number]
            self._wake_first()

    def forget(self, run: str) -> None:
        """Gives up the number of a run that has ended."""
        self._number_of.pop(run, None)

    def hold(self, seconds: float) -> None:
        """Lets no call leave for so many seconds, a minute at most: the provider said that nothing is left of an allowance until then.

        It answered while it said so. Allowances are counted by the minute, and a server that always says nothing is left must not stop everybody.
        """
        self.throttle.close(self.clock(), min(seconds, LONGEST_HOLD))

    @property
    def is_open(self) -> bool:
        """Tells whether nothing but a probe is sent now, so that whoever wants to try again waits here."""
        return self.breaker.state != "closed"

    def state(self, now: datetime) -> ProviderState:
        """Returns how the provider stands, with times told from `now`."""
        clock = self.clock()
        pause = max(self.throttle.closed_for(clock), self.breaker.wait(clock))
        return ProviderState(
            name=self.name,
            limit=self.throttle.limit,
            most=self.throttle.most,
            in_flight=self.throttle.in_flight,
            waiting=tuple(RunId(self._waiting[number][0]) for number in sorted(self._waiting)),
            circuit=self.breaker.state,
            reason=self.throttle.reason if self.breaker.state == "closed" else self.breaker.reason,
            wants_person=self.breaker.for_all,
            again=now + timedelta(seconds=pause) if 0 < pause < inf else None,
        )

    def _wait(self, number: int) -> float:
        if number != min(self._waiting):
            return inf
        now = self.clock()
        return max(self.throttle.wait(now), self.breaker.wait(now))

    async def _woken(self, wake: asyncio.Event, seconds: float) -> None:
        """Returns when something has changed for the one who waits, or after so many seconds."""
        wake.clear()
        if seconds == inf:
            await wake.wait()
            return
        tasks = asyncio.ensure_future(wake.wait()), asyncio.ensure_future(self.sleep(seconds))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _wake_first(self) -> None:
        if self._waiting:
            self._waiting[min(self._waiting)][1].set()

    def _ended(self, place: Place) -> None:
        self.throttle.end()
        self.breaker.dropped(place.probe)
        self._wake_first()


@dataclass(slots=True, kw_only=True)
class Place:
    """Is the room of one call at its provider, given back by `leave`; what came of the call is told before, at most once.

    `probe` is the number under which an open circuit let it through to find out whether the world works again, else 0.
    """

    provider: Provider
    run: str
    epoch: int
    probe: int
    _left: bool = field(default=False, init=False)

    def answered(self) -> None:
        """Tells that the provider answered, be it with a refusal of the request's content."""
        self.provider.has_answered = True
        self.provider.forget(self.run)
        self.provider.throttle.answered(self.epoch)
        self.provider.breaker.answered()

    def refused(self, reason: str, asked: float | None) -> None:
        """Tells that the call was too much for the provider, which asked to be left alone for `asked` seconds."""
        self.provider.throttle.refused(self.epoch, self.provider.clock(), reason, asked)
        self.provider.breaker.answered()

    def failed(self, reason: str, *, for_all: bool = False) -> None:
        """Tells that the world failed under the call, or would `for_all`."""
        self.provider.breaker.failed(self.provider.clock(), reason, self.probe, for_all=for_all)

    def leave(self) -> None:
        """Gives the place back; a second time changes nothing."""
        if not self._left:
            self._left = True
            self.provider._ended(self)  # noqa: SLF001  the two are one thing in two halves
