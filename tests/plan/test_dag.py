from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.plan.dag import build_dag
from specthread.plan.plan_json import plan_value
from specthread.spec.tasks import parse_tasks
from support.spec_text import documents


def dag_of(*tasks):
    """Each task as `id` or `id: what it depends on`; two blanks make a child."""
    lines = []
    for task in tasks:
        number, _, depends = task.partition(":")
        indent = number[: len(number) - len(number.lstrip())]
        lines.append(f"{indent}- [ ] {number.strip()}. task")
        lines += [f"{indent}  - _Depends:{depends}_"] if depends else []
    return build_dag(parse_tasks("\n".join(lines).encode()).tasks)


FIXED = {"nodes", "edges", "waves", "critical_path", "max_parallelism", "problems"}


def fixed(dag):
    """The part of the JSON that the design fixes."""
    return {name: value for name, value in plan_value(dag).items() if name in FIXED}


def test_the_plan_of_a_diamond_is_the_documented_value():
    assert fixed(dag_of("1: none", "2: 1", "3: 1", "4: 2, 3")) == {
        "nodes": 4,
        "edges": [["1", "2"], ["1", "3"], ["2", "4"], ["3", "4"]],
        "waves": [["1"], ["2", "3"], ["4"]],
        "critical_path": ["1", "2", "4"],
        "max_parallelism": 2,
        "problems": [],
    }


def test_nothing_is_an_empty_plan():
    assert fixed(dag_of()) == {"nodes": 0, "edges": [], "waves": [], "critical_path": [], "max_parallelism": 0, "problems": []}


def test_a_plan_tells_what_follows_from_its_graph():
    value = plan_value(dag_of("1: none", "2: 1", "3: 1, 2", "4: 1"), {"2": ["src/a.py"], "4": ["src/"]}, slots=2)
    assert value["reduced_edges"] == [["1", "2"], ["2", "3"], ["1", "4"]]
    assert (value["soft_edges"], value["chains"]) == ([["2", "4"]], [["2", "3"]])
    assert (value["max_parallel"], value["speed_up"], value["estimates"]) == (2, 1.33, {})
    assert value["profile"] == [[0, 1], [1, 2], [2, 1], [3, 0]]


def test_a_tick_does_not_change_the_hash_and_another_dependency_does():
    text = b"- [ ] 1. a\n- [ ] 2. b\n"
    plain, ticked, loose = (
        plan_value(build_dag(parse_tasks(each).tasks))["hash"]
        for each in (text, text.replace(b"[ ] 1", b"[x] 1"), text + b"  - _Depends: none_\n")
    )
    assert plain == ticked != loose


def test_tasks_without_dependencies_run_one_after_the_other():
    dag = dag_of("1", "2", "3")
    assert dag.edges == (("1", "2"), ("2", "3"))
    assert dag.critical_path == ("1", "2", "3")


def test_a_dependency_on_a_parent_means_all_its_leaves_and_one_of_a_parent_binds_all_of_its():
    dag = dag_of("1: none", "  1.1: none", "  1.2: none", "2: 1", "  2.1: none", "  2.2: 2.1")
    assert dag.nodes == ("1.1", "1.2", "2.1", "2.2")
    assert set(dag.edges) == {("1.1", "2.1"), ("1.2", "2.1"), ("1.1", "2.2"), ("1.2", "2.2"), ("2.1", "2.2")}
    assert dag.waves == (("1.1", "1.2"), ("2.1",), ("2.2",))


def test_a_cycle_is_named_as_a_path_and_what_waits_behind_it_too():
    dag = dag_of("1: none", "2: 4", "3: 2", "4: 3", "5: 4")
    assert [(problem.code, problem.severity, problem.line) for problem in dag.problems] == [
        ("plan/cycle", "error", 3),
        ("plan/unreachable", "error", 9),
    ]
    assert "2 → 3 → 4 → 2" in dag.problems[0].message
    assert " 5." in dag.problems[1].message
    assert (dag.waves, dag.critical_path) == ((("1",),), ("1",))


def test_every_separate_cycle_is_named():
    dag = dag_of("1: 2", "2: 1", "3: 3", "4: 5", "5: 4")
    assert [problem.message.split(": ")[1].split(".")[0] for problem in dag.problems] == ["1 → 2 → 1", "3 → 3", "4 → 5 → 4"]


def test_a_task_that_waits_for_its_own_parent_waits_for_itself():
    dag = dag_of("1: none", "  1.1: 1", "  1.2: none")
    assert [problem.message.partition(",")[0] for problem in dag.problems] == ["Task 1.1 waits for itself"]


def test_an_unknown_task_is_reported_once_where_it_is_written():
    dag = dag_of("1: none", "2: 1, 9", "  2.1: none", "  2.2: none")
    assert [(problem.code, problem.line) for problem in dag.problems] == [("plan/unknown-task", 3)]
    assert "task 9" in dag.problems[0].message
    assert dag.edges == (("1", "2.1"), ("1", "2.2"))


def test_the_first_of_two_tasks_with_one_number_is_planned():
    dag = dag_of("1: none", "2: 1", "2: none")
    assert dag.nodes == ("1", "2")
    assert dag.edges == (("1", "2"),)
    assert [(problem.code, problem.line) for problem in dag.problems] == [("plan/duplicate-task", 5)]


def test_a_graph_nobody_could_run_is_refused_instead_of_built():
    wide = [f"  1.{number}: none" for number in range(1, 601)]
    dag = dag_of("1: none", *wide, "2: 1", *(f"  2.{number}: none" for number in range(1, 601)))
    assert [problem.code for problem in dag.problems] == ["plan/too-large"]
    assert (len(dag.nodes), dag.edges) == (1200, ())


@given(st.lists(st.lists(st.integers(min_value=1, max_value=12), max_size=3), min_size=1, max_size=12))
def test_waves_keep_every_dependency_and_hold_each_task_that_no_cycle_stops(depends):
    tasks = [f"{number}: {', '.join(map(str, names)) or 'none'}" for number, names in enumerate(depends, 1)]
    dag = dag_of(*tasks)
    wave_of = {node: index for index, wave in enumerate(dag.waves) for node in wave}
    for before, after in dag.edges:
        if after in wave_of:
            assert wave_of[before] < wave_of[after]
    stopped = any(problem.code in {"plan/cycle", "plan/unreachable"} for problem in dag.problems)
    assert (len(wave_of) == len(dag.nodes)) is not stopped
    assert len(dag.critical_path) == len(dag.waves)
    assert all(edge in dag.edges for edge in zip(dag.critical_path, dag.critical_path[1:], strict=False))


@given(documents())
def test_no_document_makes_the_plan_fail(content):
    plan_value(build_dag(parse_tasks(content).tasks))


@pytest.mark.parametrize("count", [50, 2_000])
def test_long_chains_are_planned_without_recursion(count):
    assert len(dag_of(*map(str, range(1, count + 1))).critical_path) == count


def test_a_document_of_a_hundred_thousand_tasks_is_refused_with_a_sentence_instead_of_planned():
    [one] = parse_tasks(b"- [ ] 1. a\n").tasks
    tasks = [one._replace(block=replace(one.block, id=str(number))) for number in range(100_000)]
    dag = build_dag(tasks)
    assert [problem.message for problem in dag.problems] == [
        "The plan has 100,000 tasks; fewer than 100,000 can be planned at once. Split the SpecTask."
    ]
    assert (dag.edges, dag.waves, dag.critical_path) == ((), (), ())
