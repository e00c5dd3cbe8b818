from dataclasses import replace

import pytest

from specthread.agents.backend import Reply, Text, ToolResult, ToolUse, Turn, Usage
from specthread.agents.stuck import INTERRUPTED, RULES, nudges, reason_stuck
from specthread.agents.toolspecs import EDIT


def turn(number: int, name: str = "read", path: str = "", content: str = "", *, wrong: bool = False, changed: bool | None = None) -> Turn:
    """A turn that uses one tool; its path and its result are new where none is given."""
    call = ToolUse(id=f"t{number}", name=name, input={"path": path or str(number)})
    result = ToolResult(tool_use_id=call.id, content=content or f"r{number}", is_error=wrong)
    if changed is not None:
        result = ToolResult(tool_use_id=call.id, content=result.content, is_error=wrong, changed=changed)
    reply = Reply(content=(call,), stop_reason="tool_use", usage=Usage(), request_id="r", model="m")
    return Turn(number=number, reply=reply, results=(result,))


def idle(number: int) -> Turn:
    return Turn(number=number, reply=Reply(content=(Text(text="Hm."),), stop_reason="end_turn", usage=Usage(), request_id="r", model="m"))


WAYS = {
    "made the same call 5 times": (3, 5, lambda number: turn(number, path="a", content="same")),
    "got the same error 3 times": (2, 3, lambda number: turn(number, path="a", content="No such file.", wrong=True)),
    "back and forth between the same two steps 6 times": (4, 6, lambda number: turn(number, path="ab"[number % 2], content="same")),
    "changed no file for 15 turns": (10, 15, lambda number: turn(number, changed=False)),
    "ended its turn twice": (1, 2, idle),
}


def test_every_rule_has_a_case_here():
    assert len(WAYS) == len(RULES)


@pytest.mark.parametrize("reason", WAYS)
def test_a_run_is_told_first_and_stuck_at_the_end_and_what_somebody_says_begins_the_count_anew(reason):
    told, end, do = WAYS[reason]
    turns = [do(number) for number in range(1, end + 1)]
    assert reason_stuck(turns[:-1], writes=True) is None
    assert reason in reason_stuck(turns, writes=True)
    assert [bool(each) for each in nudges(turns, writes=True)] == [number >= told for number in range(1, end + 1)]
    turns[end - 2] = replace(turns[end - 2], follow_up=("Go on.",))
    assert reason_stuck(turns, writes=True) is None


@pytest.mark.parametrize("reason", WAYS)
def test_a_summary_in_between_changes_no_count(reason):
    _, end, do = WAYS[reason]
    turns = [do(number) for number in range(1, end)]
    summary = replace(idle(end), sums_up=1)
    assert reason in reason_stuck([*turns, summary, do(end + 2 - end % 2 if "forth" in reason else end + 1)], writes=True)
    assert reason_stuck([*turns, replace(summary, follow_up=("Go on.",)), do(end + 1)], writes=True) is None


def test_errors_are_the_same_only_where_nothing_worked_in_between():
    wrong = [turn(number, path="a", content="No such file.", wrong=True) for number in range(1, 6)]
    assert reason_stuck([*wrong[:2], turn(3), *wrong[3:]], writes=True) is None
    assert reason_stuck([turn(number, content=f"No file {number}.", wrong=True) for number in range(1, 6)], writes=True) is None


def test_who_asks_for_something_else_each_time_does_not_repeat_an_error():
    slow = "[stopped after 120 seconds, with everything it had started]"
    turns = [turn(number, "shell", content=slow, wrong=True) for number in range(1, 6)]
    assert reason_stuck(turns, writes=True) is None


def test_equal_calls_in_one_reply_are_one_step_so_that_the_agent_is_told_before_its_run_ends():
    once = turn(1, path="a", content="same")
    calls = tuple(ToolUse(id=f"t{number}", name="read", input={"path": "a"}) for number in range(5))
    results = tuple(ToolResult(tool_use_id=call.id, content="same") for call in calls)
    many = replace(once, reply=replace(once.reply, content=calls), results=results)
    turns = [replace(many, number=number) for number in range(1, 6)]
    assert [bool(each) for each in nudges(turns, writes=True)] == [False, False, True, True, True]
    assert reason_stuck(turns[:4], writes=True) is None
    assert reason_stuck(turns, writes=True)


def test_what_a_restart_interrupted_is_no_error_of_the_agent():
    assert reason_stuck([turn(number, content=INTERRUPTED, wrong=True) for number in range(1, 5)], writes=True) is None


def test_a_step_whose_result_is_new_is_no_alternation():
    turns = [turn(number, path="ab"[number % 2], content=f"{number // 4}") for number in range(1, 13)]
    assert reason_stuck(turns, writes=True) is None


def test_one_change_of_the_files_begins_the_count_anew_and_who_only_reads_is_not_held_to_it():
    turns = [turn(number, changed=False) for number in range(1, 16)]
    assert reason_stuck(turns, writes=False) is None
    for changed in (True, None):
        again = [*turns[:5], turn(6, name=EDIT.name, changed=changed), *turns[6:]]
        assert reason_stuck(again, writes=True) is None
