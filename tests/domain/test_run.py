from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.budget import spend_of, used
from specthread.domain.ids import RunId
from specthread.domain.model import DAEMON
from specthread.views.records import cost_file
from support.situation import implementing, planning, verifying, waiting, working
from support.story import ADA, ID, finish, oid, plan, ws

WS1 = ws(1)


def start_call(run: RunId = WS1, turn: int = 2, reserve: str | None = "1") -> reports.StartCall:
    return reports.StartCall(spectask=ID, run=run, turn=turn, reserve_usd=None if reserve is None else Decimal(reserve))


def calls(story) -> list[int]:
    return [envelope.event.call for envelope in story.log if isinstance(envelope.event, e.CallStarted)]


# --- calls


def test_the_first_call_says_that_the_agent_works():
    story = planning()
    assert [type(event) for event in story.do(start_call(plan(), 1), DAEMON)] == [e.RunReady, e.CallStarted]
    assert story.plan.state == "running"


def test_a_reply_is_journalled_whole():
    story = working()
    story.do(start_call(), DAEMON)
    story.do(finish(ws(1), 2, 2, "0.25"), DAEMON)
    session = story.session()
    assert (session.turn, session.open_call, session.spend.calls) == (2, 0, 2)
    assert (session.spend.input_tokens, session.spend.output_tokens, session.spend.cost_usd) == (20, 4, Decimal("0.25"))


def test_a_call_that_was_open_when_the_daemon_died_is_lost_and_stays_charged():
    story = working()
    story.do(start_call(reserve="3"), DAEMON)
    story.do(reports.InterruptRuns(spectask=ID), DAEMON)
    assert story.session().state == "interrupted"
    events = story.do(start_call(reserve="2"), DAEMON)
    assert [type(event) for event in events] == [e.RunReady, e.CallLost, e.CallStarted]
    assert calls(story) == [1, 2, 3]
    spend = story.session().spend
    assert (spend.cost_usd, spend.reserved_usd, spend.unknown_calls) == (Decimal(3), Decimal(2), 1)


@pytest.mark.parametrize(("cost", "charged", "unknown"), [(None, Decimal(3), 1), (Decimal(0), Decimal(0), 0), (Decimal(2), Decimal(2), 0)])
def test_a_broken_call_costs_what_is_known_or_else_what_was_reserved(cost, charged, unknown):
    story = working()
    story.do(start_call(reserve="3"), DAEMON)
    story.do(reports.LoseCall(spectask=ID, run=ws(1), call=2, turn=2, reason="cut", cost_usd=cost), DAEMON)
    spend = story.session().spend
    assert (spend.cost_usd, spend.reserved_usd, spend.unknown_calls) == (charged, Decimal(0), unknown)
    assert story.refused(finish(ws(1), 2, 2), DAEMON) == "stale-call"


def test_what_a_tool_did_is_journalled_even_of_a_run_that_was_paused_meanwhile():
    story = working()
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    (event,) = story.do(reports.FinishTool(spectask=ID, run=ws(1), turn=1, tool_use_id="t", content="ok"), DAEMON)
    assert isinstance(event, e.ToolFinished)


def test_only_a_run_whose_agent_worked_is_interrupted():
    story = verifying()
    assert story.do(reports.InterruptRuns(spectask=ID), DAEMON) == ()


def test_the_time_of_an_agent_is_that_of_its_calls_and_tools_and_not_that_of_its_waits():
    story = working()
    before = story.session().worked

    def acted(seconds: int) -> float:
        """Lets so many seconds pass; returns what the agent has acted in all."""
        for number in range(seconds):
            story.do(reports.ReportTrouble(spectask=ID, effect="desk", reason=f"Fault {number} of {story.now}."), DAEMON)
        session = story.session()
        return session.worked - before + ((story.now - session.active_since).total_seconds() if session.active_since else 0)

    assert acted(9) == 0  # it waits at the gate before its provider
    story.do(start_call(), DAEMON)
    assert acted(4) == 4
    story.do(reports.LoseCall(spectask=ID, run=ws(1), call=2, turn=2, reason="rate_limited", cost_usd=Decimal(0)), DAEMON)
    assert acted(60) == 5
    story.do(start_call(), DAEMON)
    used = replace(
        finish(ws(1), 3, 2), reply={"content": [{"kind": "tool_use", "id": "a"}, {"kind": "text"}, {"kind": "tool_use", "id": "b"}]}
    )
    story.do(used, DAEMON)
    for name in ("a", "b"):
        story.do(reports.FinishTool(spectask=ID, run=ws(1), turn=2, tool_use_id=name, content=""), DAEMON)
    assert acted(60) == 5 + 1 + 2
    story.do(start_call(turn=3), DAEMON)
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    story.do(c.ResumeRun(spectask=ID, run=ws(1)))
    assert acted(60) == 5 + 3 + 1  # the call was stopped, and the next one waits


