"""From an accepted command to the model: how long after “create this SpecTask” the first call leaves, quiet and beside 64 and 200 live runs.

The clock stops where the model client is given the request: the durable events, the repository map and the prompt are in it, git commits
go on at the same time. Live runs each stream a word every 20 ms. The quiet figure is the floor of the others.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.measure import Figure, at_most, compared
from specgit.repository import Repository
from specthread.agents.backend import ModelRequest, Reply
from specthread.agents.turns import MessagesBackend
from specthread.domain.commands import CancelSpecTask, CreateSpecTask, Submission
from specthread.domain.ids import Oid, SpecTaskId
from specthread.domain.model import Actor, Limits
from specthread.engine.engine import Engine
from specthread.engine.log import EventLog
from specthread.engine.settings import RepositorySettings, RoleSettings, Settings
from support.git_fixture import make_repository

CROWDS = {64: 15.0, 200: None}
"""How many live runs, and the milliseconds that the 99th percentile may be beside them; None where it is only compared."""
SAMPLES = 110
WARM = 10
ADA = Actor(kind="human", name="Ada", email="ada@example.org")


@dataclass(slots=True)
class StreamingModel:
    """Notes when each run's call came, and streams words for ever."""

    called: dict[str, float] = field(default_factory=dict)
    waiting: dict[str, asyncio.Event] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Names the connection."""
        return "bench"

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Never returns; the run is cancelled."""
        spectask = request.run.partition("/")[0]
        self.called[spectask] = time.perf_counter()
        self.waiting.setdefault(spectask, asyncio.Event()).set()
        while True:
            await asyncio.sleep(0.02)
            on_text("word ")


def figures() -> list[Figure]:
    """Returns the figures without and with other live runs."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder  # the user's git config has no part in this
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Figure]:
    path = make_repository(folder / "project", {f"src/module_{number}.py": f"print({number})\n" for number in range(50)})
    model = StreamingModel()
    engine = Engine(
        settings=Settings(state=folder / "state", roles={"planner": RoleSettings(model="m"), "implementer": RoleSettings(model="m")}),
        log=EventLog.open(folder / "state" / "events.db", host=socket.gethostname()),
        backends={"messages": MessagesBackend(model=model)},
        host="bench",
        owner="bench",
        settings_of=lambda _path: RepositorySettings(),
    )
    await engine.start()
    base = Oid(Repository.open(path).head().oid)
    try:
        quiet = [await _sample(engine, model, path, base, f"quiet-{number:04}") for number in range(SAMPLES)]
        live, crowded = 0, dict[int, list[float]]()
        for crowd in CROWDS:
            for number in range(live, crowd):
                await _begin(engine, model, path, base, f"live-{number:04}")
            live = crowd
            crowded[crowd] = [await _sample(engine, model, path, base, f"crowd-{crowd}-{number:04}") for number in range(SAMPLES)][WARM:]
    finally:
        await engine.stop()
    return [
        at_most("command to first model call", quiet[WARM:], limit=5, tail=True),
        *(_beside_quiet(crowd, samples, quiet[WARM:]) for crowd, samples in crowded.items()),
    ]


def _beside_quiet(crowd: int, samples: list[float], quiet: list[float]) -> Figure:
    """Returns the figure beside live runs, with how much longer than without them it takes."""
    name, limit = f"command to first model call, {crowd} live runs", CROWDS[crowd]
    found = compared(name, samples, quiet, peer_name="none live")
    if limit is None:
        return found
    return replace(found, target=f"≤ {limit:g} ms p99", holds=found.numbers["p99"] <= limit)


async def _sample(engine: Engine, model: StreamingModel, path: Path, base: Oid, name: str) -> float:
    taken = await _begin(engine, model, path, base, name)
    await engine.submit(Submission(command=CancelSpecTask(spectask=SpecTaskId(name)), actor=ADA))
    notes = engine.subscribe(engine.visible.sequence)
    while engine.visible.spectasks[SpecTaskId(name)].uncommitted:  # its git work belongs to this sample, not to the next
        await anext(notes)
    notes.close()
    return taken


async def _begin(engine: Engine, model: StreamingModel, path: Path, base: Oid, name: str) -> float:
    """Creates a SpecTask and returns the milliseconds until its planner calls the model."""
    called = model.waiting.setdefault(name, asyncio.Event())
    command = CreateSpecTask(
        spectask=SpecTaskId(name),
        prompt="Add a --json flag to the list command.",
        repository=str(path),
        base=base,
        target="main",
        agent="messages",
        limits=Limits(),
    )
    start = time.perf_counter()
    await engine.submit(Submission(command=command, actor=ADA))
    await asyncio.wait_for(called.wait(), 10)
    return (model.called[name] - start) * 1000
