"""What a model call used, by the kinds that have prices of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Counts tokens of one call; `input` leaves out what was read from or written to the cache.

    `cache_write` is kept for five minutes, `cache_write_1h` for an hour. `estimated` tells that a broken call did not say what it used in the end.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    estimated: bool = False
    cache_write_1h: int = 0

    @property
    def sent(self) -> int:
        """Counts everything the model was given."""
        return self.input + self.cache_read + self.cache_write + self.cache_write_1h
