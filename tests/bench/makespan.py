"""How long a plan of twenty tasks takes: in the time of the script beside what no schedule can beat, and one after the other beside it."""

from __future__ import annotations

from bench.measure import Figure
from specthread.domain.run_options import RunOptions
from support.simulation import Simulation
from support.twenty_tasks import TWENTY, lower_bound, seconds

PLACES = (2, 3, 6)
TARGET = 1.05


def figures() -> list[Figure]:
    """Returns the makespan with two, three and six places."""
    alone = _played(1, RunOptions(mode="sequential"))
    return [_figure(places, _played(places, RunOptions()), alone) for places in PLACES]


def _played(places: int, options: RunOptions) -> float:
    world = Simulation()
    world.add("plan", TWENTY, options=options, max_parallel=places)
    return world.play(seconds)


def _figure(places: int, together: float, alone: float) -> Figure:
    bound = lower_bound(places)
    aimed = places == PLACES[-1]
    return Figure(
        name=f"twenty tasks, {places} at once",
        target=f"≤ {TARGET} x max(critical path, work ÷ places)" if aimed else "",
        measured=f"{together / bound:.3f} x ({together:,.0f} s); {1 - together / alone:.0%} less than one after the other",
        floor=f"{bound:,.0f} s; one after the other {alone:,.0f} s",
        holds=together <= TARGET * bound if aimed else None,
        numbers={"ratio": together / bound, "seconds": together, "sequential_seconds": alone},
    )
