from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.approval import held_tasks
from specthread.domain.decide import decide
from specthread.domain.model import DAEMON, ENDED_TASK_STATES, Refusal, State
from specthread.domain.react import KeepPullRequest, PutAway, WriteSpecs, mergeable, wanted
from specthread.domain.run import WORKING_RUN_STATES
from specthread.domain.state import apply
from specthread.engine.log import decode_event, encode_event
from specthread.plan.capacity import Capacity
from specthread.plan.schedule import ready
from specthread.plan.waiting import why_task_waiting, why_waiting
from support.any_story import ANY_ORDER, play
from support.command_strategy import HINTS, choices, submissions
from support.situation import GIVEN
from support.story import Story


@ANY_ORDER
@given(st.data())
def test_every_command_is_answered_by_events_or_by_a_refusal_in_whole_words(data):
    def judge(story: Story) -> None:
        command, actor = data.draw(submissions(story))
        before = story.state
        answer = decide(before, command, actor)
        if isinstance(answer, Refusal):
            assert answer.code
            assert answer.message
            assert answer.hint
        else:
            assert all(isinstance(event, e.Event) for event in answer)
        assert story.state is before

    play(data, judge)


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_what_commands_are_drawn_from_is_of_the_type_that_each_field_has(given):
    story = given()
    for kind, hints in HINTS.items():
        for name, hint in hints.items():
            drawn = choices(story, name, hint)
            assert msgspec.convert(msgspec.to_builtins(drawn), list[hint]) == drawn, (kind, name)


@ANY_ORDER
@given(st.data())
def test_replaying_the_log_gives_the_living_state(data):
    story = play(data)
    state = State()
    for envelope in story.log:
        state = apply(state, envelope)
    assert state == story.state


@ANY_ORDER
@given(st.data())
def test_every_event_comes_back_from_the_log_as_it_was(data):
    for envelope in play(data).log:
        event = envelope.event
        assert decode_event(type(event).__name__, encode_event(event), e.SCHEMA) == event


@ANY_ORDER
@given(st.data())
def test_what_is_ready_breaks_no_dependency_no_limit_and_no_hold_and_may_be_started(data):
    def judge(story: Story) -> None:
        spectask = story.spectask
        commands = ready(story.state, Capacity(), story.now)
        tasks = [spectask.tasks[command.task] for command in commands if isinstance(command, reports.StartSession)]
        met = {number for number, task in spectask.tasks.items() if task.state in {"merged", "skipped"}}
        assert all(set(task.plan.depends) & set(spectask.tasks) <= met for task in tasks)
        assert not {task.plan.number for task in tasks} & held_tasks(spectask)
        assert (
            not tasks
            or len(tasks) + sum(run.state in WORKING_RUN_STATES for run in spectask.sessions.values()) <= spectask.limits.max_parallel
        )
        assert not tasks or (spectask.state == "implementing" and not spectask.paused)
        trial = Story(state=story.state, log=list(story.log), git=False)
        for command in commands:
            trial.do(command, DAEMON)

    play(data, judge)


@ANY_ORDER
@given(st.data())
def test_everything_says_in_one_sentence_what_it_waits_for(data):
    def judge(story: Story) -> None:
        spectask = story.spectask
        ids = [spectask.id, *(run.id for run in spectask.plans), *spectask.sessions]
        sentences = [why_waiting(story.state, known) for known in ids] + [why_task_waiting(spectask, number) for number in spectask.tasks]
        assert all(sentence.strip() and "\n" not in sentence for sentence in sentences)

    play(data, judge)


@ANY_ORDER
@given(st.data())
def test_an_ended_spectask_calls_at_most_for_writing_and_nothing_held_is_merged(data):
    def judge(story: Story) -> None:
        spectask = story.spectask
        if spectask.state in ENDED_TASK_STATES:
            last = PutAway if spectask.state == "archived" else KeepPullRequest
            assert wanted(spectask) <= {WriteSpecs(spectask=spectask.id), last(spectask=spectask.id)}
        assert not {session.task for session in mergeable(spectask)} & held_tasks(spectask)

    play(data, judge)


@ANY_ORDER
@given(st.data())
def test_no_call_is_numbered_twice_and_no_cost_is_forgotten(data):
    story = play(data)
    started = [(envelope.event.run, envelope.event.call) for envelope in story.log if isinstance(envelope.event, e.CallStarted)]
    closed = [
        (envelope.event.run, envelope.event.call) for envelope in story.log if isinstance(envelope.event, e.CallFinished | e.CallLost)
    ]
    assert max(Counter(started).values(), default=1) == 1
    assert max(Counter(closed).values(), default=1) == 1
    assert set(closed) <= set(started)
    open_calls = {(run.id, run.open_call) for run in (*story.spectask.plans, *story.spectask.sessions.values()) if run.open_call}
    assert set(started) - set(closed) == open_calls


@ANY_ORDER
@given(st.data())
def test_only_a_human_approves_accepts_and_starts(data):
    for envelope in play(data).log:
        if isinstance(envelope.event, e.SpecApproved):
            assert envelope.actor.kind == "human" or envelope.event.in_advance
        if isinstance(envelope.event, e.SpecTaskAccepted | e.QuestionAnswered | e.TaskSkipped | e.BudgetRaised):
            assert envelope.actor.kind == "human"


@pytest.mark.parametrize("given_name", GIVEN)
def test_every_situation_has_its_sentence(given_name):
    story = GIVEN[given_name]()
    assert why_waiting(story.state, story.spectask.id).endswith((".", "…", "`.", "?"))
