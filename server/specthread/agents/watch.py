"""How much memory a command takes with everything it started, how many that is, and the end of it when it is too much.

Counted is what is resident: a limit on addresses (`ulimit -v`) would end node and the JVM, which reserve far more than they use. What several processes share
counts once, as far as the system tells. A command that grows faster than it is looked at may pass the limit for a moment.
The number is counted here, too, because the system holds nobody to it whom root's daemon started.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]  # it has no types of its own

MIB = 1024 * 1024
_SOON = 0.1
_LATER = 0.5
"""Seconds between two looks: near the limit, and far from it."""
_FEW = 64
"""Processes up to which nobody need look often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLimits:
    """What a process and its descendants may be: MiB that are resident, and how many they are."""

    memory_mb: int
    processes: int


async def until_over(pid: int, limits: TreeLimits) -> str:
    """Returns what was too much, in words that follow “it”, once a process and its descendants are more than they may be; never where they are not."""
    limit, pause = limits.memory_mb * MIB, _SOON
    while True:
        await asyncio.sleep(pause)
        look = asyncio.ensure_future(asyncio.to_thread(_looked, pid, limit, limits.processes))
        try:
            taken, count = await asyncio.shield(look)
        except asyncio.CancelledError:
            await asyncio.wait({look})  # a look that goes on would hold files of /proc open
            raise
        if count > limits.processes:
            return f"started more than {limits.processes} processes"
        if taken > limit:
            return f"took more than {limits.memory_mb} MiB of memory, with all it had started"
        pause = _SOON if 2 * taken > limit or count > _FEW else _LATER


def _looked(pid: int, limit: int, most: int) -> tuple[int, int]:
    """Returns the bytes that a tree of processes takes and how many they are; only where it could be too much, what they share is looked at, which takes longer."""
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0, 0
    taken = 0 if len(tree) > most else _sum(tree, shared=True)
    return taken if taken <= limit else _sum(tree, shared=False), len(tree)


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
