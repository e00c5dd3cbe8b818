"""The door of a session of the fake engine, with what came through it."""

from __future__ import annotations

from contextlib import asynccontextmanager

from specthread.agents.backend import RunStopped, ToolResult
from specthread.domain import reports
from specthread.domain.commands import Submission
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import DAEMON
from specthread.engine.doors import Doors, Insider
from specthread.protocol.gate import Gate
from support.fake_engine import ID, FakeEngine, fake_ports

RUN = RunId(f"{ID}/ws-1")
OTHER = SpecTaskId("other-work-2222")


class EnginePorts:
    """What an insider needs of the engine, over the real rules in memory."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine

    def spectask(self, spectask):
        return self.engine.visible.spectasks[spectask]

    def redacted(self, text):
        return text.replace("correct horse", "[redacted]")

    async def submit(self, command, actor=DAEMON):
        return await self.engine.submit(Submission(command=command, actor=actor))


class Place:
    """A door with what came through it."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.claims: list[str] = []
        self.calls: list[tuple[str, dict[str, object]]] = []
        self.missing: str | None = None

    async def claim(self, summary):
        self.claims.append(summary)
        return self.missing

    async def coordinate(self, name, call):
        self.calls.append((name, call.input))
        if call.input["action"] == "wait":
            raise RunStopped("It waits for other sessions.")
        return ToolResult(tool_use_id=call.id, content="ws-3 was spawned.")


@asynccontextmanager
async def a_door(tmp_path, folder=None):
    engine = FakeEngine(tmp_path)
    for spectask in (ID, OTHER):
        await engine.create(spectask)
    await engine.plan()
    await engine.approve()
    await engine.implement()
    await engine.do(reports.StartCall(spectask=ID, run=RUN, turn=1, reserve_usd=None))
    place, doors, gate = Place(engine), Doors(), Gate(fake_ports(engine, tmp_path))
    doors.begin(gate.serve_bound)
    place.doors, place.insider = (
        doors,
        Insider(ports=EnginePorts(engine), spectask=ID, run=RUN, claim=place.claim, coordinate=place.coordinate),
    )
    try:
        async with doors.open(place.insider, folder or tmp_path / "private") as mount:
            yield place, mount
    finally:
        await gate.stop("the test is over")
