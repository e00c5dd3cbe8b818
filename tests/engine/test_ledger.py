"""What the log holds of each call: the tokens by kind, the price, and what it is a price of."""

from dataclasses import replace
from decimal import Decimal

import pytest

from specthread.agents.backend import ModelError, Usage
from specthread.agents.prices import LIST_PRICES
from specthread.domain import events as e
from specthread.domain.budget import spend_of
from specthread.engine.settings import RoleSettings
from support.engine_world import plan, story_of, task, world
from support.git_fixture import isolate_git, make_repository

PLANNER = story_of(plan(task(1, "Add one", "grep -q Two README.md")), {})
PLANNER = story_of(plan(task(1, "Add one", "test -f one.py")), {})


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


async def ledger_of(tmp_path, repository, model, calls):
    """Plays a planner whose calls use what `calls` says, the first try of a broken one being cut; returns the ends of its calls and the sum."""

    def story(request):
        usage = calls[request.turn - 1]
        if usage.estimated and request.attempt == 1:
            return ModelError("cut", "The connection broke.", retryable=True, usage=usage, request_id="req_cut")
        return replace(PLANNER(request), usage=replace(usage, estimated=False))

    changes = {"roles": {"planner": RoleSettings(model=model)}}
    async with world(tmp_path, repository, story, changes=changes, prices=LIST_PRICES) as engine:
        await engine.create()
        await engine.until(lambda spectask: spectask.state == "spec_review")
        envelopes = await engine.engine.read_events(engine.id)
        return [each.event for each in envelopes if isinstance(each.event, e.CallFinished | e.CallLost)], spend_of(engine.spectask)


async def test_the_ledger_is_what_a_hand_computes_with_cached_tokens(tmp_path, repository):
    calls = (
        Usage(input=1_000, cache_write=20_000, output=500),
        Usage(input=10, cache_read=20_000, cache_write=1_000, output=600),
        Usage(input=10, cache_read=21_000, cache_write_1h=2_000, output=700, estimated=True),
        Usage(input=10, cache_read=23_000, output=100),
    )
    ends, spend = await ledger_of(tmp_path, repository, "claude-sonnet-5-5", calls)
    # Dollars for a million: input 2, output 10, cache read 0.10, cache write 2.50 for five minutes and 4 for an hour.
    lost = "0.01712"
    by_hand = ["0.0570", "0.01052", lost, lost, "0.00332"]
    assert [end.cost_usd for end in ends] == [Decimal(cost) for cost in by_hand]
    assert (spend.cost_usd, spend.unknown_calls) == (sum(map(Decimal, by_hand)), 0)
    assert [type(end) for end in ends] == [e.CallFinished, e.CallFinished, e.CallLost, e.CallFinished, e.CallFinished]
    assert [end.usage for end in ends] == [calls[0], calls[1], calls[2], replace(calls[2], estimated=False), calls[3]]
    assert {end.model for end in ends} == {"claude-sonnet-5-5"}
    assert {end.price_version.split()[0] for end in ends} == {"genai-prices"}
    assert ends[2].request_id == "req_cut"
    assert all(end.request_id for end in ends)
    assert (spend.input_tokens, spend.output_tokens) == (21_000 + 21_010 + 2 * 23_010 + 23_010, 500 + 600 + 2 * 700 + 100)
    assert (spend.cache_read, spend.cache_write) == (20_000 + 2 * 21_000 + 23_000, 20_000 + 1_000 + 2 * 2_000)


async def test_a_long_prompt_is_charged_whole_by_the_tier_it_falls_into(tmp_path, repository):
    calls = (
        Usage(input=100_000, output=1_000),
        Usage(input=1, cache_read=100_000, output=1_000),
        Usage(input=50_000, cache_read=60_000, cache_write=40_000, output=1_000),
        Usage(output=1_000),
    )
    ends, _ = await ledger_of(tmp_path, repository, "claude-haiku-5-5", calls)
    # Up to 100,000 tokens: input 0.10, output 0.50. Beyond: 0.50, 2.50, cache read 0.05, cache write 0.625.
    assert [end.cost_usd for end in ends] == [Decimal(cost) for cost in ("0.0105", "0.0075005", "0.0555", "0.0005")]
