from __future__ import annotations

import pytest

from specthread.plan.dag import build_dag
from specthread.spec.tasks import parse_tasks


def dag(*estimates: str):
    lines = [
        f"- [ ] {number}. a\n  - _Depends: none_\n" + (f"  - _Estimate: {each}_\n" if each else "")
        for number, each in enumerate(estimates, 1)
    ]
    return build_dag(parse_tasks("".join(lines).encode()).tasks)


def test_the_longest_task_is_the_critical_path_where_estimates_are_written():
    found = dag("10m", "2h", "")
    assert (found.critical_path, found.problems) == (("2",), ())


@pytest.mark.parametrize("written", ["-2h", "0m"])
def test_a_time_that_is_not_above_nothing_is_told_where_the_task_is_written(written):
    found = dag("10m", written)
    assert [(problem.code, problem.severity, problem.line) for problem in found.problems] == [("plan/bad-estimate", "warning", 4)]
    assert f"Task 2 cannot take {written}" in found.problems[0].message


def test_estimates_from_elsewhere_count_in_place_of_written_ones():
    tasks = parse_tasks(b"- [ ] 1. a\n  - _Depends: none_\n  - _Estimate: 9h_\n- [ ] 2. b\n  - _Depends: none_\n").tasks
    assert build_dag(tasks, {"1": 5.0, "2": 60.0}).critical_path == ("2",)
    assert [problem.code for problem in build_dag(tasks, {"1": -5.0}).problems] == ["plan/bad-estimate"]
