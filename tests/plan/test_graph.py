from __future__ import annotations

from itertools import pairwise
from random import Random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.plan.graph import Node, content_hash, critical_path, graph_of, weights
from specthread.plan.makespan import makespan, profile, speed_up
from specthread.plan.reduction import chained, reduced_edges, unordered


def graph(**waits: str):
    """Each node with what it waits for, and its estimate behind `@`."""
    return graph_of(
        Node(id=name, depends=tuple(depends.split()), estimate=float(estimate) if estimate else None)
        for name, (depends, _, estimate) in ((name, text.partition("@")) for name, text in waits.items())
    )


DIAMOND = {"a": "", "b": "a", "c": "a", "d": "b c"}


# --- drawn at random, beside a graph library


@st.composite
def nodes(draw, *, circles: bool = False, estimated: bool = True):
    names = [str(number) for number in range(draw(st.integers(0, 14)))]
    times = st.integers(1, 9) if estimated else st.none()
    found = []
    for index, name in enumerate(names):
        known = names if circles else names[:index]
        depends = draw(st.lists(st.sampled_from(known), max_size=4)) if known else []
        found.append(Node(id=name, depends=tuple(depends), estimate=draw(times)))
    return draw(st.permutations(found))


def peer(graph) -> nx.DiGraph:
    made = nx.DiGraph()
    made.add_nodes_from(graph.nodes)
    made.add_edges_from(graph.edges)
    return made


@given(nodes())
def test_the_reduction_is_the_one_smallest_graph_in_which_everything_reaches_what_it_reached(given):
    made = graph_of(given)
    assert set(reduced_edges(made)) == set(nx.transitive_reduction(peer(made)).edges)


@given(nodes())
def test_the_critical_path_takes_as_long_as_that_of_a_graph_library(given):
    made = graph_of(given)
    takes = dict(zip(made.nodes, weights(made), strict=True))
    theirs = peer(made)
    for one, other in theirs.edges:
        theirs.edges[one, other]["weight"] = takes[other]
    sources = [takes[node] for node in theirs if not theirs.in_degree(node)]
    longest = max((takes[node] + length(theirs, node) for node in theirs if not theirs.in_degree(node)), default=0)
    path = critical_path(made)
    assert sum(takes[node] for node in path) == pytest.approx(longest if sources else 0)
    assert set(pairwise(path)) <= set(theirs.edges)


def length(theirs, start) -> float:
    """The longest way from a node, by the library's own order."""
    far = {start: 0.0}
    for node in nx.topological_sort(theirs):
        for _, after, weight in theirs.out_edges(node, data="weight"):
            if node in far:
                far[after] = max(far.get(after, 0.0), far[node] + weight)
    return max(far.values())


@given(nodes(circles=True))
def test_every_circle_told_is_a_real_one_and_one_is_told_where_there_is_any(given):
    made = graph_of(given)
    theirs = peer(made)
    theirs.add_edges_from((node.id, node.id) for node in given if node.id in node.depends)
    told = [fault for fault in made.faults if fault.code == "plan/cycle"]
    assert bool(told) is not nx.is_directed_acyclic_graph(theirs)
    for fault in told:
        assert all(edge in theirs.edges for edge in zip(fault.nodes, (*fault.nodes[1:], fault.nodes[0]), strict=True))
    stopped = {node for circle in nx.simple_cycles(theirs) for start in circle for node in nx.descendants(theirs, start) | {start}}
    assert {node for wave in made.waves for node in made.named(wave)} == set(made.nodes) - stopped
    reduced_edges(made), chained(made), critical_path(made), profile(made), speed_up(made, 6), content_hash(made)


@given(nodes())
def test_waves_are_the_generations_of_a_graph_library(given):
    made = graph_of(given)
    assert [set(made.named(wave)) for wave in made.waves] == [set(each) for each in nx.topological_generations(peer(made))]


@given(nodes(), st.randoms(use_true_random=False))
def test_the_hash_is_blind_to_the_order_of_writing(given, random: Random):
    other = [Node(id=node.id, depends=tuple(random.sample(node.depends, len(node.depends))), estimate=node.estimate) for node in given]
    random.shuffle(other)
    assert content_hash(graph_of(other)) == content_hash(graph_of(given))


@pytest.mark.parametrize(
    "other",
    [{**DIAMOND, "d": "b"}, {**DIAMOND, "d": "b c@1"}, {**DIAMOND, "e": ""}, {"a": "", "b": "a", "x": "a", "d": "b x"}],
    ids=["edge", "estimate", "node", "id"],
)
def test_the_hash_tells_another_graph(other):
    assert content_hash(graph(**other)) != content_hash(graph(**DIAMOND))


@given(nodes(), st.integers(1, 6))
def test_a_plan_that_is_played_keeps_every_edge_and_limit_and_is_never_longer_than_it_must(given, slots):
    made = graph_of(given)
    takes = dict(zip(made.nodes, weights(made), strict=True))
    played = makespan(made, takes, slots)
    assert played.spans.keys() == set(made.nodes)
    assert all(played.spans[one][1] <= played.spans[other][0] for one, other in made.edges)
    for begin, _ in played.spans.values():
        assert sum(start <= begin < end for start, end in played.spans.values()) <= slots
    work, longest = sum(takes.values()), sum(takes[node] for node in critical_path(made))
    assert max(longest, work / slots) - 1e-9 <= played.length <= longest + work / slots  # no list of jobs is placed worse than that
    assert speed_up(made, slots) * played.length >= work - 1e-6


