"""What the gate before a provider costs a call that need not wait, beside a bare semaphore; and with sixty-four that do."""

from __future__ import annotations

import asyncio
import time

from bench.measure import Figure, compared, in_turn
from specthread.agents.provider import Provider
from specthread.agents.throttle import Throttle

CALLS = 1000
WAITERS = 64


def figures() -> list[Figure]:
    """Returns the figures of a gate nobody waits at, and of a crowded one."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    gate, semaphore = Provider(), asyncio.Semaphore(1000)

    async def ours() -> None:
        for _ in range(CALLS):
            place = await gate.enter("bench/ws-1")
            place.answered()
            place.leave()

    async def bare() -> None:
        for _ in range(CALLS):
            async with semaphore:
                pass

    mine, floor = await in_turn([ours, bare], rounds=30, warm=3)
    each = sorted(mine)[len(mine) // 2] * 1000 / CALLS
    alone = Figure(
        name="gate before a provider, nobody waits",
        target="≤ 50 µs a call",
        measured=f"{each:.1f} µs a call",
        holds=each <= 50,
        numbers={"microseconds": each},
    )
    peer = compared(f"{CALLS} passages of the gate", mine, floor, peer_name="bare semaphore")
    return [alone, peer, await _crowd()]


async def _crowd() -> Figure:
    gate = Provider(throttle=Throttle(most=1))

    async def calls(run: str) -> None:
        for _ in range(CALLS // 10):
            place = await gate.enter(run)
            await asyncio.sleep(0)
            place.answered()
            place.leave()

    start = time.perf_counter()
    await asyncio.gather(*(calls(f"bench/ws-{number}") for number in range(WAITERS)))
    each = (time.perf_counter() - start) * 1e6 / (WAITERS * CALLS // 10)
    return Figure(
        name=f"the same, {WAITERS} wait for one place",
        target="≤ 200 µs a call",
        measured=f"{each:.1f} µs a call",
        holds=each <= 200,
        numbers={"microseconds": each},
    )
