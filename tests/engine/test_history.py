from datetime import UTC, datetime

import msgspec

from specthread.agents.backend import Reply, Text, ToolUse, Usage
from specthread.agents.conversation import conversation
from specthread.agents.provider import Provider
from specthread.agents.scripted import opening
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain.model import DAEMON
from specthread.engine.history import heard_through, turns_from_events
from support.engine_world import plan, story_of, task, use, world
from support.git_fixture import isolate_git, make_repository

WS = "task-7k3f/ws-1"


def log(*events):
    return tuple(
        e.Envelope(
            seq=seq,
            instance="i",
            schema=1,
            host="h",
            actor=DAEMON,
            time=datetime(2026, 1, 1, tzinfo=UTC),
            spectask="task-7k3f",
            event=event,
        )
        for seq, event in enumerate(events, 1)
    )


def started(attempt=1):
    return e.SessionStarted(session=WS, task="1", attempt=attempt, role="implementer", agent="messages", start="0" * 40)


def call(number, turn):
    return e.CallStarted(run=WS, call=number, turn=turn, reserved_usd=None)


def replied(number, turn, *content):
    reply = Reply(content=content, stop_reason="tool_use", usage=Usage(input=1, output=1), request_id="r", model="m")
    return e.CallFinished(run=WS, call=number, turn=turn, reply=msgspec.to_builtins(reply), input_tokens=1, output_tokens=1, cost_usd=None)


def said(text, after=0):
    return e.MessageSent(run=WS, after_turn=after, text=text, source="human:Ada")


def test_the_conversation_comes_back_as_it_was():
    read = ToolUse(id="t1", name="read", input={"path": "a"})
    events = log(
        started(),
        call(1, 1),
        replied(1, 1, Text(text="Hm."), read),
        e.ToolFinished(run=WS, turn=1, tool_use_id="t1", content="x"),
        call(2, 2),
    )
    first, second = turns_from_events(events, 1)
    assert first.reply.content == (Text(text="Hm."), read)
    assert [result.content for result in first.results] == ["x"]
    assert (second.number, second.reply, second.attempts) == (2, None, 1)


def test_a_lost_call_counts_as_an_attempt_of_its_turn():
    events = log(started(), call(1, 1), e.CallLost(run=WS, call=1, turn=1, reason="cut"), call(2, 1), replied(2, 1, Text(text="Yes.")))
    (turn,) = turns_from_events(events, 1)
    assert turn.attempts == 2


def test_only_the_turns_of_the_present_attempt_count():
    events = log(started(), call(1, 1), replied(1, 1), said("old", 1), started(2), call(2, 2), replied(2, 2))
    (turn,) = turns_from_events(events, 2)
    assert (turn.number, turn.follow_up) == (2, ())


def test_what_was_said_belongs_to_the_turn_that_had_begun():
    events = log(started(), call(1, 1), replied(1, 1), said("Mind the gap.", 1), call(2, 2))
    first, second = turns_from_events(events, 1)
    assert (first.follow_up, second.follow_up) == (("Mind the gap.",), ())


def test_what_was_said_while_a_call_waited_to_leave_belongs_to_the_turn_after_which_it_was_heard():
    waited = e.CallStarted(run=WS, call=2, turn=2, reserved_usd=None, heard=4)
    again = e.CallStarted(run=WS, call=3, turn=2, reserved_usd=None, heard=4)
    events = log(started(), call(1, 1), replied(1, 1), said("In time."), said("Late."), waited, said("Later."), again, said("Last."))
    first, second = turns_from_events(events, 1)
    assert (first.follow_up, second.follow_up) == (("In time.",), ("Late.", "Later.", "Last."))
    assert [turn.follow_up for turn in turns_from_events(events[:5], 1)] == [("In time.", "Late.")]


async def test_what_a_person_says_while_a_call_waits_at_the_gate_stands_after_a_restart_where_the_agent_heard_it(tmp_path, monkeypatch):
    requests = []

    class Gate(Provider):
        async def enter(self, run):
            if requests and requests[-1].turn == 1 and run == story.session().id:
                await story.give(c.SayToRun(spectask=story.id, run=run, text="Mind the gap."))
            return await super().enter(run)

    steps = [(use("read", path="README.md", first_line=number),) for number in (1, 2, 3)]
    plan_of = story_of(plan(task(1, "Add one", "false", files="one.py")), {1: [*steps, (use("ask", question="So?"),)]})

    def model(request):
        if request.role != "planner":
            requests.append(request)
        return plan_of(request)

    isolate_git(monkeypatch, tmp_path / "home")
    repository = make_repository(tmp_path / "checkout", {"README.md": "One.\nTwo.\nThree.\n"})
    async with world(tmp_path, repository, model, provider=Gate()) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: any(session.question for session in spectask.sessions.values()))
        turns = turns_from_events(await story.engine.read_events(story.id, run=story.session().id), 1)
    shown = [conversation(opening(request), turns[: request.turn - 1], writes=True) for request in requests]
    assert shown == [request.messages for request in requests]
    assert [turn.follow_up for turn in turns] == [(), ("Mind the gap.",), (), ()]


def test_what_was_said_before_the_first_call_is_still_to_be_heard():
    early = log(started(), said("Hurry."))
    assert turns_from_events(early, 1) == ()
    assert heard_through(early) == 1
    later = log(started(), said("Hurry."), call(1, 1), said("Slowly."))
    assert heard_through(later) == 4
    (turn,) = turns_from_events(later, 1)
    assert turn.follow_up == ("Hurry.", "Slowly.")


def test_what_was_summed_up_and_what_was_too_long_come_back_with_the_turns():
    summing = e.CallStarted(run=WS, call=3, turn=2, reserved_usd=None, sums_up=1)
    lost = e.CallLost(run=WS, call=1, turn=1, reason="too_long: prompt is too long: 210000 tokens > 200000 maximum")
    cut = e.CallLost(run=WS, call=3, turn=2, reason="cut: The connection broke.")
    again = e.CallStarted(run=WS, call=4, turn=2, reserved_usd=None, sums_up=1)
    first, second = turns_from_events(
        log(started(), call(1, 1), lost, call(2, 1), replied(2, 1), summing, cut, again, replied(4, 2, Text(text="All read."))), 1
    )
    assert (first.overflows, first.sums_up, first.attempts) == (1, 0, 2)
    assert (second.overflows, second.sums_up, second.attempts) == (0, 1, 2)