def test_git_tells_how_far_it_holds_a_transcript():
    story = working()
    story.do(reports.RecordTranscript(spectask=ID, run=ws(1), turn=1, oid=oid(8)), DAEMON)
    assert (story.session().logged_turn, story.spectask.specs) == (1, oid(8))


# --- money


def test_no_call_starts_that_could_pass_the_limit():
    story = working()
    story.call(ws(1), "30", "30")
    (asked,) = story.do(start_call(turn=3, reserve="20.01"), DAEMON)
    assert (asked.kind, story.session().state, calls(story)) == ("budget", "waiting", [1, 2])
    assert "$20.01" in asked.text


def test_what_other_sessions_have_reserved_counts():
    story = working()
    story.give("2")
    story.do(start_call(reserve="30"), DAEMON)
    story.do(start_call(ws(2), reserve="20"), DAEMON)
    story.do(reports.LoseCall(spectask=ID, run=ws(2), call=2, turn=2, reason="cut", cost_usd=Decimal(0)), DAEMON)
    story.do(start_call(ws(2), reserve="20.01"), DAEMON)
    assert story.session(2).state == "waiting"
    assert spend_of(story.spectask).reserved_usd == 30


def test_the_reservation_of_a_lost_call_counts():
    story = working()
    story.do(start_call(reserve="30"), DAEMON)
    events = story.do(start_call(reserve="21"), DAEMON)
    assert [type(event) for event in events] == [e.CallLost, e.QuestionAsked]


STOPS = {
    "cancel": (c.CancelRun(spectask=ID, run=WS1), ADA, "cancelled"),
    "time over": (reports.FailRun(spectask=ID, run=WS1, reason="its time is over"), DAEMON, "failed"),
    "cancel all": (c.CancelSpecTask(spectask=ID), ADA, "running"),
}


@pytest.mark.parametrize("stop", STOPS)
def test_a_call_that_is_on_its_way_when_the_work_is_stopped_is_told_as_spent(stop):
    command, actor, state = STOPS[stop]
    story = working(stop_usd=Decimal(10))
    story.do(start_call(reserve="6"), DAEMON)
    story.do(command, actor)
    spend = spend_of(story.spectask)
    assert story.session().state == state
    assert (spend.cost_usd, spend.reserved_usd, spend.unknown_calls, used(story.spectask)) == (Decimal(6), Decimal(0), 1, Decimal(6))
    cost = json.loads(cost_file(story.spectask))
    assert (cost["total"]["cost_usd"], cost["total"]["calls_of_unknown_cost"]) == ("6", 1)
    # Its end can still be heard of, and is what counts then.
    story.do(finish(ws(1), 2, 2, "0.25"), DAEMON)
    spend = spend_of(story.spectask)
    assert (spend.cost_usd, spend.reserved_usd, spend.unknown_calls) == (Decimal("0.25"), Decimal(0), 0)


def test_a_call_that_planning_was_stopped_in_is_told_as_spent_once():
    story = planning()
    story.do(start_call(plan(), 1, reserve="3"), DAEMON)
    story.do(reports.FailRun(spectask=ID, run=plan(), reason="its time is over"), DAEMON)
    assert (story.plan.spend.cost_usd, story.plan.spend.unknown_calls) == (Decimal(3), 1)


def test_work_that_is_taken_up_again_pays_for_the_stopped_call_once():
    story = working(stop_usd=Decimal(10))
    story.do(start_call(reserve="6"), DAEMON)
    story.do(c.CancelSpecTask(spectask=ID))
    story.do(c.ResumeSpecTask(spectask=ID))
    story.come_back()
    assert [type(event) for event in story.do(start_call(reserve="4"), DAEMON)] == [e.CallLost, e.CallStarted]
    spend = story.session().spend
    assert (spend.cost_usd, spend.reserved_usd, spend.unknown_calls) == (Decimal(6), Decimal(4), 1)


def out_of_money():
    story = working()
    story.give("2")
    for number in (1, 2):
        story.do(start_call(ws(number), reserve="51"), DAEMON)
    return story


def test_a_limit_raised_by_an_answer_lets_all_go_on_that_wait_for_money():
    story = out_of_money()
    story.git = False
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer=" $100 "))
    assert [story.session(number).state for number in (1, 2)] == ["waiting", "waiting"]
    story.acknowledge()
    assert [story.session(number).state for number in (1, 2)] == ["pending", "pending"]
    story.come_back(1)
    assert (story.spectask.limits.stop_usd, story.spectask.limits.user_set) == (Decimal(100), True)
    story.do(start_call(reserve="51"), DAEMON)


def test_a_limit_raised_by_a_new_start_lets_them_go_on_too():
    story = out_of_money()
    story.start(stop_usd=Decimal(100), user_set=True)
    assert [story.session(number).state for number in (1, 2)] == ["pending", "pending"]


