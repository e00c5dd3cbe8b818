from __future__ import annotations

import pytest

from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.domain.provider import ProviderState
from support.fake_documents import DESIGN
from support.fake_engine import ID, FakeEngine, serving
from support.rpc_client import calling


@pytest.fixture
async def engine(tmp_path):
    return FakeEngine(tmp_path)


@pytest.fixture
async def path(engine, tmp_path):
    async with serving(engine, tmp_path) as path:
        yield path


async def test_history_comes_in_pages(path, engine):
    await engine.create()
    await engine.plan()
    async with calling(path) as caller:
        first = (await caller.call("history", id=ID, limit=3))["result"]
        second = (await caller.call("history", id=ID, limit=300, since=first["events"][-1]["seq"]))["result"]
    assert (len(first["events"]), first["more"], second["more"]) == (3, True, False)
    assert [event["seq"] for event in first["events"] + second["events"]] == [envelope.seq for envelope in engine.envelopes]


async def test_a_transcript_comes_entry_by_entry_and_without_secrets(path, engine):
    await engine.create()
    run = RunId(f"{ID}/plan-1")
    await engine.do(reports.StartCall(spectask=ID, run=run, turn=1, reserve_usd=None, briefing="Plan it."))
    reply = {
        "content": [
            {"kind": "text", "text": "I know: correct horse."},
            {"kind": "tool_use", "id": "t1", "name": "shell", "input": {"command": "ls"}},
        ]
    }
    finished = reports.FinishCall(spectask=ID, run=run, call=1, turn=1, reply=reply, input_tokens=5, output_tokens=6, cost_usd=None)
    await engine.do(finished)
    async with calling(path) as caller:
        first = (await caller.call("transcript", run="plan-1", limit=1))["result"]
        assert [entry["kind"] for entry in first["entries"]] == ["note"]
        assert first["more"]
        rest = (await caller.call("transcript", run=run, since=first["seq"]))["result"]
        assert [(entry["kind"], entry["who"], entry["text"]) for entry in rest["entries"]] == [
            ("told", "", "Plan it."),
            ("call", "", "call 1 · 5 tokens in, 6 out"),
            ("text", "", "I know: [redacted]."),
            ("tool", "shell", "ls"),
        ]
        assert (rest["more"], rest["seq"], rest["title"]) == (False, len(engine.envelopes), "Planning")
        assert (await caller.call("transcript", run="ws-9"))["error"]["data"]["code"] == "unknown-id"


async def test_a_reviewer_sees_what_was_sent_back_until_it_is_approved(path, engine):
    await engine.create()
    await engine.plan()
    async with calling(path) as caller:

        async def design():
            review = (await caller.call("review", id=ID))["result"]
            return next(each for each in review["documents"] if each["name"] == "design")

        assert (await design())["sent_back_text"] == ""
        await caller.call("request-changes", id=ID, message="Shorter.")
        await engine.record()
        await engine.write("design", b"# Design\n\n## Overview\n\nShort.\n")
        assert (await design())["sent_back_text"] == DESIGN.decode()
        await engine.do(reports.FinishPlanning(spectask=ID, plan=RunId(f"{ID}/plan-2"), summary="Shorter."))
        await engine.approve()
        assert (await design())["sent_back_text"] == ""


async def test_a_comment_is_shown_where_its_words_are_now(path, engine):
    await engine.create()
    await engine.plan()
    async with calling(path) as caller:
        await caller.call("comment", id=ID, file="design", line=5, text="Which one?")
        await engine.write("design", DESIGN.replace(b"## Overview", b"New.\n\n## Overview"))
        (comment,) = (await caller.call("review", id=ID))["result"]["comments"]
        assert comment["line"] == 7


async def test_a_page_of_history_has_a_limit(path):
    async with calling(path) as caller:
        error = (await caller.call("history", id=ID, limit=5000))["error"]
    assert error["message"].startswith("The parameter `limit` should be less than or equal to 300")


async def test_what_a_provider_is_waited_for_is_the_same_in_list_show_sessions_and_status(path, engine):
    await engine.create()
    run = RunId(f"{ID}/plan-1")
    engine.providers = (ProviderState(name="models.example", limit=3, most=6, in_flight=3, waiting=(run,), reason="overloaded"),)
    async with calling(path) as caller:
        listed = (await caller.call("list"))["result"]["spectasks"][0]["why"]
        shown = (await caller.call("show", id=ID))["result"]
        sessions = (await caller.call("sessions", id=ID))["result"]["sessions"]
        (provider,) = (await caller.call("status"))["result"]["providers"]
    said = "Waits for models.example: limit 3 of 6 after “overloaded”."
    assert {listed, shown["why"], shown["planning"][0]["why"], sessions[0]["why"]} == {said}
    assert (provider["free"], provider["waiting"], provider["trouble"]) == (0, [run], "limit 3 of 6 after “overloaded”")
