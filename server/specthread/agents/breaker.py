"""Whether anything is sent at all: a circuit breaker, so that a world that is down is not asked by everybody all the time.

Theory of operation. `failures` faults of the world in a row open it, and so does one that would meet every call, such as a key that is refused. While it is open
nothing is sent, for a time that doubles with each opening; then one call is let through as a probe. An answer closes it, a fault opens it again. A probe that comes to
nothing (its run was stopped) leaves the way to the next one. An answer to a call that was sent before the opening closes it as well: the world works. Faults of such calls
say nothing new.

Everything here is arithmetic over a clock that is given, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from specthread.domain.provider import Circuit


@dataclass(slots=True, kw_only=True)
class Breaker:
    """Holds the state; `first` and `longest` are the seconds it stays open the first time and at most."""

    failures: int = 5
    first: float = 10.0
    longest: float = 300.0
    state: Circuit = field(default="closed", init=False)
    reason: str = field(default="", init=False)
    """What the last fault said, until there is an answer."""
    for_all: bool = field(default=False, init=False)
    """Whether that fault would meet every call until a person does something."""
    _in_a_row: int = field(default=0, init=False)
    _openings: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)
    _probes: int = field(default=0, init=False)

    def wait(self, now: float) -> float:
        """Returns the seconds until a call may begin: 0 if it may now, infinity if it hangs on a probe."""
        if self.state == "closed":
            return 0.0
        return max(0.0, self._until - now) if self.state == "open" else inf

    def begin(self) -> int:
        """Returns the number of the probe that the beginning call is, or 0; only for one that needs not wait."""
        if self.state == "closed":
            return 0
        self.state = "half-open"
        self._probes += 1
        return self._probes

    def answered(self) -> None:
        """Takes in that a call was answered, with whatever."""
        self.state, self.reason, self._in_a_row, self._openings, self.for_all = "closed", "", 0, 0, False

    def failed(self, now: float, reason: str, probe: int, *, for_all: bool = False) -> None:
        """Takes in that the world failed under a call; `for_all` tells that it would under every other."""
        decides = self._is_out(probe)
        if self.state != "closed" and not decides:
            return
        self.reason, self.for_all = reason, for_all
        self._in_a_row += 1
        if decides or for_all or self._in_a_row >= self.failures:
            self.state = "open"
            self._until = now + min(self.longest, self.first * 2.0 ** min(self._openings, 30))
            self._openings += 1

    def dropped(self, probe: int) -> None:
        """Takes in that a call came to nothing: where it was the probe that everybody waits for, the next call is one."""
        if self._is_out(probe):
            self.state = "open"

    def _is_out(self, probe: int) -> bool:
        return self.state == "half-open" and probe == self._probes
