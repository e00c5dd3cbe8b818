"""What was shown is what is pushed, or nothing is."""

from __future__ import annotations

import pytest

from support.fake_engine import ID, FakeEngine, serving
from support.fake_pull_request import SECRET, URL
from support.rpc_client import calling


@pytest.fixture
async def engine(tmp_path):
    engine = FakeEngine(tmp_path)
    await engine.create()
    await engine.plan()
    await engine.approve()
    return engine


@pytest.fixture
async def caller(engine, tmp_path):
    async with serving(engine, tmp_path) as path, calling(path) as caller:
        yield caller


async def test_what_was_shown_is_pushed(engine, caller):
    plan = (await caller.call("pr", id=ID))["result"]
    assert (plan["how"], plan["number"], plan["address"]) == ("asks", 0, "https://github.com/ada/calc")
    assert engine.visible.spectasks[ID].pull_request is None
    opened = (await caller.call("pr", id=ID, confirm=plan["confirm"], key="k1"))["result"]
    assert (opened["how"], opened["url"], engine.visible.spectasks[ID].pull_request.url) == ("opened", URL, URL)
    assert SECRET not in str(plan) + str(opened)
    assert URL in (await caller.call("pr", id=ID))["result"]["text"]


async def test_something_else_than_what_was_shown_is_refused(engine, caller):
    plan = (await caller.call("pr", id=ID))["result"]
    for other in ({"confirm": "0" * 16}, {"confirm": plan["confirm"], "with_records": True}):
        refused = (await caller.call("pr", id=ID, **other))["error"]
        assert refused["data"]["code"] == "stale-version"
    assert (await caller.call("pr", id=ID, confirm="yes"))["error"]["code"] == -32602
    assert engine.visible.spectasks[ID].pull_request is None
