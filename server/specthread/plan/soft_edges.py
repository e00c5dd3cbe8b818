"""Tasks that would work in the same files: nothing has to keep them apart, but their work merges better one after the other."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from specthread.plan.graph import Graph
from specthread.plan.reduction import unordered
from specthread.spec.code_paths import matches

MOST_SOFT_EDGES: Final = 10_000
"""More pairs than these are not looked for: where that many tasks share a folder, it says nothing."""


def soft_edges(graph: Graph, files: Mapping[str, Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Pairs of nodes, the earlier one first, that no edges hold in order and that share a path of `files`, which are paths or patterns by node.

    They are a preference, never a condition: a scheduler with a choice starts something else first.
    """
    position = {node: index for index, node in enumerate(graph.nodes)}
    named = {position[node]: _paths(paths) for node, paths in files.items() if node in position}
    pairs = unordered(graph, _sharing({node: paths for node, paths in named.items() if paths}))
    return tuple((graph.nodes[one], graph.nodes[other]) for one, other in pairs)


def shared_files(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """The paths or patterns of either that name something of the other: the same file, or one in a folder or pattern."""
    mine, theirs = _paths(one), _paths(other)
    return tuple(dict.fromkeys((*(path for path in mine if _meets(path, theirs)), *(path for path in theirs if _meets(path, mine)))))


def _paths(written: Iterable[str]) -> tuple[str, ...]:
    bare = (path.strip().removeprefix("./").rstrip("/") for path in written)
    return tuple(dict.fromkeys(path for path in bare if path.strip("*.")))


def _meets(path: str, patterns: Sequence[str]) -> bool:
    return path in patterns or matches(path, patterns)


def _sharing(named: Mapping[int, Sequence[str]]) -> list[tuple[int, int]]:
    """The pairs that share a path, found by its folders; only patterns are held against every other path."""
    found: dict[tuple[int, int], None] = {}
    naming: dict[str, list[int]] = {}
    for node, paths in named.items():
        for path in paths:
            naming.setdefault(path, []).append(node)
    patterns = [path for path in naming if "*" in path or "?" in path]
    for path, nodes in naming.items():
        around = [folder for folder in _with_folders(path) if folder in naming]
        around += [pattern for pattern in patterns if pattern != path and matches(path, [pattern])]
        for node in nodes:
            for other in (other for place in around for other in naming[place] if other != node):
                found[min(node, other), max(node, other)] = None
                if len(found) >= MOST_SOFT_EDGES:
                    return sorted(found)
    return sorted(found)


def _with_folders(path: str) -> Iterable[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
