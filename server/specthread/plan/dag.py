"""The dependency graph of a task list: who waits for whom, what can run at once, and the longest chain.

Nodes are leaf tasks. A dependency on a parent means all its leaves; what a parent waits for, its leaves already name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from specthread.spec.document import TASKS, Problem
from specthread.spec.report_json import problem_value
from specthread.spec.rules import RULES
from specthread.spec.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Dag:
    """Leaf ids in document order, edges as (prerequisite, dependent), and what follows from them.

    `waves` are the tasks by the length of the longest chain in front of them; `max_parallelism` is the size of the largest wave. Tasks in a
    cycle, and those behind one, are in no wave and not on the critical path.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    max_parallelism: int
    problems: tuple[Problem, ...]


def build_dag(tasks: Sequence[Task]) -> Dag:
    """The graph of these tasks; what does not fit is a problem, never an exception. The first of two tasks with one id counts."""
    known: dict[str, Task] = {}
    for task in tasks:
        known.setdefault(task.id, task)
    problems = [*_duplicates(tasks, known), *_unknown(known)]
    leaves = _leaves(known)
    waits = {task.id: [name for name in task.depends if name in known] for task in known.values() if task.leaf}
    position = {node: index for index, node in enumerate(waits)}
    if sum(len(leaves[name]) for names in waits.values() for name in names) > _MOST_EDGES:
        problems.append(_problem("plan/too-large", f"The tasks have more than {_MOST_EDGES:,} dependencies. Split the SpecTask.", tasks[0]))
        return Dag(nodes=tuple(waits), edges=(), waves=(), critical_path=(), max_parallelism=0, problems=tuple(problems))
    before = {node: tuple(dict.fromkeys(leaf for name in names for leaf in leaves[name])) for node, names in waits.items()}
    waves = _waves(before, position)
    reached = {node for wave in waves for node in wave}
    if len(reached) < len(before):
        problems += _cycles({node: names for node, names in before.items() if node not in reached}, position, known)
    return Dag(
        nodes=tuple(before),
        edges=tuple((name, node) for node, names in before.items() for name in names if name != node),
        waves=waves,
        critical_path=_longest_chain(waves, before, position),
        max_parallelism=max(map(len, waves), default=0),
        problems=tuple(sorted(problems, key=lambda problem: (problem.line, problem.code))),
    )


def plan_value(dag: Dag) -> dict[str, Any]:
    """The graph as plain JSON values, as `specthread plan --json` prints it."""
    return {
        "nodes": len(dag.nodes),
        "edges": [list(edge) for edge in dag.edges],
        "waves": [list(wave) for wave in dag.waves],
        "critical_path": list(dag.critical_path),
        "max_parallelism": dag.max_parallelism,
        "problems": [problem_value(problem) for problem in dag.problems],
    }


_MOST_EDGES: Final = 250_000
_MOST_CYCLES: Final = 20

_Before = Mapping[str, Sequence[str]]


def _problem(code: str, message: str, task: Task) -> Problem:
    return Problem(code, RULES[code].severity, message, task.id_span, TASKS)


def _duplicates(tasks: Iterable[Task], known: Mapping[str, Task]) -> Iterator[Problem]:
    for task in tasks:
        if known[task.id] is not task:
            message = f"Task {task.id} exists twice; only the first is planned. Give this one a number of its own."
            yield _problem("plan/duplicate-task", message, task)


def _unknown(known: Mapping[str, Task]) -> Iterator[Problem]:
    for task in known.values():
        said_above = known[task.parent].depends if task.parent is not None and task.parent in known else ()
        for name in task.depends:
            if name not in known and name not in said_above:
                message = f"Task {task.id} waits for task {name}, which does not exist. Correct the number, or remove the dependency."
                yield _problem("plan/unknown-task", message, task)


def _ancestors(task: Task, known: Mapping[str, Task]) -> Iterator[Task]:
    """The task and those above it; ends by itself even where hand-made parents form a circle."""
    passed: set[str] = set()
    above: Task | None = task
    while above is not None and above.id not in passed:
        yield above
        passed.add(above.id)
        above = known.get(above.parent) if above.parent is not None else None


def _leaves(known: Mapping[str, Task]) -> dict[str, list[str]]:
    leaves: dict[str, list[str]] = {name: [] for name in known}
    for task in known.values():
        if task.leaf:
            for above in _ancestors(task, known):
                leaves[above.id].append(task.id)
    return leaves


def _waves(before: _Before, position: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    """The tasks nobody holds back, then those only the first held back, and so on; nothing in or behind a cycle is ever reached."""
    held = {node: len(names) for node, names in before.items()}
    after: dict[str, list[str]] = {node: [] for node in before}
    for node, names in before.items():
        for name in names:
            after[name].append(node)
    waves: list[tuple[str, ...]] = []
    wave = [node for node, count in held.items() if not count]
    while wave:
        waves.append(tuple(wave))
        freed: list[str] = []
        for node in (following for done in wave for following in after[done]):
            held[node] -= 1
            if not held[node]:
                freed.append(node)
        wave = sorted(freed, key=position.__getitem__)
    return tuple(waves)


def _longest_chain(waves: Iterable[Sequence[str]], before: _Before, position: Mapping[str, int]) -> tuple[str, ...]:
    """The longest chain, counted in tasks; of several the one through the tasks written first."""
    length: dict[str, int] = {}
    previous: dict[str, str | None] = {}

    def rank(node: str) -> tuple[int, int]:
        return length[node], -position[node]

    for node in (node for wave in waves for node in wave):
        previous[node] = max(before[node], key=rank, default=None)
        length[node] = 1 + (length[last] if (last := previous[node]) is not None else 0)
    chain: list[str] = []
    node_or_none = max(length, key=rank, default=None)
    while node_or_none is not None:
        chain.append(node_or_none)
        node_or_none = previous[node_or_none]
    return tuple(reversed(chain))


def _cycles(before: _Before, position: Mapping[str, int], known: Mapping[str, Task]) -> Iterator[Problem]:
    """One problem per cycle, then one for the tasks that only wait behind cycles."""
    rest = dict(before)
    for _ in range(_MOST_CYCLES):
        cycle = _cycle(rest)
        if not cycle:
            break
        first = min(cycle, key=position.__getitem__)
        turn = cycle.index(first)
        path = " → ".join((*cycle[turn:], *cycle[:turn], first))
        message = f"These tasks wait for each other in a circle, so none can start: {path}. Remove one of the dependencies."
        if len(cycle) == 1:
            message = f"Task {first} waits for itself, so it can never start: {path}. Remove the dependency."
        yield _problem("plan/cycle", message, known[first])
        rest = {node: [name for name in names if name not in cycle] for node, names in rest.items() if node not in cycle}
    if rest:
        names = ", ".join(sorted(rest, key=position.__getitem__)[:_MOST_CYCLES])
        message = f"These tasks can never start, because they wait behind a circle: {names}. Break the circle first."
        yield _problem("plan/unreachable", message, known[next(iter(rest))])


def _cycle(before: _Before) -> list[str]:
    """The nodes of one cycle, each in front of the next; empty where there is none."""
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        return list(error.args[1][:-1])
    return []