@given(nodes())
def test_rows_of_tasks_are_merged_and_nothing_else_changes(given):
    made = graph_of(given)
    merged = chained(made)
    assert sorted(node for row in merged.members.values() for node in row) == sorted(made.nodes)
    takes = dict(zip(made.nodes, weights(made), strict=True))
    assert sum(weights(merged.graph)) == pytest.approx(sum(takes.values())) or not made.estimates
    edges = set(reduced_edges(made))
    for row in merged.members.values():
        assert set(pairwise(row)) <= edges
    again = chained(merged.graph)
    assert again.graph.nodes == merged.graph.nodes


@given(nodes())
def test_pairs_are_unordered_where_no_way_leads_from_one_to_the_other(given):
    made = graph_of(given)
    pairs = [(one, other) for one in range(len(made.nodes)) for other in range(one)]
    reach = nx.transitive_closure(peer(made))
    name = made.nodes
    assert unordered(made, pairs) == [
        (one, other) for one, other in pairs if (name[one], name[other]) not in reach.edges and (name[other], name[one]) not in reach.edges
    ]


# --- examples


def test_a_graph_is_made_from_plain_values():
    made = graph(**DIAMOND)
    assert list(made.edges) == [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    assert critical_path(made) == ("a", "b", "d")
    assert made.faults == ()


def test_the_chain_that_takes_longest_is_not_the_one_of_most_tasks():
    assert critical_path(graph(a="@1", b="a@1", c="b@1", slow="@9")) == ("slow",)


def test_a_task_without_an_estimate_counts_as_a_usual_one():
    assert weights(graph(a="@2", b="@4", c="@9", d="")) == [2, 4, 9, 4]


@pytest.mark.parametrize("estimate", [-3.0, 0.0, float("nan"), float("inf")])
def test_an_estimate_that_is_no_time_is_told_and_not_counted(estimate):
    made = graph_of([Node(id="a", estimate=estimate), Node(id="b", estimate=2)])
    assert [(fault.code, fault.nodes) for fault in made.faults] == [("plan/bad-estimate", ("a",))]
    assert f"Task a cannot take {estimate:g}" in made.faults[0].message
    assert made.estimates == {1: 2}


def test_what_is_missing_or_there_twice_is_told_in_the_words_of_a_document():
    made = graph_of([Node(id="a", depends=("x", "x")), Node(id="a"), Node(id="b", depends=("b",)), Node(id="c", depends=("b",))])
    assert [fault.code for fault in made.faults] == ["plan/duplicate-task", "plan/unknown-task", "plan/cycle", "plan/unreachable"]
    assert made.faults[1].message.startswith("Task a waits for task x, which does not exist.")


@pytest.mark.parametrize(("count", "refused"), [(99_999, False), (100_000, True)])
def test_a_hundred_thousand_tasks_are_refused_with_a_sentence(count, refused):
    made = graph_of(Node(id=str(number), depends=(str(number - 1),) if number else ()) for number in range(count))
    assert [fault.code for fault in made.faults] == (["plan/too-large"] if refused else [])
    if refused:
        assert made.faults[0].message == "The plan has 100,000 tasks; fewer than 100,000 can be planned at once. Split the SpecTask."
        assert (reduced_edges(made), critical_path(made), made.waves) == ((), (), ())


def test_a_long_circle_is_named_by_its_ends():
    made = graph_of(Node(id=str(number), depends=(str((number - 1) % 300),)) for number in range(300))
    assert made.faults[0].message.count("→") == 21
    assert len(made.faults[0].nodes) == 300


def test_two_places_halve_what_can_be_done_side_by_side():
    made = graph(a="@3", b="@3", c="@3", d="@3")
    assert [makespan(made, dict.fromkeys("abcd", 3.0), slots).length for slots in (1, 2, 6)] == [12, 6, 3]
    assert [speed_up(made, slots) for slots in (1, 2, 6)] == [1, 2, 4]


def test_work_under_way_holds_its_place_and_what_is_done_takes_none():
    made = graph(a="", b="a", c="b", d="")
    played = makespan(made, {"a": 0.0, "b": 2.0, "c": 5.0, "d": 1.0}, 1, begun=["b"])
    assert (played.length, played.spans["b"], played.spans["d"]) == (8.0, (0.0, 2.0), (7.0, 8.0))


@pytest.mark.parametrize(
    ("slots", "duration", "said"), [(0, 1.0, "0 places"), (1, -1.0, "Task a cannot take -1"), (1, float("nan"), "nan")]
)
def test_what_cannot_be_played_is_refused_with_a_sentence(slots, duration, said):
    with pytest.raises(ValueError, match=said):
        makespan(graph(a=""), {"a": duration}, slots)


def test_the_profile_says_how_many_are_at_work_when():
    assert profile(graph(a="@1", b="a@1", c="a@2", d="b c@1")) == ((0.0, 1), (1.0, 2), (2.0, 1), (4.0, 0))
    assert profile(graph()) == ()


def test_a_row_of_tasks_is_one_and_keeps_their_ids():
    merged = chained(graph(a="@1", b="a@1", c="b@2", d="b@3", e="c d@4", f="e@5"))
    assert merged.members == {"a": ("a", "b"), "c": ("c",), "d": ("d",), "e": ("e", "f")}
    assert list(merged.graph.edges) == [("a", "c"), ("a", "d"), ("c", "e"), ("d", "e")]
    assert weights(merged.graph) == [2, 2, 3, 9]
