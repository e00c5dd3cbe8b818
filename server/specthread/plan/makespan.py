"""How long a plan takes with so many places to work, found by playing it; what that gains over one after the other, and how wide it can go."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from specthread.plan.contention import Contention
from specthread.plan.graph import Graph, critical_path, weights
from specthread.spec.resource import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A plan played through: how long all of it took, and per node when it began and ended, in the unit of the durations."""

    length: float
    spans: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a scheduler looks at beside places and edges, by node; where it is told nothing, nodes begin in their order.

    `behind` is the way behind each, the longest first; `needs` are the resources it uses, and how; `sharers` how many share a resource, by its name.
    `returning` have begun and hold no place: they take one before what is new, whatever they wait for.
    """

    behind: Mapping[str, float] = field(default_factory=dict)
    needs: Mapping[str, Mapping[str, Mode]] = field(default_factory=dict)
    sharers: Mapping[str, int] = field(default_factory=dict)
    returning: Collection[str] = ()


_NO_RULES = Rules()


def makespan(
    graph: Graph,
    durations: Mapping[str, float],
    slots: int,
    begun: Collection[str] = (),
    rules: Rules = _NO_RULES,
) -> Played:
    """The graph played with `slots` places, as a scheduler fills them: whenever one is free, by the first by `rules` that waits for nothing any more.

    `durations` are what is still to do: zero for what is done; a node they do not name takes none. What has `begun` holds a place from the start,
    whatever it waits for. Nodes in circles, and behind them, never begin. Raises ValueError for less than one place, or a duration below zero.
    """
    if slots < 1:
        raise ValueError(f"{slots} places cannot carry out anything; at least one is needed.")
    taken = _taken(graph, durations)
    held, after = _holding(graph)
    order = _order(graph, rules)
    place = {node: index for index, node in enumerate(order)}
    at_work = [(taken[node], node) for node in held if graph.nodes[node] in begun]
    spans = {node: (0.0, end) for end, node in at_work}
    returning = {node for node in held if graph.nodes[node] in rules.returning}
    ready = [place[node] for node, count in held.items() if node in returning or (not count and node not in spans)]
    heapify(at_work)
    heapify(ready)
    contention = _contention(graph, rules, order, ready)
    if contention:
        for _, node in at_work:
            contention.hold(place[node])
    now = 0.0
    while ready or at_work:
        while ready and len(at_work) < slots:
            first = heappop(ready)
            if contention is None or contention.begins(first):
                node = order[first]
                spans[node] = (now, now + taken[node])
                heappush(at_work, (now + taken[node], node))
        now, done = heappop(at_work)
        if contention:
            contention.end(place[done])
        for node in after[done]:
            held[node] -= 1
            if not held[node] and node not in spans and node not in returning:
                heappush(ready, place[node])
    return Played(length=now, spans={graph.nodes[node]: span for node, span in spans.items()})


def speed_up(graph: Graph, slots: int) -> float:
    """How many times quicker than one after the other `slots` places can be at best; 1 where there is nothing to do."""
    taken = weights(graph)
    position = {node: index for index, node in enumerate(graph.nodes)}
    work = sum(taken[node] for wave in graph.waves for node in wave)
    longest = sum(taken[position[node]] for node in critical_path(graph))
    return work / max(longest, work / slots) if work else 1.0


def profile(graph: Graph) -> tuple[tuple[float, int], ...]:
    """How many nodes are at work from each moment on, were there places for all of them; the last entry is the end."""
    taken = dict(zip(graph.nodes, weights(graph), strict=True))
    played = makespan(graph, taken, max(1, len(graph.nodes)))
    change: dict[float, int] = {}
    for start, end in played.spans.values():
        change[start] = change.get(start, 0) + 1
        change[end] = change.get(end, 0) - 1
    found: list[tuple[float, int]] = []
    running = 0
    for moment in sorted(change):
        running += change[moment]
        if change[moment]:
            found.append((moment, running))
    return tuple(found)


def _holding(graph: Graph) -> tuple[dict[int, int], list[list[int]]]:
    """By how many nodes each one that a wave holds is held back, and which nodes each one holds back."""
    held = {node: len(graph.waits[node]) for wave in graph.waves for node in wave}
    after: list[list[int]] = [[] for _ in graph.nodes]
    for node in held:
        for before in graph.waits[node]:
            after[before].append(node)
    return held, after


def _taken(graph: Graph, durations: Mapping[str, float]) -> list[float]:
    taken = [float(durations.get(node, 0.0)) for node in graph.nodes]
    wrong = next((position for position, each in enumerate(taken) if not each >= 0), None)
    if wrong is not None:
        raise ValueError(f"Task {graph.nodes[wrong]} cannot take {taken[wrong]:g}: a duration is at least zero.")
    return taken


def _order(graph: Graph, rules: Rules) -> Sequence[int]:
    """The nodes with the one before that is to begin first."""
    names = graph.nodes
    return sorted(range(len(names)), key=lambda node: (names[node] not in rules.returning, -rules.behind.get(names[node], 0.0)))


def _contention(graph: Graph, rules: Rules, order: Sequence[int], ready: list[int]) -> Contention | None:
    if not rules.needs:
        return None
    needs = {place: rules.needs[graph.nodes[node]] for place, node in enumerate(order) if graph.nodes[node] in rules.needs}
    return Contention(needs, rules.sharers, ready)
