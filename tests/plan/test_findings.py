import pytest

from specthread.plan.findings import LONGEST, findings

REQUIREMENTS = "### Requirement 1: Stop\n\n#### Acceptance Criteria\n\n1. THE cli SHALL stop.\n"


def plan(*tasks):
    lines = [
        f"- [ ] {number}. Do {number}\n  - _Requirements: 1.1_\n  - _Depends: {depends}_\n  - _Files: {files}_\n  - _Check: {check}_\n"
        for number, (depends, files, check) in enumerate(tasks, 1)
    ]
    return "# Implementation Plan\n\n" + "".join(lines)


def found(tasks, flow="quick", requirements=REQUIREMENTS, dialect="specthread"):
    return findings({"requirements": requirements.encode(), "tasks": tasks.encode()}, dialect, flow)


def test_two_tasks_of_one_wave_that_name_the_same_file_are_told_and_ordered_ones_are_not():
    (told,) = found(plan(("none", "src/cli.py, a.py", "make a"), ("none", "src/", "make b"), ("1, 2", "a.py", "make c")))
    assert told.startswith("tasks: 1 and 2 may run at the same time and both name src/cli.py.")
    assert found(plan(("none", "src/cli.py", "make a"), ("1", "src/cli.py", "make b"))) == ()


def test_errors_come_first_and_an_adopted_spec_is_only_held_to_them():
    tasks = plan(("none", "a.py", "true"), ("none", "a.py", "make b"))
    error, collision = found(tasks)
    assert error.startswith("tasks:")
    assert collision.startswith("tasks: 1 and 2")
    assert found(tasks, dialect="kiro") == ()


@pytest.mark.parametrize("flow", LONGEST)
def test_a_document_longer_than_its_flow_has_room_for_is_told(flow):
    name, most = next(iter(LONGEST[flow].items()))
    long = {name: b"\n" * (most + 1)}
    assert f"{name} has {most + 1} lines; in the flow {flow} it should have {most} at most." in "\n".join(
        findings(long, "specthread", flow)
    )
    assert "at most" not in "\n".join(findings({name: b"\n" * most}, "specthread", flow))


def test_a_refactoring_shows_that_behaviour_stays():
    moved = plan(("none", "a.py", "make a"))
    assert found(moved) == ()
    (told,) = found(moved, flow="refactor")
    assert "no task has the check `regression`" in told
    assert found(moved.replace("make a", "regression"), flow="refactor") == ()
