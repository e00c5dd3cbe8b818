"""Numbers of ports for sessions: each gets a block of its own, of which nothing on this machine listens on any when it is given."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BLOCK = 10
HIGHEST = 65_535


@dataclass(slots=True, kw_only=True)
class PortBlocks:
    """Gives out blocks of ten ports from `first` upwards."""

    first: int = 42_000
    _taken: set[int] = field(default_factory=set, init=False)

    @contextmanager
    def block(self) -> Iterator[int]:
        """Holds a block; yields its first port, or 0 where none is left."""
        found = next((port for port in range(self.first, HIGHEST - BLOCK, BLOCK) if port not in self._taken and _is_free(port)), 0)
        self._taken.add(found)
        try:
            yield found
        finally:
            self._taken.discard(found)


def _is_free(first: int) -> bool:
    for port in range(first, first + BLOCK):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
