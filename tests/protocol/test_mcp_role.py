"""What a client that says it is `mcp` may ask the daemon for, whatever its tools are: it speaks to the socket itself here."""

from __future__ import annotations

import pytest

from specthread.protocol import wire
from specthread.protocol.permitted import MCP_METHODS
from support.fake_engine import ID, FakeEngine, serving
from support.rpc_client import calling


@pytest.fixture
async def engine(tmp_path):
    return FakeEngine(tmp_path)


@pytest.fixture
async def path(engine, tmp_path):
    async with serving(engine, tmp_path) as path:
        yield path


async def reviewed(engine):
    await engine.create()
    await engine.plan()


def as_mcp(path, client="claude-code"):
    return calling(path, role="mcp", client=client)


async def test_it_cannot_approve_what_a_person_can(engine, path):
    await reviewed(engine)
    documents = [{"document": name, "digest": each.digest} for name, each in engine.visible.spectasks[ID].documents.items()]
    before = len(engine.envelopes)
    async with as_mcp(path) as caller:
        error = (await caller.call("approve", id=ID, documents=documents))["error"]
        assert (error["code"], error["data"]["code"]) == (wire.REFUSED, "human-only")
        assert error["message"] == "An MCP client may not approve: it needs a person."
    assert len(engine.envelopes) == before
    async with calling(path) as person:
        assert "result" in await person.call("approve", id=ID, documents=documents)


@pytest.mark.parametrize("method", sorted(set(wire.METHODS) - MCP_METHODS))
async def test_all_that_needs_a_person_is_refused_before_it_is_read(engine, path, method):
    await reviewed(engine)
    before = engine.visible
    async with as_mcp(path) as caller:
        for params in ({}, {"id": ID}, {"target": ID, "text": "yes"}):
            error = (await caller.call(method.removeprefix("specthread/"), **params))["error"]
            assert error["data"]["code"] == "human-only"
    assert engine.visible is before


def test_nothing_that_agrees_runs_or_allows_is_among_what_it_may():
    verbs = {"approve", "request-changes", "run", "answer", "accept", "land", "pr", "allow", "retry", "resume", "cancel", "stop", "skip"}
    assert not {f"specthread/{verb}" for verb in verbs} & MCP_METHODS


@pytest.mark.parametrize("ahead", [{"execute": True}, {"advance": True}, {"execute": "true"}, {"limits": {"budget_usd": "9000"}}])
async def test_a_spec_is_not_agreed_to_before_it_is_written(engine, path, ahead):
    async with as_mcp(path) as caller:
        error = (await caller.call("new", path="/project", prompt="Add JSON.", **ahead))["error"]
        assert error["data"]["code"] == "human-only"
        assert not engine.visible.spectasks
        assert "result" in await caller.call("new", path="/project", prompt="Add JSON.", execute=False)


async def test_nothing_is_spawned_before_a_person_let_work_begin(engine, path):
    await reviewed(engine)
    await engine.approve()
    async with as_mcp(path) as caller:
        error = (await caller.call("spawn", target=ID, text="Write the manual"))["error"]
        assert error["data"]["code"] == "human-only"
        await engine.implement()
        assert "result" in await caller.call("spawn", target=ID, text="Write the manual")


async def test_what_it_makes_is_told_as_the_program_of_a_person(engine, path):
    async with as_mcp(path, client="Claude <x@y>\nCode") as caller:
        await caller.call("new", path="/project", prompt="Add JSON.")
    (spectask,) = engine.visible.spectasks.values()
    assert spectask.owner.name == "Ada through Claude xyCode"


async def test_a_question_is_answered_by_a_person_and_by_nobody_else(engine, path):
    await reviewed(engine)
    async with as_mcp(path) as caller, calling(path) as person:
        asked = (await caller.call("ask", id=ID, question="Tabs or\n spaces?", choices=["Tabs", "Spaces"]))["result"]
        assert asked["answer"] == ""
        assert (await caller.call("answer", target=ID, text="Tabs"))["error"]["data"]["code"] == "human-only"
        (need,) = [each for each in (await person.call("show", id=ID))["result"]["needs"] if each["kind"] == "question"]
        assert (need["run"], need["question"]) == ("", asked["question"])
        assert (await person.call("answer", target=ID, text="2"))["result"]["text"] == "Ada answered “Tabs or spaces?”: Spaces"
        again = (await caller.call("ask", id=ID, question="Tabs or spaces?"))["result"]
        assert again == {"spectask": ID, "question": asked["question"], "answer": "Spaces"}


async def test_progress_and_decisions_are_on_the_page_without_secrets(engine, path):
    await reviewed(engine)
    async with as_mcp(path) as caller:
        await caller.call("note", id=ID, kind="progress", text="Half of it, with correct horse.")
        done = (await caller.call("note", id=ID, kind="decision", text="JSON, not YAML."))["result"]
        assert done["text"] == "Ada through claude-code decided: JSON, not YAML."
        notes = (await caller.call("show", id=ID))["result"]["notes"]
    assert [(each["kind"], each["text"]) for each in notes] == [
        ("progress", "Half of it, with [redacted]."),
        ("decision", "JSON, not YAML."),
    ]
