"""The dependency graph of a task list: who waits for whom, what can run at once, and the longest chain.

Nodes are leaf tasks. A dependency on a parent means all its leaves; what a parent waits for, its leaves already name. What a
condition names is waited for, too: it must have ended, one way or the other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from specthread.plan.fault import Fault, existing_twice, waiting_for_nothing
from specthread.plan.graph import Graph, assembled, critical_path, sound_estimates
from specthread.plan.written_estimate import written_estimates
from specthread.spec.document import TASKS, Problem
from specthread.spec.leaf_waits import first_of_each, leaf_waits
from specthread.spec.rules import RULES
from specthread.spec.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Dag:
    """The graph of a document's leaf tasks, in document order, and what is wrong with it at which place."""

    graph: Graph
    problems: tuple[Problem, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The leaf ids."""
        return self.graph.nodes

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """The edges as (prerequisite, dependent)."""
        return tuple(self.graph.edges)

    @property
    def waves(self) -> tuple[tuple[str, ...], ...]:
        """The tasks by the length of the longest chain in front of them; those in a circle, and behind one, are in no wave."""
        return tuple(map(self.graph.named, self.graph.waves))

    @property
    def critical_path(self) -> tuple[str, ...]:
        """The chain that takes longest; without estimates, the one of most tasks."""
        return critical_path(self.graph)

    @property
    def max_parallelism(self) -> int:
        """The size of the largest wave."""
        return max(map(len, self.graph.waves), default=0)


def build_dag(tasks: Sequence[Task], estimates: Mapping[str, float] | None = None) -> Dag:
    """The graph of these tasks; what does not fit is a problem, never an exception. The first of two tasks with one id counts.

    `estimates` are seconds by id; without them, those count that are written under tasks (`_Estimate: 45m_`).
    """
    known = first_of_each(tasks)
    leaf_tasks = [task for task in known.values() if task.leaf]
    names = tuple(task.id for task in leaf_tasks)
    given, bad = sound_estimates(estimates) if estimates is not None else written_estimates(leaf_tasks)
    problems = [*_duplicates(tasks, known), *_unknown(known)]
    position = {name: index for index, name in enumerate(names)}
    by_position = {position[name]: value for name, value in given.items() if name in position}
    graph = assembled(names, leaf_waits(known), by_position, bad)
    problems += (_problem(fault, known[fault.nodes[0]]) for fault in graph.faults)
    return Dag(graph=graph, problems=tuple(sorted(problems, key=lambda problem: (problem.line, problem.code))))


def _problem(fault: Fault, task: Task) -> Problem:
    return Problem(fault.code, RULES[fault.code].severity, fault.message, task.id_span, TASKS)


def _duplicates(tasks: Iterable[Task], known: Mapping[str, Task]) -> Iterator[Problem]:
    return (_problem(existing_twice(task.id), task) for task in tasks if known[task.id] is not task)


def _unknown(known: Mapping[str, Task]) -> Iterator[Problem]:
    for task in known.values():
        said_above = known[task.parent].depends if task.parent is not None and task.parent in known else ()
        for name in task.depends:
            if name not in known and name not in said_above:
                yield _problem(waiting_for_nothing(task.id, name), task)
