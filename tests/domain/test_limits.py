"""Limits of one run, one task and one day beside the SpecTask's: no call starts that could pass any of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.budget import WITHOUT_LIMIT, spent_on
from specthread.domain.decide import decide
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import DAEMON, Refusal
from specthread.domain.state import apply
from specthread.protocol.sentences import sentence
from specthread.views.cost import by_requirement
from support.situation import planning, under_review, working
from support.story import ADA, ID, finish, limits, plan, ws

TODAY = date(2026, 3, 1)
TOMORROW = date(2026, 3, 2)


def asks(reserve: str | None, run: RunId | None = None, **more) -> reports.StartCall:
    amount = None if reserve is None else Decimal(reserve)
    return reports.StartCall(spectask=ID, run=run or ws(1), turn=9, reserve_usd=amount, **more)


def spends(story, cost: str, run: RunId | None = None, day: date = TODAY) -> None:
    run = run or ws(1)
    story.do(asks(cost, run, day=day), DAEMON)
    call = story._run(run).open_call
    story.do(replace(finish(run, call, 9, cost), day=day), DAEMON)


def answer(text: str, number: int = 1) -> c.AnswerQuestion:
    return c.AnswerQuestion(spectask=ID, run=ws(number), answer=text)


# --- a run, a task


def test_a_session_is_stopped_by_its_own_limit_while_another_goes_on():
    story = working(run_usd=Decimal(5))
    story.give("2")
    spends(story, "4")
    (asked,) = story.do(asks("1.01"), DAEMON)
    assert asked.kind == "budget"
    assert "$4.00 of $5 for one session is spent or reserved" in asked.text
    assert story.session().state == "waiting"
    assert isinstance(story.do(asks("5", ws(2)), DAEMON)[-1], e.CallStarted)


def test_the_planner_is_held_to_it_too():
    story = planning(limits=limits(run_usd=Decimal(1)))
    asked = story.do(asks("1.5", plan()), DAEMON)[-1]
    assert "for one run of the planner" in asked.text


def test_the_work_on_a_task_counts_with_what_was_spawned_for_it():
    story = working(task_usd=Decimal(5))
    story.give("2")
    story.do(c.SpawnSession(spectask=ID, parent=ws(1), work="Look"), DAEMON)
    while story.session(3).state == "pending":
        story.do(reports.StartSpawned(spectask=ID, session=ws(3)), DAEMON)
    spends(story, "2")
    spends(story, "2", ws(3))
    asked = story.do(asks("1.01", ws(3)), DAEMON)[-1]
    assert "$4.00 of $5 for task 1 is spent or reserved" in asked.text
    assert isinstance(story.do(asks("5", ws(2)), DAEMON)[-1], e.CallStarted)


def test_a_review_counts_with_the_task_whose_work_it_judges():
    story = under_review()
    review = RunId(f"{ID}/review-1")
    story.start(task_usd=Decimal(3))
    story.do(asks("2", review), DAEMON)
    story.do(finish(review, 2, 9, "2"), DAEMON)
    failed = story.do(asks("1.01", review), DAEMON)[-1]
    assert "$2.00 of $3 for task 1 is spent or reserved" in failed.reason
    assert by_requirement(story.spectask) == {"1.1": Decimal(2)}


@pytest.mark.parametrize(("limit", "told"), [("run_usd", "for one session"), ("task_usd", "for one task")])
def test_raised_by_an_answer_the_session_goes_on(limit, told):
    story = working(**{limit: Decimal(5)})
    story.do(asks("6"), DAEMON)
    for no in ("5", "4", "much", "1e12"):
        assert story.refused(answer(no)) == "bad-limit"
    raised, _ = story.do(answer("$7"))[:2]
    assert sentence(raised) == f"Ada raised the limit {told} to $7."
    assert getattr(story.spectask.limits, limit) == Decimal(7)
    assert story.spectask.limits.stop_usd == Decimal(50)
    story.come_back()
    assert isinstance(story.do(asks("6"), DAEMON)[-1], e.CallStarted)


@pytest.mark.parametrize("limit", ["run_usd", "task_usd"])
def test_raised_by_a_new_start_the_session_goes_on(limit):
    story = working(**{limit: Decimal(5)})
    story.do(asks("6"), DAEMON)
    story.start(**{limit: Decimal(9)})
    assert story.session().state == "pending"


@pytest.mark.parametrize("limit", ["run_usd", "task_usd"])
def test_a_model_without_a_price_is_refused_under_a_limit_of_ones_own_and_asked_to_be_let_go(limit):
    story = working(**{limit: Decimal(5)})
    asked = story.do(asks(None), DAEMON)[-1]
    assert asked.choices == (WITHOUT_LIMIT,)
    story.do(answer(WITHOUT_LIMIT))
    assert getattr(story.spectask.limits, limit) is None
    story.come_back()
    assert isinstance(story.do(asks(None), DAEMON)[-1], e.CallStarted)


def test_the_limit_of_the_whole_still_holds():
    story = working(stop_usd=Decimal(10), task_usd=Decimal(20), run_usd=Decimal(20))
    asked = story.do(asks("11"), DAEMON)[-1]
    assert "$0.00 of $10 is spent or reserved" in asked.text


# --- a day


def day_of(usd: str, day: date = TODAY) -> dict:
    return {"day": day, "day_usd": Decimal(usd)}


def test_what_a_day_may_cost_is_counted_over_all_sessions_and_begins_anew_the_next_day():
    story = working()
    story.give("2")
    spends(story, "6", ws(1))
    asked = story.do(asks("4.01", ws(2), **day_of("10")), DAEMON)[-1]
    assert "$6.00 of $10 for today, over all SpecTasks, is spent or reserved" in asked.text
    assert story.session(2).state == "waiting"
    story.do(c.PauseRun(spectask=ID, run=ws(2)))
    story.do(c.ResumeRun(spectask=ID, run=ws(2)))
    story.come_back(2)
    assert isinstance(story.do(asks("9", ws(2), **day_of("10", TOMORROW)), DAEMON)[-1], e.CallStarted)
    # What is reserved counts on any day: it is not known yet on which it ends.
    asked = story.do(asks("1.01", ws(1), **day_of("10", TOMORROW)), DAEMON)[-1]
    assert "$9.00 of $10 for today" in asked.text


def test_a_stopped_call_counts_on_its_day():
    story = working()
    story.give("2")
    story.do(asks("6", ws(1), **day_of("10")), DAEMON)
    story.do(c.CancelRun(spectask=ID, run=ws(1)))
    assert isinstance(story.do(asks("4.01", ws(2), **day_of("10")), DAEMON)[-1], e.QuestionAsked)


@pytest.mark.parametrize("end", ["taken up again", "heard of late"])
def test_a_stopped_call_stays_on_the_day_on_which_it_was_charged(end):
    story = working()
    story.give("2")
    story.do(asks("6", ws(1), **day_of("10")), DAEMON)
    story.do(c.CancelSpecTask(spectask=ID))
    story.do(c.ResumeSpecTask(spectask=ID))
    story.come_back(1)
    story.come_back(2)
    story.do(asks("9", ws(2), **day_of("10", TOMORROW)), DAEMON)
    if end == "heard of late":
        story.do(replace(finish(ws(1), story.session().open_call, 9, "6"), day=TOMORROW), DAEMON)
    assert isinstance(story.do(asks("1", ws(1), **day_of("10", TOMORROW)), DAEMON)[-1], e.CallStarted)
    assert spent_on([story.spectask], TOMORROW, Decimal(10)).taken_usd == 10


def test_a_clock_that_is_set_back_makes_no_day_anew():
    story = working()
    story.give("2")
    spends(story, "6", ws(1), TOMORROW)
    spends(story, "1", ws(1), TODAY)
    assert isinstance(story.do(asks("3.01", ws(2), **day_of("10", TODAY)), DAEMON)[-1], e.QuestionAsked)


def test_a_day_is_raised_for_that_day_alone():
    story = working()
    spends(story, "9.5")
    story.do(asks("1", **day_of("10")), DAEMON)
    assert story.refused(answer("10")) == "bad-limit"
    story.do(answer("12"))
    story.come_back()
    assert isinstance(story.do(asks("2", **day_of("10")), DAEMON)[-1], e.CallStarted)
    story.do(finish(ws(1), story.session().open_call, 9, "2"), DAEMON)
    assert isinstance(story.do(asks("10.01", **day_of("10", TOMORROW)), DAEMON)[-1], e.QuestionAsked)


def test_a_day_can_be_lifted_where_no_price_is_known():
    story = working()
    assert story.do(asks(None, **day_of("10")), DAEMON)[-1].choices == (WITHOUT_LIMIT,)
    story.do(answer(WITHOUT_LIMIT))
    story.come_back()
    assert isinstance(story.do(asks(None, **day_of("10")), DAEMON)[-1], e.CallStarted)


# --- all of them together


STOP = {"stop_usd": Decimal(12), "task_usd": Decimal(9), "run_usd": Decimal(8), "user_set": True}
MOST_OF_DAY = Decimal(15)


class Two:
    """Two SpecTasks under one daemon, each with two sessions at work, and what truly was spent: by SpecTask, run and day."""

    def __init__(self):
        first = working(**STOP)
        first.give("2")
        other = SpecTaskId("other-1111")
        self.log, self.state = first.log, first.state
        for envelope in list(first.log):
            self.state = apply(self.state, replace(envelope, spectask=other))
        self.runs = [(task, RunId(f"{ID}/ws-{n}")) for task in (ID, other) for n in (1, 2)]
        self.day = TODAY
        self.paid, self.open, self.stopped = [], {}, set()

    def do(self, command, actor=DAEMON):
        events = decide(self.state, command, actor)
        for event in () if isinstance(events, Refusal) else events:
            envelope = replace(self.log[-1], seq=self.state.sequence + 1, spectask=command.spectask, event=event, actor=actor)
            self.state = apply(self.state, envelope)
            run = (command.spectask, getattr(event, "run", ""))
            if isinstance(event, e.CallLost | e.CallFinished):
                reserve, day = self.open.pop(run)
                # What was charged when it was stopped is of that day, whenever its end is heard of.
                heard = day if run in self.stopped else event.day
                self.paid.append((*run, reserve, day) if event.cost_usd is None else (*run, event.cost_usd, heard))
            elif isinstance(event, e.CallStarted):
                self.open[run] = (event.reserved_usd, event.day)
                self.stopped.discard(run)
            elif isinstance(event, e.RunCancelled | e.SpecTaskCancelled):
                self.stopped |= {each for each in self.open if each[0] == command.spectask and run[1] in {each[1], ""}}

    def move(self, kind, task, run, amount):
        call = self.state.spectasks[task].sessions[run].open_call
        at = {"spectask": task, "run": run, "turn": 2, "day": self.day}
        if kind == "start":
            self.do(reports.StartCall(reserve_usd=amount, day_usd=MOST_OF_DAY, **at))
        elif kind == "cancel":
            self.do(c.CancelRun(spectask=task, run=run), ADA)
        elif kind == "take up again":
            self.do(c.CancelSpecTask(spectask=task), ADA)
            self.do(c.ResumeSpecTask(spectask=task), ADA)
            for session in (ws(1), ws(2)):
                self.do(reports.GivePlace(spectask=task, session=session))
        elif kind == "midnight":
            self.day = TOMORROW
        elif call:
            cost = min(amount, self.open[task, run][0])
            lost = reports.LoseCall(call=call, reason="cut", cost_usd=None if kind == "vanish" else cost, **at)
            self.do(replace(finish(run, call, 2, str(cost)), spectask=task, day=self.day) if kind == "finish" else lost)

    def worst(self, **of):
        """Returns what it all costs if every call that is open costs what it may."""
        rows = [*self.paid, *((*run, *call) for run, call in self.open.items())]
        named = [dict(zip(("task", "run", "usd", "day"), row, strict=True)) for row in rows]
        return sum(row["usd"] for row in named if of.items() <= row.items())


MOVES = st.tuples(
    st.sampled_from(["start", "start", "start", "finish", "lose", "vanish", "cancel", "take up again", "midnight"]),
    st.integers(0, 3),
    st.integers(0, 800).map(lambda number: Decimal(number) / 100),
)


@given(st.lists(MOVES, max_size=30))
@example([("start", 0, Decimal(6)), ("take up again", 0, Decimal(0)), ("midnight", 0, Decimal(0)), ("start", 2, Decimal(8)), ("start", 3, Decimal(1)),
          ("start", 1, Decimal(3)), ("start", 0, Decimal("0.5"))])  # fmt: skip
def test_no_call_starts_that_could_pass_any_limit(moves):
    two = Two()
    for kind, who, amount in moves:
        two.move(kind, *two.runs[who], amount)
        for task, run in two.runs:
            assert two.worst(task=task) <= STOP["stop_usd"]
            assert two.worst(task=task, run=run) <= STOP["run_usd"]
        assert max(two.worst(day=TODAY), two.worst(day=TOMORROW)) <= MOST_OF_DAY
        assert spent_on(two.state.spectasks.values(), two.day, MOST_OF_DAY).taken_usd <= MOST_OF_DAY
