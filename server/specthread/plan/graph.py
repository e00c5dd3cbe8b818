"""A graph of what waits for what, made of plain values: it knows nothing of documents, so templates and programs can make one too.

Sorting and finding circles is graphlib's and a few lines of counting. A graph library was measured and left out: with 10,000 nodes networkx takes
as long as all of this to build its graph, and 150 ms and 20 MB to load, which would double a cold `check`; rustworkx is quicker, but brings
80 MB of numpy, and reduces such a graph in seconds where `reduction.py` takes a tenth of one. The tests hold networkx beside this.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from math import isfinite
from typing import Final

from specthread.plan.fault import (
    Fault,
    badly_estimated,
    existing_twice,
    too_many,
    waiting_behind_circles,
    waiting_for_nothing,
    waiting_in_circle,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Something to do: its id, the ids of what must be done before, and how long it takes, in any one unit, where somebody knows."""

    id: str
    depends: tuple[str, ...] = ()
    estimate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes in the order given; per node the positions of those it waits for, each once and never its own.

    `waves` are positions by the length of the longest chain in front of them. Nodes in a circle, and those behind one, are in no wave. A graph that
    is too large keeps its nodes and nothing else. `estimates` holds what is known, by position; all are above nothing.
    """

    nodes: tuple[str, ...]
    waits: tuple[tuple[int, ...], ...]
    waves: tuple[tuple[int, ...], ...]
    estimates: Mapping[int, float] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def edges(self) -> Iterator[tuple[str, str]]:
        """The edges as (prerequisite, dependent), by dependent."""
        return ((self.nodes[before], node) for node, names in zip(self.nodes, self.waits, strict=True) for before in names)

    def named(self, positions: Iterable[int]) -> tuple[str, ...]:
        """The ids at these positions."""
        return tuple(self.nodes[position] for position in positions)


def graph_of(nodes: Iterable[Node]) -> Graph:
    """The graph of these nodes; what does not fit is a fault, never an exception. The first of two nodes with one id counts."""
    known: dict[str, Node] = {}
    faults = [existing_twice(node.id) for node in nodes if known.setdefault(node.id, node) is not node]
    position = {name: index for index, name in enumerate(known)}
    waits: list[tuple[int, ...]] = []
    for node in known.values():
        faults += (waiting_for_nothing(node.id, name) for name in dict.fromkeys(node.depends) if name not in position)
        waits.append(tuple(dict.fromkeys(position[name] for name in node.depends if name in position)))
    estimates, bad = sound_estimates({node.id: node.estimate for node in known.values() if node.estimate is not None})
    return assembled(tuple(known), waits, {position[name]: value for name, value in estimates.items()}, (*faults, *bad))


def sound_estimates(given: Mapping[str, float]) -> tuple[dict[str, float], list[Fault]]:
    """What of the estimates is a time, and a fault for each that is not."""
    sound = {name: float(value) for name, value in given.items() if isfinite(value) and value > 0}
    return sound, [badly_estimated(name, f"{value:g}") for name, value in given.items() if name not in sound]


def assembled(names: tuple[str, ...], waits: Sequence[tuple[int, ...]], estimates: Mapping[int, float], faults: Iterable[Fault]) -> Graph:
    """The graph of nodes whose prerequisites are known by position, with what was found about them before."""
    refused = too_many(len(names), sum(map(len, waits)), names[0] if names else "")
    if refused:
        return Graph(nodes=names, waits=((),) * len(names), waves=(), faults=(*faults, refused))
    waves = _waves(waits)
    found = list(faults)
    if sum(map(len, waves)) < len(names):
        reached = {position for wave in waves for position in wave}
        found += _circles({node: before for node, before in enumerate(waits) if node not in reached}, names)
    without_self = tuple(tuple(each for each in before if each != node) if node in before else before for node, before in enumerate(waits))
    return Graph(nodes=names, waits=without_self, waves=waves, estimates=estimates, faults=tuple(found))


def weights(graph: Graph) -> list[float]:
    """How long each node takes, by position: one where no estimate exists, the middle of the estimates where only this one lacks."""
    known = sorted(graph.estimates.values())
    usual = known[len(known) // 2] if known else 1.0
    return [graph.estimates.get(position, usual) for position in range(len(graph.nodes))]


def critical_path(graph: Graph) -> tuple[str, ...]:
    """The chain that takes longest; of several the one through the nodes written first."""
    taken = weights(graph)
    length = [0.0] * len(graph.nodes)
    previous = [-1] * len(graph.nodes)
    for node in (node for wave in graph.waves for node in wave):
        last = _longest(graph.waits[node], length)
        previous[node] = last
        length[node] = taken[node] + (length[last] if last >= 0 else 0.0)
    chain = []
    at = _longest([node for wave in graph.waves for node in wave], length)
    while at >= 0:
        chain.append(at)
        at = previous[at]
    return graph.named(reversed(chain))


def content_hash(graph: Graph) -> str:
    """Names the graph by what it holds: another id, edge or estimate makes another name, another order of writing does not."""
    from hashlib import sha256  # noqa: PLC0415  who only builds a graph does not need it
    from json import dumps  # noqa: PLC0415  the same

    rows = sorted(
        (node, sorted(graph.named(before)), graph.estimates.get(position))
        for position, (node, before) in enumerate(zip(graph.nodes, graph.waits, strict=True))
    )
    return sha256(dumps(rows).encode()).hexdigest()


_MOST_CIRCLES: Final = 20


def _longest(positions: Iterable[int], length: Sequence[float]) -> int:
    """The position with the greatest length, the first of several; -1 where there is none."""
    best = -1
    for node in positions:
        if best < 0 or length[node] > length[best] or (length[node] == length[best] and node < best):
            best = node
    return best


def _waves(waits: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """The nodes nobody holds back, then those only the first held back, and so on; nothing in or behind a circle is ever reached."""
    held = list(map(len, waits))
    after: list[list[int]] = [[] for _ in waits]
    for node, before in enumerate(waits):
        for each in before:
            after[each].append(node)
    waves: list[tuple[int, ...]] = []
    wave = [node for node, count in enumerate(held) if not count]
    while wave:
        waves.append(tuple(wave))
        freed: list[int] = []
        for done in wave:
            for node in after[done]:
                held[node] -= 1
                if not held[node]:
                    freed.append(node)
        wave = sorted(freed)
    return tuple(waves)


def _circles(waits: Mapping[int, tuple[int, ...]], names: Sequence[str]) -> Iterator[Fault]:
    """One fault per circle, then one for the nodes that only wait behind circles."""
    rest = dict(waits)
    for _ in range(_MOST_CIRCLES):
        circle = _circle(rest)
        if not circle:
            break
        turn = circle.index(min(circle))
        yield waiting_in_circle([names[node] for node in (*circle[turn:], *circle[:turn])])
        gone = set(circle)
        rest = {node: tuple(each for each in before if each not in gone) for node, before in rest.items() if node not in gone}
    if rest:
        yield waiting_behind_circles([names[node] for node in sorted(rest)])


def _circle(waits: Mapping[int, tuple[int, ...]]) -> list[int]:
    """The nodes of one circle, each in front of the next; empty where there is none."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        return list(error.args[1][:-1])
    return []
