from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.domain import reports
from specthread.domain.events import EVENTS
from specthread.domain.model import DAEMON
from specthread.protocol import convert, wire
from specthread.protocol.methods import HANDLERS
from specthread.protocol.sentences import SENTENCES
from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_view import EventView, SpecTaskView, TargetView
from support.event_strategy import envelope, events
from support.fake_engine import ID, START, FakeEngine
from support.situation import cancelled, working
from support.story import ws

VERBS = [
    "new",
    "list",
    "show",
    "watch",
    "report",
    "trace",
    "cost",
    "history",
    "transcript",
    "review",
    "comment",
    "resolve",
    "approve",
    "request-changes",
    "run",
    "sessions",
    "say",
    "answer",
    "note",
    "ask",
    "pause",
    "resume",
    "cancel",
    "retry",
    "spawn",
    "locks",
    "release",
    "accept",
    "skip",
    "sync",
    "land",
    "archive",
    "versions",
    "diff",
    "rebuild",
    "pr",
    "subscribe",
    "status",
    "logs",
    "cache",
    "stop",
    "allow",
]


def test_every_verb_is_a_method_with_a_handler():
    assert set(wire.METHODS) == set(HANDLERS) == {f"specthread/{verb}" for verb in VERBS}


def test_every_changing_method_takes_a_key():
    changing = [
        "new",
        "comment",
        "resolve",
        "approve",
        "request-changes",
        "run",
        "say",
        "answer",
        "note",
        "ask",
        "pause",
        "resume",
        "cancel",
        "retry",
        "spawn",
        "release",
        "accept",
        "skip",
        "land",
        "archive",
        "pr",
    ]
    assert all("key" in wire.METHODS[f"specthread/{verb}"][0].model_fields for verb in changing)


def messages():
    pairs = [model for models in wire.METHODS.values() for model in models]
    return sorted({*pairs, *wire.NOTIFICATIONS.values(), wire.Hello, wire.Welcome}, key=lambda model: model.__name__)


@pytest.mark.parametrize("model", messages(), ids=lambda model: model.__name__)
def test_no_message_takes_a_field_it_does_not_know(model):
    assert model.model_config["extra"] == "forbid"
    assert model.__doc__
    assert issubclass(model, Wire)
    assert model.model_json_schema()["additionalProperties"] is False


def test_every_event_has_its_sentence():
    assert set(SENTENCES) == set(EVENTS.values())


@given(event=st.sampled_from(sorted(EVENTS)).flatmap(events))
def test_every_event_travels_and_is_told_in_one_line(event):
    view = convert.event_view(envelope(1, event))
    line = view.model_dump_json()
    assert EventView.model_validate_json(line).model_dump_json() == line
    assert not re.search(r"[\n\r]", view.text)
    assert len(view.text) <= 160


async def test_a_page_is_the_same_after_the_journey(tmp_path):
    engine = FakeEngine(tmp_path)
    await engine.create()
    await engine.plan()
    await engine.approve()
    await engine.implement()
    view = convert.spectask_view(
        engine.visible,
        engine.visible.spectasks[ID],
        target=TargetView(),
        cautions=("Look there.",),
        desk="/desk",
        now=START + timedelta(hours=1),
    )
    assert SpecTaskView.model_validate_json(view.model_dump_json()) == view
    assert json.loads(view.model_dump_json())["cost_usd"] == "0"
    assert view.tasks[2].why == "Waits for tasks 1, 2."


def test_what_a_cancelled_spectask_was_at_takes_no_more_time():
    story = cancelled()
    shown = [
        convert.spectask_view(story.state, story.spectask, desk="", target=TargetView(behind=0, conflicts=[], has_landed=False), now=now)
        for now in (story.now, story.now + timedelta(days=3))
    ]
    assert shown[0].sessions[0].duration > 0
    assert shown[0] == shown[1]


def test_what_agents_ask_and_say_is_shown_without_secrets():
    key, secret = "sk-ant-" + "a" * 24, "correct horse"
    story = working()
    story.give("2")
    text = f"Run `curl -H {key} {secret}`?"
    story.do(
        reports.AskQuestion(spectask=ID, run=ws(1), question="q", kind="question", text=text, choices=(f"use {secret}",)),
        DAEMON,
    )
    story.do(reports.FailRun(spectask=ID, run=ws(2), reason=f"It answered {secret} {key}."), DAEMON)
    view = convert.spectask_view(story.state, story.spectask, desk="", target=TargetView(), now=story.now, secrets=[secret])
    line = convert.summary_view(story.state, story.spectask, story.now, secrets=[secret])
    assert [need.kind for need in view.needs] == ["question", "retry"]
    for shown in (view.model_dump_json(), line.model_dump_json()):
        assert "[redacted]" in shown
        assert not [each for each in (key, secret) if each in shown]
