"""What a decision of the scheduler costs, and whether that grows with what waits: from a session's end to the start of the next one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.measure import Figure, median
from specthread.plan.capacity import Capacity
from specthread.plan.lane import PATIENCE_SECONDS
from specthread.plan.schedule import ready
from support.simulation import Simulation, planned

FEW, MANY = 100, 1_000
PLACES = 20
ROUNDS = 50
REPEATS = 6
"""Worlds measured, so that few remain few while their tasks begin."""
RATIO = 1.2


Answer = TypeVar("Answer")


@dataclass(slots=True)
class Cost:
    """Microseconds of the queue alone, and with the commands decided and folded."""

    queue: list[float]
    whole: list[float]


def figures() -> list[Figure]:
    """Returns the cost per session with few and with many waiting, over many SpecTasks and in one."""
    found = []
    for name, tasks, uses in (
        ("two tasks in each SpecTask", 2, ()),
        ("one resource for all of them", 2, ("database:test",)),
        ("all in one SpecTask", 0, ()),
    ):
        few, many = _costs(tasks, uses)
        found.append(_compared(f"a session scheduled, {name}", few.queue, many.queue, target=True))
        found.append(_compared(f"the same with its commands decided, {name}", few.whole, many.whole, target=tasks > 0))
    return [*found, _handed_on(), _anew()]


def _world(queued: int, tasks: int, uses: tuple[str, ...] = ()) -> Simulation:
    world = Simulation(Capacity(sessions=PLACES))
    each = tasks or queued + PLACES + ROUNDS
    for number in range((queued + PLACES + ROUNDS) // each):
        world.add(f"spec-{number:04}", [planned(str(task), uses=uses) for task in range(1, each + 1)], max_parallel=PLACES)
    world.schedule()
    world.seconds += PATIENCE_SECONDS
    return world


def _costs(tasks: int, uses: tuple[str, ...]) -> tuple[Cost, Cost]:
    """Returns the costs with few and with many, measured in turn, so that a disturbance of the machine meets both."""
    few, many = Cost(queue=[], whole=[]), Cost(queue=[], whole=[])
    for _ in range(REPEATS):
        lines = (_Line(_world(FEW, tasks, uses), few), _Line(_world(MANY, tasks, uses), many))
        for _ in range(ROUNDS):
            for line in lines:
                line.step()
    return few, many


class _Line:
    """A world in which one session ends and the next begins, with what that costs."""

    def __init__(self, world: Simulation, cost: Cost) -> None:
        self._cost = cost
        self._world = world
        self._running = [session.id for session in world.at_work()]
        self._spent = 0.0
        take, follow = world.queue.take, world.queue.follow
        world.queue.take = lambda *given: self._timed(take, *given)  # type: ignore[method-assign]
        world.queue.follow = lambda *given: self._timed(follow, *given)  # type: ignore[method-assign]

    def step(self) -> None:
        world = self._world
        self._spent, begun = 0.0, time.perf_counter()
        world.merge(self._running.pop(0))
        (command,) = world.schedule()
        self._cost.whole.append((time.perf_counter() - begun) * 1e6)
        self._cost.queue.append(self._spent * 1e6)
        session = world.spectask(command.spectask).tasks[command.task].session
        assert session is not None
        self._running.append(session)
        world.seconds += 1

    def _timed(self, call: Callable[..., Answer], *arguments: Any) -> Answer:
        begun = time.perf_counter()
        answer = call(*arguments)
        self._spent += time.perf_counter() - begun
        return answer


def _compared(name: str, few: list[float], many: list[float], *, target: bool) -> Figure:
    ratio = median(many) / median(few)
    return Figure(
        name=name,
        target=f"≤ {RATIO} x from {FEW} to {MANY} queued" if target else "",
        measured=f"{ratio:.2f} x; {median(many):.0f} µs with {MANY}, {1e6 / median(many):,.0f} per second",
        floor=f"{median(few):.0f} µs with {FEW}",
        holds=ratio <= RATIO if target else None,
        numbers={"ratio": ratio, "few_us": median(few), "many_us": median(many)},
    )


def _handed_on() -> Figure:
    """Returns what the next one costs where all wait for one resource, and have waited long."""
    cost = Cost(queue=[], whole=[])
    line = _Line(_world(MANY, 1, uses=("database:test",)), cost)
    for _ in range(ROUNDS):
        line.step()
    taken = median(cost.whole) / 1000
    name = f"a resource that {MANY:,} tasks name handed on from one to the next"
    return Figure(name=name, target="≤ 2 ms", measured=f"{taken:.2f} ms", holds=taken <= 2, numbers={"median": taken})


def _anew() -> Figure:
    """Returns what the same decision costs without a queue that is kept."""
    world = _world(MANY, 2)
    begun = time.perf_counter()
    ready(world.state, world.capacity, world.now)
    taken = (time.perf_counter() - begun) * 1000
    return Figure(name=f"a decision made anew from the state, {MANY} queued", measured=f"{taken:.0f} ms", numbers={"median": taken})
