import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.document import Range
from specthread.spec.edits import Edit, apply_edits, boxes, set_box
from specthread.spec.source import scan
from specthread.spec.tasks import parse_tasks
from support.spec_text import documents

PLAN = b"\xef\xbb\xbf# Plan\r\n- [ ] 1. a\r\n  - [X] 1.1 b [x]\r\n\t- [-]* 1.2 \xff\r\n```\r\n- [ ] 1.3 c\r\n```\r\n- [?] 2. d"


@given(documents(), st.data())
def test_setting_a_box_changes_exactly_its_one_byte(content, data):
    states = boxes(content)
    if not states:
        return
    task_id = data.draw(st.sampled_from(list(states)))
    state = data.draw(st.sampled_from(["todo", "done", "in_progress"]))
    edits = set_box(content, task_id, state)
    edited = apply_edits(content, edits)
    first = next(task for task in parse_tasks(content).tasks if task.id == task_id)
    box = scan(content).range(first.box)
    assert len(edits) <= 1
    assert len(edited) == len(content) - (box.end - box.start) + 1 if edits else edited == content
    assert edited[: box.start] == content[: box.start]
    assert edited[box.start + 1 :] == content[box.end :]
    assert boxes(edited) == {**states, task_id: state}
    assert set_box(edited, task_id, state) == ()


@given(documents())
def test_tick_and_untick_gives_the_document_back(content):
    for task in parse_tasks(content).tasks:
        if task.state_raw == " ":
            ticked = apply_edits(content, set_box(content, task.id, "done"))
            assert apply_edits(ticked, set_box(ticked, task.id, "todo")) == content


def test_the_boxes_of_a_document_are_read_in_order():
    assert list(boxes(PLAN).items()) == [("1", "todo"), ("1.1", "done"), ("1.2", "in_progress"), ("2", "todo")]


@pytest.mark.parametrize(
    ("task_id", "state", "before", "after"),
    [
        ("1", "done", b"- [ ] 1. a", b"- [x] 1. a"),
        ("1.1", "todo", b"- [X] 1.1", b"- [ ] 1.1"),
        ("1.1", "done", b"", b""),
        ("1.2", "done", b"- [-]* 1.2", b"- [x]* 1.2"),
        ("2", "todo", b"- [?] 2.", b"- [ ] 2."),
        ("1.3", "done", b"", b""),
        ("9", "done", b"", b""),
    ],
)
def test_one_box_is_set_and_nothing_else(task_id, state, before, after):
    assert apply_edits(PLAN, set_box(PLAN, task_id, state)) == PLAN.replace(before, after, 1)


def test_edits_refer_to_the_document_as_given_in_any_order():
    edits = [Edit(Range(4, 5), b"E"), Edit(Range(0, 1), b""), Edit(Range(2, 2), b"--")]
    assert apply_edits(b"abcde", edits) == b"b--cdE"


def test_overlapping_edits_are_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="overlap at byte 1"):
        apply_edits(b"abc", [Edit(Range(0, 2), b""), Edit(Range(1, 3), b"")])
