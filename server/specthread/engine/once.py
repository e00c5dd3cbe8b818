"""Works a thing out once, however many ask for it at the same time, and remembers the last of what it worked out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

REMEMBERED = 64


@dataclass(slots=True, kw_only=True)
class Once(Generic[T]):
    """Values by what they follow from."""

    _known: dict[Hashable, T] = field(default_factory=dict)
    _working: dict[Hashable, asyncio.Lock] = field(default_factory=dict)

    async def get(self, key: Hashable, work: Callable[[], Awaitable[T]], lasts: Callable[[T], bool]) -> T:
        """Returns the value of a key; who asks while it is worked out waits for it, and does the work itself should that be broken off.

        `lasts` tells whether the value will be the same the next time, else it is worked out again.
        """
        async with self._working.setdefault(key, asyncio.Lock()):
            if key in self._known:
                return self._known[key]
            value = await work()
            if lasts(value):
                self._known[key] = value
        while len(self._known) > REMEMBERED:
            oldest = next(iter(self._known))
            del self._known[oldest], self._working[oldest]
        return value
