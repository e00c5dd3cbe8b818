"""Waiting for what another program does: as long as it takes, and not for ever."""

from __future__ import annotations

import time

PATIENCE = 60.0


def until(condition, seen):
    """Returns what a condition gives once it gives something; what is `seen` then is told where that takes too long."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, seen()
        time.sleep(0.05)
    return found
