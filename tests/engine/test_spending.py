"""Money through the whole engine: a limit that is kept among sessions that call at once, and a dry run that foretells what is paid."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from specthread.agents.backend import Usage
from specthread.agents.conversation import request_bytes
from specthread.agents.prices import OwnPrice, with_own
from specthread.agents.sandbox import probe
from specthread.agents.scripted import replies_before, spoken, use
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain.budget import spend_of
from specthread.domain.model import Limits
from specthread.engine.settings import RoleSettings
from specthread.views.dry_run import forecast
from support.engine_world import ADA, plan, story_of, task, world
from support.git_fixture import isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

PRICES = with_own({"free": OwnPrice(input=Decimal(0), output=Decimal(0))})
ROLES = {"planner": RoleSettings(model="free"), "implementer": RoleSettings(model="claude-sonnet-5-5", max_tokens=8_000)}
SIX = plan(*(task(number, f"Add {number}", f"test -f {number}.py", files=f"{number}.py") for number in range(1, 7)))
ONE_DOLLAR = Limits(max_parallel=6, warn_usd=Decimal(1), stop_usd=Decimal(1), user_set=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "A line.\n" * 200})


class Greedy:
    """A model whose sessions read for ever, each call as dear as it may be; none is answered before `gate` opens."""

    name = "greedy"

    def __init__(self, planner):
        self.planner, self.gate = planner, asyncio.Event()

    async def reply(self, request, on_text):
        if request.role == "planner":
            return self.planner(request)
        await self.gate.wait()
        reply = spoken(request, use("read", path="README.md", first_line=replies_before(request) + 1))
        # Every third call is answered briefly: not all that is reserved is spent.
        output = request.max_tokens if request.turn % 3 else 100
        return replace(reply, usage=Usage(cache_write=request_bytes(request) // 4, output=output))


async def test_six_sessions_at_once_never_start_a_call_that_could_pass_a_limit_of_one_dollar(tmp_path, repository):
    model = Greedy(story_of(SIX, {}))
    async with world(tmp_path, repository, None, model=model, changes={"roles": ROLES}, prices=PRICES) as it:
        await it.create(limits=ONE_DOLLAR)
        await it.implement()
        await it.until(lambda each: len(each.sessions) == 6 and all(run.open_call or run.question for run in each.sessions.values()))
        assert Counter(run.state for run in it.spectask.sessions.values()) == {"running": 6}
        model.gate.set()
        await it.until(lambda each: all(run.question for run in each.sessions.values()))
        envelopes = await it.engine.read_events(it.id)
        spend = spend_of(it.spectask)
        assert {run.state for run in it.spectask.sessions.values()} == {"waiting"}
    spent, open_calls, costs = Decimal(0), {}, []
    for event in (each.event for each in envelopes):
        if isinstance(event, e.CallStarted):
            open_calls[event.run] = event.reserved_usd
        elif isinstance(event, e.CallFinished):
            assert event.cost_usd <= open_calls.pop(event.run)
            spent += event.cost_usd
            costs.append(event)
        assert spent + sum(open_calls.values()) <= 1
    by_hand = (end.usage.cache_write * Decimal("2.5") + end.usage.output * 10 for end in costs if end.model != "free")
    assert spend.cost_usd == spent == sum(by_hand) / 1_000_000
    assert spent > Decimal("0.85")


async def test_what_a_dry_run_says_holds_what_is_then_paid(tmp_path, repository):
    sessions = {
        number: (
            *((use("read", path="README.md", first_line=turn + 1),) for turn in range(number)),
            (use("write", path=f"{number}.py", text=""),),
            (use("finish", summary="Added."),),
        )
        for number in range(1, 7)
    }
    story = story_of(SIX, sessions)

    def priced(request):
        # Each call sends again what the one before did, and costs from 3 to 6 cents.
        usage = Usage(input=100, cache_read=5_000 * request.turn, cache_write=5_000, output=2_000 + 300 * request.turn)
        return replace(story(request), usage=usage)

    async def foretold_and_paid(it):
        await it.create()
        await it.approve()
        start = c.StartImplementation(spectask=it.id, limits=it.spectask.limits)
        around = await it.engine.surroundings(it.spectask, "")
        told = forecast(it.engine.visible, it.spectask, start, ADA, around, datetime.now(UTC))
        await it.give(start)
        await it.until(lambda each: each.state == "implementation_review")
        return told.usd, float(spend_of(it.spectask).cost_usd)

    async with world(tmp_path, repository, priced, changes={"roles": ROLES}, prices=PRICES) as it:
        guessed, paid = await foretold_and_paid(it)
        assert guessed.low <= paid <= guessed.high
        known, again = await foretold_and_paid(it)
        assert known.low <= again <= known.high
        assert known.high - known.low < guessed.high - guessed.low
