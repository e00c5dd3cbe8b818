from __future__ import annotations

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from specthread.spec.tasks import parse_tasks


def waits(text: str, dialect="specthread") -> dict[str, set[str]]:
    return {task.id: set(task.depends) for task in parse_tasks(text.encode(), dialect).tasks if task.leaf}


def graph(*waves: list[str]) -> str:
    return f"\n## Task Dependency Graph\n\n```json\n{json.dumps({'waves': waves})}\n```\n"


def reached(waits: dict[str, set[str]], start: str) -> set[str]:
    """All that must be done before a task."""
    found: set[str] = set()
    rest = [start]
    while rest:
        new = waits.get(rest.pop(), set()) - found
        found |= new
        rest += new
    return found


FIVE = "- [ ] 1. a\n- [ ] 2. b\n- [ ] 3. Checkpoint - all tests pass\n- [ ] 4. c\n- [ ] 5. d\n"


def test_a_checkpoint_in_no_wave_stands_between_what_is_written_before_and_after_it():
    assert waits(FIVE + graph(["1", "2"], ["4", "5"])) == {
        "1": set(), "2": set(), "3": {"1", "2"}, "4": {"1", "2", "3"}, "5": {"1", "2", "3"}
    }  # fmt: skip


def test_a_wave_is_cut_in_two_by_a_checkpoint_between_its_tasks():
    assert waits(FIVE + graph(["1", "2", "4"], ["5"])) == {
        "1": set(), "2": set(), "3": {"1", "2"}, "4": {"3"}, "5": {"1", "2", "4"}
    }  # fmt: skip


def test_what_something_before_the_checkpoint_waits_for_is_not_held_back():
    found = waits(FIVE + graph(["1", "4"], ["2", "5"]))
    assert (found["2"], found["3"], found["4"]) == ({"1", "4"}, {"2"}, set())
    assert "3" in found["5"]


def test_a_checkpoint_that_a_wave_holds_is_where_the_wave_says():
    assert waits(FIVE + graph(["1", "2", "4"], ["3"], ["5"]))["4"] == set()


def test_a_checkpoint_beside_arrows_is_a_barrier_too():
    arrows = "\n## Dependencies\n\n```\nT1 --> T2\nT4 --> T5\n```\n"
    assert waits(FIVE + arrows) == {"1": set(), "2": {"1"}, "3": {"2"}, "4": {"3"}, "5": {"4"}}


def test_a_task_that_names_nothing_is_held_back_behind_one_that_does():
    text = "- [ ] 1. a\n- [ ] 2. Checkpoint\n- [ ] 3. b\n  - _Depends: none_\n- [ ] 4. c\n"
    assert waits(text) == {"1": set(), "2": {"1"}, "3": set(), "4": {"2", "3"}}


@pytest.mark.parametrize("depends", ["none", "1"])
def test_a_task_that_names_what_it_waits_for_is_not_held_back(depends):
    text = f"- [ ] 1. a\n- [ ] 2. Checkpoint\n- [ ] 3. b\n  - _Depends: {depends}_\n"
    assert waits(text)["3"] == ({"1"} if depends == "1" else set())


def test_a_checkpoint_waits_for_all_before_it_that_nothing_else_waits_for():
    text = "- [ ] 1. a\n- [ ]* 2. b\n- [ ] 3. c\n  - _Depends: none_\n- [ ] 4. Final checkpoint\n"
    assert waits(text)["4"] == {"1", "3"}


def test_a_checkpoint_that_may_be_left_out_holds_nothing_back():
    assert waits("- [ ] 1. a\n- [ ]* 2. Checkpoint\n- [ ] 3. b\n") == {"1": set(), "2": {"1"}, "3": {"1"}}


def test_the_steps_of_a_checkpoint_are_a_barrier_together():
    text = "- [ ] 1. a\n- [ ] 2. Checkpoint\n  - [ ] 2.1 tests\n  - [ ] 2.2 lint\n- [ ] 3. b\n"
    assert waits(text + graph(["1"], ["3"])) == {"1": set(), "2.1": {"1"}, "2.2": {"2.1"}, "3": {"1", "2.2"}}


NEEDED = "- [ ] 1. a\n  - _Depends: {}_\n- [ ] 2. b\n  - _Depends: none_\n- [ ] 3. Checkpoint\n- [ ] 4. c\n{}- [ ] 5. d\n"


def test_what_is_needed_before_a_checkpoint_does_not_wait_for_it_by_its_place():
    assert waits(NEEDED.format("4", "")) == {"1": {"4"}, "2": set(), "3": {"1", "2"}, "4": {"2"}, "5": {"3", "4"}}


def test_a_checkpoint_that_a_task_before_it_waits_for_by_name_does_not_wait_for_that_task():
    assert waits(NEEDED.format("4", "  - _Depends: 3_\n")) == {"1": {"4"}, "2": set(), "3": {"2"}, "4": {"3"}, "5": {"4"}}


@st.composite
def plans(draw):
    """Tasks in waves drawn at random, some of them checkpoints that no wave holds, some naming what they wait for."""
    count = draw(st.integers(1, 10))
    numbers = [str(number) for number in range(1, count + 1)]
    checkpoints = draw(st.sets(st.sampled_from(numbers)))
    wave = {number: draw(st.integers(0, 3)) for number in numbers if number not in checkpoints}
    named = {number: draw(st.sampled_from(["", "", "", "none", *numbers])) for number in wave}
    lines = []
    for number in numbers:
        lines.append(f"- [ ] {number}. {'Checkpoint' if number in checkpoints else 'work'}")
        lines += [f"  - _Depends: {named[number]}_"] if named.get(number) else []
    rows = [[number for number, at in wave.items() if at == each] for each in range(4)]
    style = draw(st.sampled_from(["waves", "order"]))
    text = "\n".join(lines) + "\n" + (graph(*filter(None, rows)) if style == "waves" and wave else "")
    return text, sorted(checkpoints, key=int)


@given(plans())
@example((NEEDED.format("4", ""), ["3"]))
@example((NEEDED.format("4", "  - _Depends: 3_\n"), ["3"]))
def test_a_checkpoint_holds_back_all_it_can_and_makes_no_circle(plan):
    text, checkpoints = plan
    found = waits(text)
    without = waits(text.replace("Checkpoint", "work"))
    assume(not any(number in reached(without, number) for number in without))
    for checkpoint in checkpoints:
        assert checkpoint not in reached(found, checkpoint)
        standing_before = {number for number in found if int(number) < int(checkpoint)}
        for number in standing_before - reached(found, checkpoint):
            assert any(f"_Depends: {each}_" in text for each in checkpoints)
            assert checkpoint in reached(found, number), number
        needed_before = set().union(*(reached(found, number) for number in standing_before), standing_before)
        for number in found:
            explicit = f" {number}. work\n  - _Depends" in text
            if int(number) > int(checkpoint) and number not in needed_before and not explicit:
                assert checkpoint in reached(found, number), number
    assert not any(number in reached(found, number) for number in found)
