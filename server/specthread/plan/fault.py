"""What keeps a graph, or a part of it, from being carried out: a stable code, the nodes it is about, and the sentence for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from specthread.spec.leaf_waits import too_large


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One finding; of a circle `nodes` are all that are in it, each in front of the one that waits for it."""

    code: str
    nodes: tuple[str, ...]
    message: str


def existing_twice(node: str) -> Fault:
    """Of a node whose id another one had before."""
    message = f"Task {node} exists twice; only the first is planned. Give this one a number of its own."
    return Fault(code="plan/duplicate-task", nodes=(node,), message=message)


def waiting_for_nothing(node: str, missing: str) -> Fault:
    """Of a node that waits for one that is not there."""
    message = f"Task {node} waits for task {missing}, which does not exist. Correct the number, or remove the dependency."
    return Fault(code="plan/unknown-task", nodes=(node, missing), message=message)


def badly_estimated(node: str, written: str) -> Fault:
    """Of a node whose estimate is no span of time; it counts as one without an estimate."""
    message = f"Task {node} cannot take {written}: an estimate is a time above nothing, such as 45m or 2h. Correct it, or leave it out."
    return Fault(code="plan/bad-estimate", nodes=(node,), message=message)


def too_many(tasks: int, edges: int, first: str) -> Fault | None:
    """Of a graph that is too large to be planned, told at its first node; None where it is not."""
    message = too_large(tasks, edges)
    return Fault(code="plan/too-large", nodes=(first,), message=message) if message else None


def waiting_in_circle(cycle: Sequence[str]) -> Fault:
    """Of nodes that wait for each other, the first of them written first; a long circle is named by its ends."""
    first = cycle[0]
    shown = cycle if len(cycle) <= _MOST_NAMED else (*cycle[: _MOST_NAMED // 2], "…", *cycle[-_MOST_NAMED // 2 :])
    path = " → ".join((*shown, first))
    message = f"These tasks wait for each other in a circle, so none can start: {path}. Remove one of the dependencies."
    if len(cycle) == 1:
        message = f"Task {first} waits for itself, so it can never start: {path}. Remove the dependency."
    return Fault(code="plan/cycle", nodes=tuple(cycle), message=message)


def waiting_behind_circles(nodes: Sequence[str]) -> Fault:
    """Of nodes that are in no circle themselves."""
    names = ", ".join(nodes[:_MOST_NAMED])
    more = f" and {len(nodes) - _MOST_NAMED:,} more" if len(nodes) > _MOST_NAMED else ""
    message = f"These tasks can never start, because they wait behind a circle: {names}{more}. Break the circle first."
    return Fault(code="plan/unreachable", nodes=tuple(nodes), message=message)


_MOST_NAMED: Final = 20
