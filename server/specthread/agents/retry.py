"""When something that failed is tried again: exponential backoff with full jitter, one policy for each kind of action.

Whether a fault may be repeated at all is for the one who knows it: `ModelError.retryable` for model calls, `WORLD_FAULTS` for effects. Being refused for too many calls
is no failure of an action: the gate of `provider.py` says when the next one may leave, and no try is lost by it.

What is left to do is one line of arithmetic; a library for retries would bring loops of its own, where ours journal every try or follow the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LONGEST_ASKED = 86_400.0
"""Seconds; one that asks for more is asked again after these, so that somebody's wrong clock stops nobody for weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Says how often and when: `attempts` counts the tries after the first, None as long as the work is wanted; `base` and `cap` are seconds."""

    attempts: int | None
    base: float
    cap: float

    def allows(self, failures: int) -> bool:
        """Tells whether it is tried again after so many failures."""
        return self.attempts is None or failures <= self.attempts

    def wait(self, failures: int, draw: float, asked: float | None = None) -> float:
        """Returns the seconds to wait after failure number `failures`, from 1: what the other side asked for, else a part `draw` (0 to 1) of what doubles each time."""
        if asked is not None:
            return min(asked, LONGEST_ASKED)
        return draw * min(self.cap, self.base * 2.0 ** min(failures - 1, 60))


MODEL: Final = RetryPolicy(attempts=3, base=8.0, cap=60.0)
"""Model calls that broke: some seconds, growing, are what a person who watches bears before a word."""
EFFECT: Final = RetryPolicy(attempts=None, base=2.0, cap=60.0)
"""Background work under which git, disk or log failed."""
FORGE: Final = RetryPolicy(attempts=None, base=120.0, cap=3600.0)
"""Looks at a pull request that failed."""
