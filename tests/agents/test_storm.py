"""Twenty sessions at once through the real client and a server that suddenly takes four calls only; time is virtual."""

import asyncio
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from specthread.agents.messages_api import MessagesApiModel
from specthread.agents.prices import NO_COST
from specthread.agents.provider import Provider
from specthread.agents.throttle import Throttle
from specthread.agents.turns import MessagesBackend
from support.fake_messages_api import FakeMessagesApi, Line, Request, Status, use
from support.journal_port import Journal
from support.turns_story import ASSIGNMENT, toolbox
from support.virtual_time import VirtualTime

SESSIONS = 20
TURNS = 13
STORM = range(2, 10)
"""Seconds from the start in which the server takes few calls."""
FEW = 4


@dataclass(slots=True)
class StormyApi(FakeMessagesApi):
    """Takes a second for each call, and in the storm no more than FEW at once; refuses after a while, in both ways that servers do."""

    time: VirtualTime = field(default_factory=VirtualTime)
    provider: Provider = field(default_factory=Provider)
    taken: int = 0
    resting: int = 0
    refusals: int = 0
    series: list[tuple[float, int, int]] = field(default_factory=list)

    def _line_for(self, request: Request) -> Line:
        said = sum(message["role"] == "assistant" for message in request.body["messages"])
        step = use("finish", summary="All done.") if said == TURNS else use("read", path=str(said))
        return Line(when="", content=(step,))

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        throttle = self.provider.throttle
        self.series.append((self.time.now, throttle.limit, throttle.in_flight))
        if int(self.time.now) in STORM and self.taken >= FEW:
            self.refusals += 1
            status = (429, 529)[self.refusals % 2]
            await self._rest(0.5)
            await self._refuse(Status(status=status, headers={"retry-after": "2"} if status == 429 else {}), writer)
            return
        self.taken += 1
        await self._rest(1.0)
        self.taken -= 1
        await FakeMessagesApi._answer(self, request, writer)

    async def _rest(self, seconds: float) -> None:
        self.resting += 1
        await self.time.sleep(seconds)
        self.resting -= 1


async def storm():
    """Returns how the sessions ended, their journals, and the server."""
    time = VirtualTime()
    provider = Provider(throttle=Throttle(most=SESSIONS), clock=time, sleep=time.sleep)
    journals = [Journal() for _ in range(SESSIONS)]
    async with StormyApi([], time=time, provider=provider) as server, time.passing():
        time.busy = lambda: provider.throttle.in_flight > server.resting
        model = MessagesApiModel(api_key="k", base_url=server.url)
        backend = MessagesBackend(model=model, prices=NO_COST, provider=provider, sleep=time.sleep)
        runs = [
            backend.run(replace(ASSIGNMENT, run=f"x-1/ws-{number}"), journal, toolbox()) for number, journal in enumerate(journals, start=1)
        ]
        ends = await asyncio.gather(*runs)
        await model.close()
    return ends, journals, server


async def test_in_a_storm_of_refusals_no_session_fails_and_the_limit_halves_and_recovers():
    ends, journals, server = await storm()
    limits = [limit for limit, _ in groupby(limit for _, limit, _ in server.series)]
    assert {end.kind for end in ends} == {"finished"}
    assert server.refusals >= SESSIONS - FEW
    # One crowd of refusals halves once; after it the limit moves by one step up or by half down.
    assert limits[:2] == [20, 10]
    assert all(after == before + 1 or before // 4 <= after < before for before, after in pairwise(limits)), limits
    assert min(limits) in {1, 2, 3}
    assert limits[-1] == SESSIONS, limits
    # Each call that left was journalled once, and nothing that only waited.
    assert sum(len(journal.of("started")) for journal in journals) == len(server.series)
    assert all(len(journal.of("finished")) == TURNS + 1 for journal in journals)
