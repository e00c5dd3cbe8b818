"""How many tokens a request has: as its server counts them where it can, else as text of that length usually has, which is then said."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from specthread.agents.backend import ModelRequest
from specthread.agents.compaction import encoded

BYTES_PER_TOKEN: Final = 3.5
"""What text and code take on average; single texts take from 2 to 5."""
DOUBT: Final = 2
"""By which factor an estimate may be wrong: what is farther away from a bound needs no count."""
_KEPT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Is how many tokens a request has; `is_exact` where its server counted them."""

    tokens: int
    is_exact: bool

    def __str__(self) -> str:
        """Returns the number in words that say whether it was counted."""
        return f"{self.tokens:,} tokens" if self.is_exact else f"about {self.tokens:,} tokens (estimated from its length)"


@dataclass(slots=True)
class TokenCounts:
    """Remembers what was counted, by the content of the request, for the last few hundred of them."""

    _known: dict[bytes, int] = field(default_factory=dict)

    async def of(self, request: ModelRequest, ask: Callable[[], Awaitable[int | None]]) -> Counted:
        """Returns how many tokens a request has; `ask` gives None where its server does not count."""
        key = hashlib.sha256(encoded((request.model, request.system, request.messages, request.tools, request.schema))).digest()
        if key not in self._known:
            if (counted := await ask()) is None:
                return estimated(request)
            while len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = counted
        return Counted(tokens=self._known[key], is_exact=True)


def estimated(request: ModelRequest) -> Counted:
    """Returns how many tokens a request of this length usually has."""
    size = len(encoded((request.system, request.messages, request.tools, request.schema)))
    return Counted(tokens=round(size / BYTES_PER_TOKEN), is_exact=False)
