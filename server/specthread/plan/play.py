"""The tasks of a SpecTask played ahead as its scheduler would begin them: what a dry run and the time left are told by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from specthread.domain.condition import Condition
from specthread.domain.ids import RunId, TaskNumber
from specthread.domain.model import SpecTask
from specthread.domain.planned import prerequisites
from specthread.domain.readiness import holds, uses_of
from specthread.domain.run import WORKING_RUN_STATES
from specthread.plan.estimate import Spread
from specthread.plan.graph import Graph, Node, graph_of
from specthread.plan.lane import chains
from specthread.plan.makespan import Rules, makespan
from specthread.spec.resource import Mode


class Played(NamedTuple):
    """Tasks of a SpecTask played as its scheduler would begin them: when each would begin and end if all goes as is likely, and how long all takes.

    `graph` is theirs. `unlikely` are for a case that only comes if something fails: they have no span, and count in the high end of `seconds` alone.
    """

    graph: Graph
    spans: Mapping[str, tuple[float, float]]
    seconds: Spread
    unlikely: frozenset[TaskNumber]


def play(spectask: SpecTask, seconds: Mapping[TaskNumber, Spread], places: int, sharers: Mapping[str, int]) -> Played:
    """The tasks that `seconds` names, with so many places, where so many may share a resource; what is not named is done."""
    tasks = {number: spectask.tasks[number] for number in seconds}
    estimates = {number: each.likely or _LEAST_SECONDS for number, each in seconds.items()}
    graph = _graph({number: prerequisites(task.plan) for number, task in tasks.items()}, estimates)
    lost = _lost(spectask, graph)
    begun = {number for number, task in tasks.items() if task.state not in {"open", "blocked"}}
    returning = {number for number in begun if _has_no_place(spectask, number)}
    behind = chains(spectask.tasks) if spectask.options.mode == "parallel" else {}
    needs: dict[str, Mapping[str, Mode]] = {number: uses for number, task in tasks.items() if task.plan.uses and (uses := uses_of(task))}
    rules = Rules(behind=behind, needs=needs, sharers=sharers, returning=returning)
    longest = makespan(graph, _case(seconds, 2), places, begun - returning, rules)
    smooth = _graph(_without(lost, graph, spectask), estimates) if lost else graph
    shortest, expected = (makespan(smooth, _case(seconds, case), places, begun - returning, rules) for case in (0, 1))
    # With less to do a plan can take longer: it may begin in a worse order.
    lengths = sorted(each.length for each in (shortest, expected, longest))
    return Played(graph, expected.spans, Spread(*lengths), frozenset(lost))


def _has_no_place(spectask: SpecTask, number: TaskNumber) -> bool:
    session = spectask.sessions.get(spectask.tasks[number].session or RunId(""))
    return session is not None and session.state not in WORKING_RUN_STATES


def _case(seconds: Mapping[TaskNumber, Spread], case: int) -> Mapping[str, float]:
    return {number: each[case] for number, each in seconds.items()}


def _graph(waits: Mapping[TaskNumber, Collection[TaskNumber]], estimates: Mapping[TaskNumber, float]) -> Graph:
    return graph_of(
        Node(id=number, depends=tuple(name for name in before if name in waits), estimate=estimates[number])
        for number, before in waits.items()
    )


def _lost(spectask: SpecTask, graph: Graph) -> Mapping[TaskNumber, Condition]:
    """The tasks that are passed over if nothing more fails, with the condition that does not come true."""
    found: dict[TaskNumber, Condition] = {}
    for number in (TaskNumber(name) for wave in graph.waves for name in graph.named(wave)):
        task = spectask.tasks[number]
        lost = next((each for each in task.plan.conditions if not _comes(spectask, each, found)), None)
        if task.state == "open" and lost:
            found[number] = lost
    return found


def _without(lost: Mapping[TaskNumber, Condition], graph: Graph, spectask: SpecTask) -> Mapping[TaskNumber, Collection[TaskNumber]]:
    """What each task waits for that is not passed over: in place of one that is, for the end of what its case is about."""
    kept: dict[TaskNumber, Collection[TaskNumber]] = {}
    instead: dict[TaskNumber, Collection[TaskNumber]] = {}
    for number in (TaskNumber(name) for wave in graph.waves for name in graph.named(wave)):
        before = lost[number].leaves if number in lost else prerequisites(spectask.tasks[number].plan)
        waits = dict.fromkeys(each for name in before for each in instead.get(name, (name,)))
        (instead if number in lost else kept)[number] = waits
    return kept


def _comes(spectask: SpecTask, condition: Condition, passed_over: Collection[TaskNumber]) -> bool:
    known = holds(spectask, condition)
    if known is not None or condition.outcome == "failed":
        return bool(known)
    skipped = [leaf in passed_over or spectask.tasks[leaf].state == "skipped" for leaf in condition.leaves if leaf in spectask.tasks]
    return all(skipped) if condition.outcome == "skipped" else not any(skipped)


_LEAST_SECONDS: Final = 1e-6
"""What is nearly over takes next to nothing, and not what others take: zero is no estimate."""
