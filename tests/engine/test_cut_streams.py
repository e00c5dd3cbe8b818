"""A planner over the real client whose replies are cut, each turn's after one event more: what its log and its documents hold."""

import itertools
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from specthread.agents.breaker import Breaker
from specthread.agents.messages_api import MessagesApiModel
from specthread.agents.prices import LIST_PRICES
from specthread.agents.provider import Provider
from specthread.agents.retry import MODEL
from specthread.agents.throttle import Throttle
from specthread.domain import events as e
from specthread.engine.settings import RoleSettings
from support.engine_world import world
from support.fake_messages_api import Break, FakeMessagesApi, Line, events, say, use
from support.git_fixture import isolate_git, make_repository

USAGE = {"input_tokens": 100, "cache_read_input_tokens": 1000}


def turn(number, attempt):
    """Returns the content of a turn: words, and a document that says by which try it was written."""
    return say("I write."), use("write_document", document="requirements", text=f"{number:02}/{attempt}")


EVENTS = len(list(events(Line(when="", content=turn(0, 1)), "m", itertools.count())))


@dataclass(slots=True)
class CuttingApi(FakeMessagesApi):
    """Cuts the first try of turn n before event n, and answers the second."""

    how: str = "eof"
    tries: dict[int, int] = field(default_factory=dict)

    def _line_for(self, request):
        said = sum(message["role"] == "assistant" for message in request.body["messages"])
        self.tries[said] = attempt = self.tries.get(said, 0) + 1
        if said == EVENTS:
            return Line(when="", content=(use("ask", question="Is that enough?"),))
        fault = Break(how=self.how, at=said) if attempt == 1 else None
        return Line(when="", content=turn(said, attempt), usage=USAGE, fault=fault)


@pytest.mark.parametrize("how", ["eof", "cut"])
async def test_a_stream_cut_after_any_event_writes_nothing_is_tried_once_more_and_stands_in_the_ledger(tmp_path, monkeypatch, how):
    isolate_git(monkeypatch, tmp_path / "home")
    repository = make_repository(tmp_path / "checkout", {"README.md": "One.\n"})
    provider = Provider(throttle=Throttle(most=6), breaker=Breaker(failures=10))
    roles = {"planner": RoleSettings(model="claude-sonnet-5-5")}
    async with CuttingApi([], how=how) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url)
        retry = replace(MODEL, base=0.0)
        async with world(
            tmp_path, repository, None, model=model, changes={"roles": roles}, provider=provider, prices=LIST_PRICES, retry=retry
        ) as story:
            await story.create()
            await story.until(lambda spectask: spectask.state == "planning" and spectask.plans[-1].state == "waiting")
            log = [each.event for each in await story.engine.read_events(story.id)]
        await model.close()
    written = [each.content.decode().strip() for each in log if isinstance(each, e.DocumentEdited)]
    assert written == [f"{number:02}/2" for number in range(EVENTS)]
    assert fake.tries == {number: 1 if number == EVENTS else 2 for number in range(EVENTS + 1)}
    lost = [each for each in log if isinstance(each, e.CallLost)]
    assert [each.turn for each in lost] == list(range(1, EVENTS + 1))
    assert all(each.request_id.startswith("req_fake") and each.model == "claude-sonnet-5-5" for each in lost)
    # Nothing is known of the first, which broke before the server said what it read: its reservation stays charged.
    assert lost[0].usage is None
    assert lost[0].cost_usd is None
    for each in lost[1:]:
        assert (each.usage.input, each.usage.cache_read, each.usage.estimated) == (100, 1000, True)
        assert each.cost_usd >= Decimal("0.0003")
    assert len([each for each in log if isinstance(each, e.CallStarted)]) == 2 * EVENTS + 1
