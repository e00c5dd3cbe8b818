"""How the daemon's cache does, on a screen."""

from __future__ import annotations

from rich.console import RenderableType

from specthread.cli.pages import table
from specthread.protocol.wire_locks import CacheResult


def cache_page(result: CacheResult) -> RenderableType:
    """Returns how the cache does."""
    made = table("", "")
    made.show_header = False
    asked = result.hits + result.misses
    rows = {
        "questions": f"{asked:,} since the daemon started, {result.hits:,} of them known ({result.hit_rate:.0%}), {result.misses:,} not",
        "values": f"{result.entries:,}, {result.bytes / 1e6:.1f} of {result.most_bytes / 1e6:.0f} MB",
        "gone": f"{result.evicted:,} to make room, {result.expired:,} because their time was over",
    }
    for name, value in rows.items():
        made.add_row(name, value)
    return made
