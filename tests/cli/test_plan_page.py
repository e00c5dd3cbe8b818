from __future__ import annotations

from specthread.cli.plan_page import plan_page
from specthread.plan.dag import Dag
from specthread.plan.graph import Node, graph_of
from specthread.plan.plan_json import plan_value


class Walked(list[str]):
    """A list that is only ever walked: looking for a value in it each time takes as long as it is."""

    def __contains__(self, value: object) -> bool:
        raise AssertionError(f"{value} is searched for")


def test_the_longest_chain_is_marked_without_searching_it_for_each_task():
    graph = graph_of([Node(id="1"), Node(id="2"), Node(id="3", depends=("2",))])
    plan = plan_value(Dag(graph=graph, problems=()))
    page = plan_page(plan | {"critical_path": Walked(plan["critical_path"])}, {"1": "One", "2": "Two", "3": "Three"})
    assert [line.strip() for line in page.splitlines() if "▸" in line] == ["▸ 2. Two", "▸ 3. Three   after 2"]
