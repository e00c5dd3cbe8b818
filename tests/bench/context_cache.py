"""What the cache of read texts costs: a value that is known and one that is not, beside a plain dict and beside reading the file again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measure import Figure, Step, in_turn, median
from specthread.engine.context_cache import ContextCache, content_key

VALUES = 1_000
SIZE = 4_000


VALUE = b"x" * SIZE


def figures() -> list[Figure]:
    """Returns the figures of hits and misses."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.py")
        path.write_bytes(VALUE)
        return asyncio.run(_measure(path))


async def _measure(path: Path) -> list[Figure]:
    keys = [_key(number) for number in range(VALUES)]
    cache, plain = ContextCache(), dict.fromkeys(keys, VALUE)
    for key in keys:
        cache.put(key, VALUE)
    small = ContextCache(most_bytes=VALUES * SIZE // 2)
    work: list[Callable[[], object]] = [
        lambda: [cache.get(key) for key in keys],
        lambda: [plain.get(key) for key in keys],
        lambda: [cache.get(_key(number)) for number in range(VALUES)],
        lambda: [small.put(key, VALUE) for key in keys if small.get(key) is None],
        lambda: [path.read_bytes() for _ in keys],
    ]
    samples = await in_turn([_step(each) for each in work], rounds=30, warm=2)
    hit, known, whole, miss, read = (median(each) * 1000 / VALUES for each in samples)
    assert cache.metrics.misses == small.metrics.hits == 0
    return [
        _told("cache hit", hit, limit=5, floor=f"plain dict {known:.2f} µs"),
        _told("cache hit, its key made from content", whole, limit=25, floor=f"reading a file of {SIZE:,} bytes again {read:.1f} µs"),
        _told("cache miss, kept, another one dropped", miss, limit=15, floor=f"reading that file {read:.1f} µs"),
    ]


def _key(number: int) -> str:
    return content_key("read/commit", "/work", "read", {"path": f"src/{number}.py"})


def _step(work: Callable[[], object]) -> Step:
    async def step() -> object:
        return work()

    return step


def _told(name: str, each: float, *, limit: float, floor: str) -> Figure:
    return Figure(
        name=name, target=f"≤ {limit:g} µs", measured=f"{each:.2f} µs", floor=floor, holds=each <= limit, numbers={"microseconds": each}
    )
