"""`specthread cost`: the page and its JSON say the same."""

from __future__ import annotations

from decimal import Decimal

import pytest

from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.domain.usage import Usage
from support.fake_engine import ID

WS1 = RunId(f"{ID}/ws-1")


@pytest.fixture
def worked(daemon):
    """A session with a call that came whole and one that was cut."""
    engine = daemon.engine
    for step in (engine.create, engine.plan, engine.approve, engine.implement):
        daemon.do(step())
    run = engine.visible.spectasks[ID].sessions[WS1]
    for cost, usage, fault in (
        ("0.25", Usage(input=100, cache_read=900, output=50), ""),
        ("0.05", Usage(input=70, estimated=True), "cut: gone"),
    ):
        turn = run.turn + 9
        daemon.do(engine.do(reports.StartCall(spectask=ID, run=WS1, turn=turn, reserve_usd=Decimal(1))))
        call = engine.visible.spectasks[ID].sessions[WS1].open_call
        about = {
            "spectask": ID,
            "run": WS1,
            "call": call,
            "turn": turn,
            "cost_usd": Decimal(cost),
            "usage": usage,
            "price_version": "prices 7",
        }
        whole = reports.FinishCall(
            reply={}, input_tokens=usage.sent, output_tokens=usage.output, model="large", request_id="req_7", **about
        )
        daemon.do(engine.do(reports.LoseCall(reason=fault, **about) if fault else whole))
    return daemon


def test_the_page_tells_runs_roles_requirements_and_the_tokens_of_the_cache(worked, cli):
    said = cli("cost", ID)
    for word in ("Cached", "900", "$0.30", "planner", "Requirement", "split evenly"):
        assert word in said.out, said.out


def test_the_same_as_json(worked, cli):
    told = cli("cost", ID, "--json").json
    assert Decimal(told["total"]["cost_usd"]) == Decimal("0.30")
    assert told["total"]["cache_read"] == 900
    assert sum(Decimal(each["cost_usd"]) for each in told["requirements"]) == Decimal("0.30")
    assert sum(Decimal(each["spend"]["cost_usd"]) for each in told["roles"]) == Decimal("0.30")
    assert "split evenly" in told["note"]
    assert told["calls"] == []


def test_each_call_is_told_when_asked_for(worked, cli):
    *_, whole, cut = cli("cost", ID, "--calls", "--json").json["calls"]
    assert (whole["model"], whole["price"], whole["request_id"], whole["cache_read"], whole["fault"]) == (
        "large",
        "prices 7",
        "req_7",
        900,
        "",
    )
    assert (cut["cost_usd"], cut["estimated"], cut["fault"], cut["input_tokens"]) == ("0.05", True, "cut: gone", 70)
    page = cli("cost", ID, "--calls").out
    assert "$0.250000" in page.replace("\n", "") or "0.25" in page


def test_calls_are_told_of_one_spectask(worked, cli):
    said = cli("cost", "--calls")
    assert (said.code, "Calls are told of one SpecTask." in said.err + said.out) == (1, True)
