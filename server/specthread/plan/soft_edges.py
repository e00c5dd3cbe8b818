"""Tasks that would work in the same files: nothing has to keep them apart, but their work merges better one after the other."""

from collections.abc import Mapping, Sequence
from typing import Final

from specthread.plan.graph import Graph
from specthread.plan.reduction import unordered
from specthread.plan.same_files import Naming

MOST_SOFT_EDGES: Final = 10_000
"""More pairs than these are not looked for: where that many tasks share a folder, it says nothing."""


def soft_edges(graph: Graph, files: Mapping[str, Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Pairs of nodes, the earlier one first, that no edges hold in order and that share a path of `files`, which are paths or patterns by node.

    They are a preference, never a condition: a scheduler with a choice starts something else first.
    """
    position = {node: index for index, node in enumerate(graph.nodes)}
    naming = Naming()
    for node, paths in files.items():
        if node in position:
            naming.add(position[node], paths)
    found: set[tuple[int, int]] = set()
    for pair in naming.meetings():
        found.add(pair)
        if len(found) >= MOST_SOFT_EDGES:
            break
    return tuple((graph.nodes[one], graph.nodes[other]) for one, other in unordered(graph, sorted(found)))
