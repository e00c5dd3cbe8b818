"""The figures every face shows: the time until a person is needed, or what one is needed for, and what each run does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.doing import LINE, doing_of
from specthread.domain.model import DAEMON
from specthread.plan.capacity import Crowd
from specthread.plan.estimate import Spread
from specthread.plan.remaining import Remaining
from specthread.views.figures import figures, told_left, told_range
from support.any_story import ANY_ORDER, play
from support.situation import approved, implementing, planning, reviewing, working
from support.story import ID, Story, ws


def made(story: Story, *, crowd: Crowd | None = None, secrets=()):
    return figures(story.state, story.spectask, story.now, crowd or Crowd(), secrets)


def test_while_the_planner_works_the_time_to_the_review_is_told():
    told = made(planning())
    assert told.waits == ""
    assert told.left.endswith(" to your review (a guess)")


@pytest.mark.parametrize(
    ("given_", "waits"),
    [
        (reviewing, "To be approved: requirements, design, tasks."),
        (approved, "The spec is approved; nothing runs until you start it."),
    ],
)
def test_a_person_who_is_needed_is_told_for_what_and_no_time(given_, waits):
    told = made(given_())
    assert (told.remaining, told.left, told.waits) == (None, "", waits)


def test_a_question_stands_in_the_place_of_the_time_although_others_work():
    story = working()
    story.give("2")
    assert made(story).left
    story.do(reports.AskQuestion(spectask=ID, run=ws(1), question="q1", kind="question", text="Which one?\nThis or that?"), DAEMON)
    assert (made(story).left, made(story).waits) == ("", "ws-1 asks: Which one?")
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="This"))
    assert made(story).left


def test_a_task_that_may_be_left_out_and_stopped_holds_nothing_up():
    story = implementing()
    story.do(c.StartImplementation(spectask=ID, limits=story.spectask.limits, tasks=("4",)))
    story.give("4")
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="No way."), DAEMON)
    assert made(story).waits == ""
    story.give("1")
    story.do(reports.FailRun(spectask=ID, run=ws(2), reason="No way."), DAEMON)
    assert made(story).waits == "Task 1 stopped: No way."


def test_nothing_is_left_and_nobody_is_needed_when_it_is_over():
    story = working()
    story.do(c.CancelSpecTask(spectask=ID))
    told = made(story)
    assert (told.remaining, told.waits, told.activities) == (None, "", ())


def says(story: Story, *blocks: dict) -> None:
    """Lets the agent of ws-1 finish a turn with this reply."""
    turn = story.session().turn + 1
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=turn, reserve_usd=None), DAEMON)
    call = story.session().open_call
    finished = reports.FinishCall(
        spectask=ID, run=ws(1), call=call, turn=turn, reply={"content": list(blocks)}, input_tokens=1, output_tokens=1, cost_usd=None
    )
    story.do(finished, DAEMON)


def tool(name: str, **given) -> dict:
    return {"kind": "tool_use", "id": "1", "name": name, "input": given}


def doing(story: Story, **more) -> str:
    (activity,) = made(story, **more).activities
    return activity.text


def test_a_session_is_told_by_the_last_tool_its_agent_used_or_by_its_words():
    story = working()
    assert doing(story) == "The agent works; turn 2."
    says(story, {"kind": "text", "text": "I run the tests first.\nThen I think."})
    assert doing(story) == "I run the tests first."
    says(story, {"kind": "text", "text": "Now."}, tool("read", path="a.py"), tool("shell", command="pytest -q"))
    assert doing(story) == "shell pytest -q"
    (activity,) = made(story).activities
    assert (activity.run, activity.task, activity.status, activity.turn) == (ws(1), "1", "running", 3)


def test_a_session_that_waits_is_told_by_what_it_waits_for():
    story = working()
    says(story, tool("shell", command="pytest -q"))
    assert doing(story, crowd=Crowd(held={ws(1): "Waits for the provider."})) == "Waits for the provider."
    story.claim()
    assert doing(story) == "The daemon runs the check on the committed work."
    story.checked(outcome="red")
    assert doing(story).startswith("The agent works; turn")


def test_keys_and_secrets_are_hidden_before_a_line_is_cut():
    story = working()
    says(story, tool("shell", command="x" * 100 + " sk-" + "a1" * 20 + " correct horse " + "y" * 200))
    told = doing(story, secrets=("correct horse",))
    assert "sk-" not in told
    assert "correct" not in told
    assert len(told) == 120


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["kind", "text", "content", "input"]), inner),
    )
)
def test_whatever_a_model_replies_is_told_in_one_short_line(content):
    reply = {"content": content} if isinstance(content, list) else {}
    line = doing_of(reply)
    assert len(line) <= LINE
    assert "\n" not in line


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ((0, 3, 20), "under 20 s"),
        ((15, 30, 60), "15 to 60 s"),
        ((0, 60, 91), "under 2 min"),
        ((125, 480, 1800), "2 to 30 min"),
        ((300, 300, 300), "about 5 min"),
        ((3600, 9000, 10_000), "1 to 3 h"),
        ((86_400, 2e5, 4e5), "1 to 5 days"),
        ((0, 0, 0), "under 1 s"),
    ],
)
def test_a_range_is_told_in_the_unit_of_its_upper_end_and_never_too_narrow(seconds, words):
    assert told_range(Spread(*seconds)) == words


@given(st.lists(st.floats(0, 1e7), min_size=3, max_size=3).map(sorted))
def test_any_range_is_told(seconds):
    assert told_left(Remaining(Spread(*seconds), "history", "acceptance")).endswith(" left (as earlier work took)")


@ANY_ORDER
@given(st.data())
def test_whatever_happens_the_time_is_told_only_while_nobody_is_needed(data):
    def judge(story: Story) -> None:
        for spectask in story.state.spectasks.values():
            told = figures(story.state, spectask, story.now + timedelta(seconds=9))
            assert not (told.waits and told.remaining)
            assert bool(told.left) == (told.remaining is not None)
            assert all(activity.text for activity in told.activities)

    play(data, judge)
