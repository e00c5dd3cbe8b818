"""How a figure is measured and told: two things in turn in the same run, their median and 99th percentile, and whether the target holds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

Step = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table.

    `floor` is what the same work costs without us, `holds` is None where there is no target but a comparison, and `numbers` are what a
    program may read, in milliseconds unless named.
    """

    name: str
    target: str = ""
    measured: str
    floor: str = ""
    holds: bool | None = None
    numbers: dict[str, float] = field(default_factory=dict)


async def in_turn(steps: Sequence[Step], *, rounds: int, block: int = 1, warm: int = 1) -> list[list[float]]:
    """Returns the milliseconds of each step's runs; steps take turns by blocks, so that a disturbance of the machine meets all of them."""
    samples: list[list[float]] = [[] for _ in steps]
    for number in range(-warm, rounds):
        for step, taken in zip(steps, samples, strict=True):
            for _ in range(block):
                start = time.perf_counter()
                await step()
                if number >= 0:
                    taken.append((time.perf_counter() - start) * 1000)
    return samples


def median(samples: Sequence[float]) -> float:
    """Returns the middle of the samples."""
    return statistics.median(samples)


def p99(samples: Sequence[float]) -> float:
    """Returns the value that ninety-nine in a hundred samples do not pass."""
    return sorted(samples)[max(0, -(-len(samples) * 99 // 100) - 1)]


def at_most(name: str, samples: Sequence[float], *, limit: float, tail: bool) -> Figure:
    """Returns the figure of samples whose median, or 99th percentile with `tail`, may be `limit` milliseconds."""
    value = p99(samples) if tail else median(samples)
    return Figure(
        name=name,
        target=f"≤ {limit:g} ms {'p99' if tail else 'median'}",
        measured=spread(samples),
        holds=value <= limit,
        numbers={"median": median(samples), "p99": p99(samples)},
    )


def compared(name: str, samples: Sequence[float], peer: Sequence[float], *, peer_name: str) -> Figure:
    """Returns the figure of samples beside those of a peer, without a target."""
    return replace(beside(name, samples, peer, floor_name=peer_name, ratio=1), target=f"(x {peer_name})", holds=None)


def beside(name: str, samples: Sequence[float], floor: Sequence[float], *, floor_name: str, ratio: float) -> Figure:
    """Returns the figure of samples whose median may be `ratio` times the median of the floor."""
    found = median(samples) / median(floor)
    return Figure(
        name=name,
        target=f"≤ {ratio:g} x {floor_name}",
        measured=f"{found:.2f} x ({spread(samples)})",
        floor=spread(floor),
        holds=found <= ratio,
        numbers={"ratio": found, "median": median(samples), "p99": p99(samples), "floor_median": median(floor), "floor_p99": p99(floor)},
    )


def spread(samples: Sequence[float]) -> str:
    """Returns median and 99th percentile in words."""
    return f"{_short(median(samples))} ms, p99 {_short(p99(samples))}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
