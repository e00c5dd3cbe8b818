"""What follows from who reaches whom: edges that others imply, tasks that are one behind the other, pairs that nothing holds in order.

Who reaches whom is kept as bits of integers, for some thousand targets at a time: that is what makes it quick, and keeps it small.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from specthread.plan.graph import Graph, assembled, weights


def reduced_edges(graph: Graph) -> tuple[tuple[str, str], ...]:
    """The fewest edges with which everything is in the order it is in, by dependent; edges in circles, and behind them, are left out."""
    return tuple((graph.nodes[before], graph.nodes[node]) for before, node in _needed(graph))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """A graph in which tasks that can only follow each other are one; `members` are the ids of each of its nodes, which has the id of the first."""

    graph: Graph
    members: Mapping[str, tuple[str, ...]]


def chained(graph: Graph) -> Chains:
    """The graph with each row of tasks merged that have one follower and one forerunner; where there are estimates, a row takes as long as its tasks."""
    edges = _needed(graph)
    before: dict[int, list[int]] = {node: [] for node in _order(graph)}
    after: dict[int, list[int]] = {node: [] for node in before}
    for one, other in edges:
        before[other].append(one)
        after[one].append(other)
    rows: dict[int, list[int]] = {}
    row_of: dict[int, int] = {}
    for node, waited_for in before.items():
        forerunner = waited_for[0] if len(waited_for) == 1 else None
        head = node if forerunner is None or len(after[forerunner]) != 1 else row_of[forerunner]
        rows.setdefault(head, []).append(node)
        row_of[node] = head
    heads = sorted(rows)
    position = {head: index for index, head in enumerate(heads)}
    taken = weights(graph)
    merged = assembled(
        graph.named(heads),
        [tuple(position[row_of[each]] for each in before[head]) for head in heads],
        {position[head]: sum(taken[each] for each in rows[head]) for head in heads} if graph.estimates else {},
        graph.faults,
    )
    return Chains(graph=merged, members={graph.nodes[head]: graph.named(rows[head]) for head in heads})


def unordered(graph: Graph, pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of the pairs of positions in which neither has to wait for the other; what no wave holds is in none of them."""
    held = set(_order(graph))
    asked = [pair for pair in pairs if pair[0] in held and pair[1] in held]
    ordered: set[tuple[int, int]] = set()
    for bit, reach, _ in _reaches(graph, sorted({node for pair in asked for node in pair})):
        for one, other in asked:
            if (other in bit and reach[one] & bit[other]) or (one in bit and reach[other] & bit[one]):
                ordered.add((one, other))
    return [pair for pair in asked if pair not in ordered]


_AT_ONCE: Final = 2048


def _needed(graph: Graph) -> list[tuple[int, int]]:
    """The edges that no longer way implies."""
    order = _order(graph)
    found: list[tuple[int, int]] = []
    for bit, _, beyond in _reaches(graph, order):
        found += ((before, node) for node in bit for before in graph.waits[node] if not beyond[before] & bit[node])
    return sorted(found, key=lambda edge: (edge[1], edge[0]))


def _reaches(graph: Graph, targets: Sequence[int]) -> Iterator[tuple[dict[int, int], list[int], list[int]]]:
    """For some targets at a time: the bit of each, and per node the bits of those that it reaches, and of those it reaches by two edges or more."""
    order = _order(graph)
    for start in range(0, len(targets), _AT_ONCE):
        bit = {node: 1 << index for index, node in enumerate(targets[start : start + _AT_ONCE])}
        reach, beyond = [0] * len(graph.nodes), [0] * len(graph.nodes)
        for node in reversed(order):
            from_here = reach[node]
            with_this = from_here | bit.get(node, 0)
            if with_this:
                for before in graph.waits[node]:
                    reach[before] |= with_this
                    beyond[before] |= from_here
        yield bit, reach, beyond


def _order(graph: Graph) -> list[int]:
    """The nodes with each behind all it waits for."""
    return [node for wave in graph.waves for node in wave]
