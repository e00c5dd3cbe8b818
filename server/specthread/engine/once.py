"""Works a thing out once, however many ask for it at the same time, and remembers the last of what it worked out for as long as it holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

REMEMBERED = 256


@dataclass(slots=True, kw_only=True)
class Once(Generic[T]):
    """Values by what they follow from."""

    now: Callable[[], float] = time.monotonic
    _known: dict[Hashable, tuple[T, float]] = field(default_factory=dict)
    _working: dict[Hashable, asyncio.Lock] = field(default_factory=dict)

    async def get(self, key: Hashable, work: Callable[[], Awaitable[T]], holds: Callable[[T], float]) -> T:
        """Returns the value of a key; who asks while it is worked out waits for it, and does the work itself should that be broken off.

        `holds` tells for how many seconds the value is believed before it is worked out again.
        """
        async with self._working.setdefault(key, asyncio.Lock()):
            value, until = self._known.get(key, (None, 0.0))
            if value is not None and self.now() < until:
                return value
            value = await work()
            self._known[key] = value, self.now() + holds(value)
        while len(self._known) > REMEMBERED:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._working.pop(oldest, None)
        return value
