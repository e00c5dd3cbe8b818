"""How much memory a command takes with everything it started, and the end of it when that is too much.

Counted is what is resident: a limit on addresses (`ulimit -v`) would end node and the JVM, which reserve far more than they use. What several processes share
counts once, as far as the system tells. A command that grows faster than it is looked at may pass the limit for a moment.
"""

import asyncio
from collections.abc import Iterable

import psutil  # type: ignore[import-untyped]  # it has no types of its own

MIB = 1024 * 1024
_SOON = 0.1
_LATER = 0.5
"""Seconds between two looks: near the limit, and far from it."""


async def until_over(pid: int, limit_mb: int) -> None:
    """Returns once a process and its descendants take more than so many MiB; never where they do not."""
    taken, pause = 0, _SOON
    while taken <= limit_mb * MIB:
        await asyncio.sleep(pause)
        look = asyncio.ensure_future(asyncio.to_thread(_resident, pid, limit_mb * MIB))
        try:
            taken = await asyncio.shield(look)
        except asyncio.CancelledError:
            await asyncio.wait({look})  # a look that goes on would hold files of /proc open
            raise
        pause = _SOON if 2 * taken > limit_mb * MIB else _LATER


def _resident(pid: int, limit: int) -> int:
    """Returns the bytes that a tree of processes takes; only where it could be too much, what they share is looked at, which takes longer."""
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    taken = _sum(tree, shared=True)
    return taken if taken <= limit else _sum(tree, shared=False)


def _sum(tree: Iterable[psutil.Process], *, shared: bool) -> int:
    total = 0
    for process in tree:
        try:
            memory = process.memory_info()
            if not shared:
                memory = process.memory_full_info()
        except psutil.AccessDenied:
            pass  # what it takes with what it shares is known, and counts
        except psutil.Error:
            continue  # it has ended meanwhile
        total += memory.rss if shared else getattr(memory, "pss", memory.rss)
    return total