def test_a_limit_that_is_not_higher_lets_nobody_go_on():
    story = out_of_money()
    story.start(max_parallel=2)
    assert story.session().state == "waiting"


def test_a_run_that_was_paused_while_it_waited_for_money_asks_for_the_call_again():
    story = out_of_money()
    story.do(c.PauseRun(spectask=ID, run=ws(2)))
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="100"))
    assert story.session(2).state == "paused"
    story.do(c.ResumeRun(spectask=ID, run=ws(2)))
    story.come_back(2)
    assert (story.session(2).state, story.session(2).question) == ("running", None)


def test_the_warning_comes_once():
    story = working()
    story.call(ws(1), "9.99", "9.99")
    assert not story.spectask.warned
    for _ in range(2):
        story.call(ws(1), "1", "1")
    assert [envelope.event.spent_usd for envelope in story.log if isinstance(envelope.event, e.BudgetWarned)] == [Decimal("10.99")]


def test_an_unknown_price_runs_under_the_default_limit():
    story = working()
    story.call(ws(1), None, None)
    assert (story.session().spend.unknown_calls, story.session().state) == (1, "running")


def test_an_unknown_price_is_refused_under_a_limit_that_the_human_set():
    story = implementing(user_set=True)
    session = story.do(reports.StartSession(spectask=ID, task="1"), DAEMON)[0].session
    events = story.do(start_call(session, 1, None), DAEMON)
    assert "unknown" in events[-1].text
    assert (story.session().state, calls(story)) == ("waiting", [])
    assert story.refused(c.AnswerQuestion(spectask=ID, run=session, answer="100")) == "bad-limit"
    story.do(c.AnswerQuestion(spectask=ID, run=session, answer="Go on without a limit"))
    assert story.session().state == "pending"
    story.come_back()
    assert story.session().state == "running"
    story.do(start_call(session, 1, None), DAEMON)
    assert calls(story)


def test_starting_anew_without_a_budget_lifts_a_limit_that_cannot_be_kept():
    story = implementing(user_set=True)
    session = story.do(reports.StartSession(spectask=ID, task="1"), DAEMON)[0].session
    story.do(start_call(session, 1, None), DAEMON)
    story.start(user_set=False)
    assert story.session().state == "pending"
    story.come_back()
    assert story.session().state == "running"
    story.do(start_call(session, 1, None), DAEMON)


# --- questions and messages


def test_a_question_is_asked_once_however_often_it_is_put():
    story = waiting()
    again = reports.AskQuestion(spectask=ID, run=ws(1), question="q1", kind="question", text="Tabs or spaces?")
    assert story.do(again, DAEMON) == ()


def test_a_run_goes_on_when_git_holds_the_answer():
    story = waiting()
    story.git = False
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="Tabs"))
    assert (story.session().state, story.session().question.answer) == ("waiting", "Tabs")
    story.acknowledge()
    assert story.session().state == "pending"
    story.come_back()
    assert story.session().state == "running"


def test_an_agent_that_names_its_question_like_ours_gets_its_answer():
    story = planning()
    story.do(reports.AskQuestion(spectask=ID, run=plan(), question="check-0", kind="question", text="Which?"), DAEMON)
    story.do(c.AnswerQuestion(spectask=ID, run=plan(), answer="This"))
    assert story.plan.state == "running"


def test_a_message_waits_for_the_next_turn():
    story = working()
    (sent,) = story.do(c.SayToRun(spectask=ID, run=ws(1), text="Use tabs"))
    assert (sent.after_turn, sent.source) == (1, ADA.name)


# --- pause


@pytest.mark.parametrize("given", [working, waiting, verifying], ids=lambda given: given.__name__)
def test_a_paused_run_goes_on_where_it_was(given):
    story = given()
    before = story.session().state
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    assert story.session().state == "paused"
    story.do(c.ResumeRun(spectask=ID, run=ws(1)))
    if before != "waiting":
        story.come_back()
    assert story.session().state == before


def test_a_paused_run_holds_no_place():
    story = working(max_parallel=1)
    assert story.ready() == []
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    assert story.ready() == ["2"]


@pytest.mark.parametrize("cannot_run", [False, True])
def test_an_answer_recorded_during_a_pause_is_not_forgotten(cannot_run):
    story = verifying() if cannot_run else waiting()
    if cannot_run:
        story.checked(outcome="cannot-run")
    story.git = False
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="Tabs"))
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    story.acknowledge()
    assert story.session().state == "paused"
    story.do(c.ResumeRun(spectask=ID, run=ws(1)))
    assert story.session().state == "pending"
    story.come_back()
    assert story.session().state == "running"
    assert ("SessionSentBack" in story.kinds()) is cannot_run
