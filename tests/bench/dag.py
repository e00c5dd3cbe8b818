"""The task graph: what `specthread plan` and the scheduler rest on, beside a graph library that does the same with the same nodes."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from collections.abc import Awaitable, Callable
from functools import partial

import networkx as nx

from bench.measure import Figure, at_most, in_turn, spread
from specthread.plan.dag import build_dag
from specthread.plan.reduction import reduced_edges
from specthread.spec.tasks import Task, parse_tasks

LIMITS_MS = {50: 2.0, 1_000: 15.0, 10_000: 150.0}
MOST_BYTES = 10_000_000
DEPENDS = 3


def figures() -> list[Figure]:
    """Returns the figures of the task graph."""
    return [asyncio.run(_graph(count, limit)) for count, limit in LIMITS_MS.items()] + [asyncio.run(_reduction()), _memory()]


def plan_of(count: int) -> tuple[Task, ...]:
    """A plan of so many tasks, each of which waits for some of those shortly before it."""
    chosen = random.Random(1)
    width = max(2, int(count**0.5))
    lines = []
    for number in range(1, count + 1):
        before = {chosen.randrange(max(1, number - 3 * width), number) for _ in range(DEPENDS)} if number > width else ()
        lines.append(f"- [ ] {number}. Task\n  - _Depends: {', '.join(map(str, sorted(before))) or 'none'}_\n")
    return parse_tasks("".join(lines).encode()).tasks


async def _graph(count: int, limit: float) -> Figure:
    tasks = plan_of(count)
    mine, peer = await in_turn([_step(partial(_ours, tasks)), _step(partial(_theirs, tasks))], rounds=15, warm=2)
    held = at_most(f"DAG of {count:,} tasks: build, validate, critical path", mine, limit=limit, tail=False)
    return Figure(
        name=held.name, target=held.target, measured=held.measured, floor=f"networkx {spread(peer)}", holds=held.holds, numbers=held.numbers
    )


async def _reduction() -> Figure:
    made = {count: build_dag(plan_of(count)).graph for count in (1_000, 10_000)}
    theirs = nx.DiGraph(made[1_000].edges)
    small, large, peer = await in_turn(
        [
            _step(partial(reduced_edges, made[1_000])),
            _step(partial(reduced_edges, made[10_000])),
            _step(partial(nx.transitive_reduction, theirs)),
        ],
        rounds=5,
    )
    return Figure(
        name="transitive reduction, 1,000 tasks (10,000)",
        measured=f"{spread(small)} ({spread(large)})",
        floor=f"networkx, 1,000: {spread(peer)}",
    )


def _memory() -> Figure:
    tasks = plan_of(10_000)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    dag = build_dag(tasks)
    held, peak = (value - before for value in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    assert len(dag.nodes) == len(tasks)
    measured = f"{held / 1e6:.1f} MB, {peak / 1e6:.1f} MB while it is built"
    return Figure(name="memory of a DAG of 10,000 tasks", target="< 10 MB", measured=measured, holds=peak < MOST_BYTES)


def _step(work: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def step() -> object:
        return work()

    return step


def _ours(tasks: tuple[Task, ...]) -> object:
    dag = build_dag(tasks)
    assert not dag.problems
    return dag.waves, dag.critical_path


def _theirs(tasks: tuple[Task, ...]) -> object:
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(task.id for task in tasks)
    graph.add_edges_from((before, task.id) for task in tasks for before in task.depends)
    return list(nx.topological_generations(graph)), nx.dag_longest_path(graph)
