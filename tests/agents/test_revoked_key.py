"""Six sessions whose key is revoked while they work, through the real client; time is virtual."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from specthread.agents.messages_api import MessagesApiModel
from specthread.agents.prices import NO_COST
from specthread.agents.provider import Provider
from specthread.agents.turns import MessagesBackend
from support.fake_messages_api import FakeMessagesApi, Line, Request, Status, use
from support.journal_port import Journal
from support.turns_story import ASSIGNMENT, toolbox
from support.virtual_time import VirtualTime

SESSIONS = 6
REVOKED = range(3, 100)
"""Seconds from the start in which the key is refused."""


@dataclass(slots=True)
class RevokingApi(FakeMessagesApi):
    """Takes a second for each call and refuses the key for a while; `seen` is how the gate then stands."""

    time: VirtualTime = field(default_factory=VirtualTime)
    provider: Provider = field(default_factory=Provider)
    refusals: int = 0
    resting: int = 0
    seen: set[str] = field(default_factory=set)

    def _line_for(self, request: Request) -> Line:
        said = sum(message["role"] == "assistant" for message in request.body["messages"])
        step = use("finish", summary="All done.") if said == 5 else use("read", path=str(said))
        return Line(when="", content=(step,))

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.resting += 1
        await self.time.sleep(1.0)
        self.resting -= 1
        if int(self.time.now) not in REVOKED:
            await FakeMessagesApi._answer(self, request, writer)
            return
        self.refusals += 1
        if reason := self.provider.state(datetime.now(UTC)).reason:
            self.seen.add(reason)
        await self._refuse(Status(status=401, message="invalid bearer token"), writer)


async def test_nobody_fails_all_wait_with_one_sentence_and_go_on_when_a_key_works():
    time = VirtualTime()
    provider = Provider(name="models.example", clock=time, sleep=time.sleep)
    journals = [Journal() for _ in range(SESSIONS)]
    async with RevokingApi([], time=time, provider=provider) as server, time.passing():
        time.busy = lambda: provider.throttle.in_flight > server.resting
        model = MessagesApiModel(api_key="k", base_url=server.url)
        backend = MessagesBackend(model=model, prices=NO_COST, provider=provider, sleep=time.sleep)
        runs = [backend.run(replace(ASSIGNMENT, run=f"x-1/ws-{number}"), each, toolbox()) for number, each in enumerate(journals, 1)]
        ends = await asyncio.gather(*runs)
        await model.close()
    assert {end.kind for end in ends} == {"finished"}
    assert {error.kind for journal in journals for _, error in journal.of("failed")} == {"auth"}
    # Those that were under way when it happened, and then one probe after ever longer pauses.
    assert SESSIONS < server.refusals <= SESSIONS + 5
    (reason,) = {reason.partition(" (")[0] for reason in server.seen}
    assert reason == f"The key for {server.url} was refused"
    assert all("ANTHROPIC_API_KEY" in reason for reason in server.seen)
