"""How many calls a provider takes at once, found out from its answers: additive increase, multiplicative decrease.

Theory of operation. Nobody knows the provider's own limit, and others may use it too. A call that it refuses for being too much (429, 529) halves the limit, counted
from what was really under way; as many answers in a row as the limit is wide let it grow by one. Each call is stamped with the epoch it begins in, and a halving begins
the next one. Refusals of calls that were under way before it say nothing new, so one crowd of refusals halves the limit once; answers to them say nothing of the new
limit, so they do not let it grow. A refusal also closes the provider for as long as it asks for. One that asks for nothing, or for too little again and again, is left
alone for a time that doubles.

Everything here is arithmetic over a clock that is given, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from specthread.agents.retry import LONGEST_ASKED

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds that a provider is left alone which does not say how long it wants to be."""


@dataclass(slots=True, kw_only=True)
class Throttle:
    """Holds the limit, always from 1 to `most`, and counts what is under way; no call begins while that many are."""

    most: int
    limit: int = field(default=0, init=False)
    in_flight: int = field(default=0, init=False)
    reason: str = field(default="", init=False)
    """Why the limit was last lowered, until it is back at `most`."""
    _epoch: int = field(default=0, init=False)
    _answers: int = field(default=0, init=False)
    _strikes: int = field(default=0, init=False)
    _closed_until: float = field(default=-inf, init=False)

    def __post_init__(self) -> None:
        self.limit = self.most = max(1, self.most)

    def wait(self, now: float) -> float:
        """Returns the seconds until a call may begin: 0 if it may now, infinity if another must end first."""
        if self._closed_until > now:
            return self._closed_until - now
        return 0.0 if self.in_flight < self.limit else inf

    def closed_for(self, now: float) -> float:
        """Returns the seconds that it still asked for, else 0."""
        return max(0.0, self._closed_until - now)

    def begin(self) -> int:
        """Counts a call in and returns its epoch; only for one that needs not wait."""
        self.in_flight += 1
        return self._epoch

    def end(self) -> None:
        """Counts a call out, whatever came of it."""
        self.in_flight -= 1

    def answered(self, epoch: int) -> None:
        """Takes in that a call was answered."""
        if epoch != self._epoch:
            return
        self._strikes = 0
        self._answers += 1
        if self._answers >= self.limit:
            self._answers = 0
            self.limit = min(self.most, self.limit + 1)
        if self.limit == self.most:
            self.reason = ""

    def refused(self, epoch: int, now: float, reason: str, asked: float | None = None) -> None:
        """Takes in that a call, still counted as under way, was too much; `asked` are the seconds to be left alone that the provider named."""
        if epoch == self._epoch:
            self._epoch += 1
            self._answers = 0
            self._strikes += 1
            self.limit = max(1, min(self.limit, self.in_flight) // 2)
            self.reason = reason
        elif asked is None:
            return
        own = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._strikes - 1, 30))
        self.close(now, own if asked is None else max(asked, own if self._strikes > 1 else 0.0))

    def close(self, now: float, seconds: float) -> None:
        """Lets no call begin for so many seconds; a time that was named before and ends later stays."""
        self._closed_until = max(self._closed_until, now + min(seconds, LONGEST_ASKED))
