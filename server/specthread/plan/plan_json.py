"""A plan as plain JSON values."""

from collections.abc import Mapping, Sequence
from typing import Any

from specthread.plan.dag import Dag
from specthread.plan.graph import content_hash
from specthread.plan.makespan import profile, speed_up
from specthread.plan.reduction import chained, reduced_edges
from specthread.plan.soft_edges import soft_edges
from specthread.spec.report_json import problem_value


def plan_value(dag: Dag, files: Mapping[str, Sequence[str]] | None = None, slots: int = 6) -> dict[str, Any]:
    """The graph as plain JSON values, as `specthread plan --json` prints it; `speed_up` is that of so many places."""
    graph = dag.graph
    return {
        "nodes": len(dag.nodes),
        "edges": [list(edge) for edge in dag.graph.edges],
        "waves": [list(wave) for wave in dag.waves],
        "critical_path": list(dag.critical_path),
        "max_parallelism": dag.max_parallelism,
        "problems": [problem_value(problem) for problem in dag.problems],
        "reduced_edges": [list(edge) for edge in reduced_edges(graph)],
        "soft_edges": [list(edge) for edge in soft_edges(graph, files or {})],
        "chains": [list(row) for row in chained(graph).members.values() if len(row) > 1],
        "estimates": {graph.nodes[position]: seconds for position, seconds in sorted(graph.estimates.items())},
        "max_parallel": slots,
        "speed_up": round(speed_up(graph, slots), 2),
        "profile": [list(step) for step in profile(graph)],
        "hash": content_hash(graph),
    }
