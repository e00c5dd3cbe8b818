"""Logs that people have on their disks load for ever: recorded ones, and an event of every kind as each version wrote it."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from specthread.domain import upcast as steps
from specthread.domain.events import EVENTS, SCHEMA, EffectFailed, SpecTaskPaused
from specthread.engine import store
from specthread.engine.log import EventLog, StoreError
from specthread.engine.log_check import check_log
from specthread.engine.replaying import replayed
from specthread.engine.store import decode_event, encode_event
from support.event_strategy import envelope, sample_of
from support.old_log import DATA, lines_of, make_old_log

STORIES = sorted(path.name for path in DATA.glob("*-story.jsonl"))
KINDS = sorted(path.name for path in DATA.glob("*-events.jsonl"))
PRESENT = f"schema-{SCHEMA}-events.jsonl"
"""An event of every kind in every form it had under this version; `make golden` adds what is new and changes no line."""


@pytest.mark.parametrize("name", STORIES)
def test_a_recorded_story_gives_the_same_state_as_on_the_day_it_was_told(tmp_path: Path, name: str):
    path = tmp_path / "events.db"
    rows = lines_of(name)
    make_old_log(path, rows)
    assert check_log(path).faults == ()
    log = EventLog.open(path, host="box")
    state, _ = replayed(log)
    (spectask,) = state.spectasks.values()
    asyncio.run(log.append([envelope(len(rows) + 1, SpecTaskPaused(), spectask=spectask.id)]))
    asyncio.run(log.close())
    told = {
        "events": state.sequence,
        "state": spectask.state,
        "tasks": {number: task.state for number, task in sorted(spectask.tasks.items())},
        "sessions": {run: f"{each.state}, {each.turn} turns" for run, each in sorted(spectask.sessions.items())},
        "plans": [f"{plan.purpose}: {plan.state}, {plan.turn} turns" for plan in spectask.plans],
        "documents": {name: document.digest for name, document in sorted(spectask.documents.items())},
        "approvals": {name: approval.digest for name, approval in sorted(spectask.approvals.items())},
        "versions": [version.tag for version in spectask.versions],
        "comments": [comment.resolved for comment in spectask.comments.values()],
        "uncommitted": len(spectask.uncommitted),
        "feature": spectask.feature,
    }
    assert told == json.loads((DATA / name.replace(".jsonl", ".state.json")).read_text("utf-8"))


@pytest.mark.parametrize("name", KINDS)
def test_every_event_that_was_ever_written_is_read_and_loses_nothing(name: str):
    for row in lines_of(name):
        event = decode_event(row["kind"], json.dumps(row["payload"]).encode(), row["schema"])
        if row["schema"] == SCHEMA:
            assert holds(json.loads(encode_event(event)), row["payload"]), f"{row['kind']} no longer holds {row['payload']}"


def holds(now: Any, then: Any) -> bool:
    """Tells whether everything that was written is still there; what came later may stand beside it."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and holds(now[key], value) for key, value in then.items())
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(holds, now, then))
    return now == then


def test_every_field_of_every_event_is_among_those_that_must_be_read_for_ever():
    known = defaultdict(set)
    for row in lines_of(PRESENT):
        known[row["kind"]] |= places(row["payload"])
    missing = [kind for kind in EVENTS if places(json.loads(encode_event(sample_of(EVENTS[kind])))) - known[kind]]
    if missing and os.environ.get("SPECTHREAD_UPDATE") == "1":
        with (DATA / PRESENT).open("a", encoding="utf-8") as file:
            for kind in missing:
                payload = json.loads(encode_event(sample_of(EVENTS[kind])))
                file.write(json.dumps({"schema": SCHEMA, "kind": kind, "payload": payload}, ensure_ascii=False) + "\n")
    else:
        assert missing == [], "new events or fields: `make golden` adds a line for each"


def places(value: Any, at: str = "") -> set[str]:
    """Returns the paths of all fields in a payload."""
    if isinstance(value, dict):
        return {at} | {place for key, item in value.items() for place in places(item, f"{at}.{key}")}
    if isinstance(value, list):
        return {at} | {place for item in value for place in places(item, f"{at}[]")}
    return {at}


# --- other versions ---------------------------------------------------------------------------------------------------------


def test_every_former_version_has_a_step_to_the_next():
    assert set(steps.STEPS) == set(range(1, SCHEMA))


def test_an_event_of_a_former_version_is_told_in_todays_words(monkeypatch):
    monkeypatch.setattr(store, "SCHEMA", 3)
    monkeypatch.setitem(steps.STEPS, 1, lambda kind, fields: ("EffectBroken", {"effect": fields["work"], "why": fields["why"]}))
    monkeypatch.setitem(steps.STEPS, 2, lambda kind, fields: ("EffectFailed", {"effect": fields["effect"], "reason": fields["why"]}))
    old = decode_event("WorkFailed", b'{"work": "git", "why": "no disk"}', 1)
    newer = decode_event("EffectBroken", b'{"effect": "git", "why": "no disk"}', 2)
    assert old == newer == EffectFailed(effect="git", reason="no disk")
    with pytest.raises(StoreError, match="cannot be read"):
        decode_event("WorkFailed", b"{}", 1)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE events SET schema = 2 WHERE seq = 210", "of schema 2; this Specthread reads schema 1"),
        ("UPDATE events SET kind = 'SpecTaskTeleported' WHERE seq = 210", "“SpecTaskTeleported”, which this Specthread does not know"),
        ("UPDATE meta SET value = '3' WHERE name = 'format'", "has format 3; this Specthread reads up to format 2"),
    ],
)
def test_a_log_of_a_newer_specthread_is_refused_at_once_and_left_alone(tmp_path: Path, statement: str, words: str):
    path = tmp_path / "events.db"
    make_old_log(path, lines_of("schema-1-story.jsonl"))
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match=words) as refused:
            EventLog.open(path, host="box")
        assert "install" in refused.value.hint
    assert path.read_bytes() == before
    assert check_log(path).newer
