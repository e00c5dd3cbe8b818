"""What the words of a tasks document come to, and what finding that out costs."""

from __future__ import annotations

import sys

from specthread.domain.planned import planned_tasks


def _two_phases(tasks: int) -> bytes:
    lines = ["# Implementation Plan\n", "- [ ] 1. First"]
    lines += [f"  - [ ] 1.{number} Build" for number in range(1, tasks + 1)]
    lines += ["- [ ] 2. Then"]
    lines += [f"  - [ ] 2.{number} Use\n    - _Depends: 1, 2.1_" for number in range(1, tasks + 1)]
    return "\n".join(lines).encode()


def test_tasks_wait_for_the_leaves_of_what_they_name_in_order_but_for_themselves():
    found = {task.number: task.depends for task in planned_tasks(_two_phases(11), "specthread")}
    first = tuple(f"1.{number}" for number in range(1, 12))
    assert found["2.1"] == first
    assert found["2.11"] == (*first, "2.1")


def _calls(tasks: int) -> int:
    content, calls = _two_phases(tasks), 0

    def count(_frame: object, kind: str, _argument: object) -> None:
        nonlocal calls
        calls += kind == "call"

    sys.setprofile(count)
    try:
        planned_tasks.__wrapped__(content, "specthread")
    finally:
        sys.setprofile(None)
    return calls


def test_a_plan_in_which_each_waits_for_a_whole_phase_costs_in_proportion_to_its_tasks():
    _calls(10)
    assert _calls(400) <= _calls(200) * 2.2
