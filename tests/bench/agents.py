"""What the built-in agent costs beside its model: the loop around a turn, a sandbox, the memory of a live session, and the processor for streamed words.

Every figure stands beside what the same work costs without us: as many durable writes as a turn has events, bubblewrap by itself, a bare task, a bare callback.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.measure import Figure, at_most, compared, in_turn, median, spread
from specgit.repository import Repository
from specthread.agents.backend import ModelRequest, Reply
from specthread.agents.prices import NO_COST
from specthread.agents.sandbox import SandboxProfile, probe, run
from specthread.agents.scripted import spoken, use
from specthread.agents.turns import MessagesBackend
from specthread.domain.commands import CreateSpecTask, Submission
from specthread.domain.ids import Oid, SpecTaskId
from specthread.domain.model import Actor, Limits
from specthread.engine.engine import Engine
from specthread.engine.feed import Tick
from specthread.engine.log import EventLog
from specthread.engine.settings import RepositorySettings, RoleSettings, Settings
from support.git_fixture import make_repository

TURNS, MANY_TURNS, EVENTS_OF_A_TURN = 100, 300, 3
LIVE = 64
CHARACTERS, DELTA = 60_000, "word "
ADA = Actor(kind="human", name="Ada", email="ada@example.org")


def figures() -> list[Figure]:
    """Returns all."""
    found = [asyncio.run(_loop()), asyncio.run(_late_loop()), asyncio.run(_sandbox()), *asyncio.run(_memory()), asyncio.run(_streaming())]
    return [each for each in found if each is not None]


@dataclass(slots=True, kw_only=True)
class Model:
    """Answers at once, or when `held` opens; notes the milliseconds between an answer and the next request of a run."""

    words: int = 0
    turns: int = 0
    held: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0
    between: list[float] = field(default_factory=list)
    answered: float = 0.0
    processor: float = 0.0

    @property
    def name(self) -> str:
        """Names the connection."""
        return "bench"

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Reads on, a line further each time, until it has had its turns."""
        if self.answered:
            self.between.append((time.perf_counter() - self.answered) * 1000)
        self.calls += 1
        if self.held is not None:
            self.asked.set()
            await self.held.wait()
        start = time.process_time()
        for number in range(self.words):
            on_text(DELTA)
            if not number % 10:
                await asyncio.sleep(0)  # as a stream does, so that whoever watches gets its share
        self.processor = time.process_time() - start
        step = use("ask", question="Done?") if request.turn > self.turns else use("read", path="README.md", first_line=request.turn)
        reply = spoken(request, step)
        self.asked.set()
        self.answered = time.perf_counter()
        return reply


@asynccontextmanager
async def _engine(model: Model) -> AsyncIterator[tuple[Engine, Callable[[str], object]]]:
    """Runs an engine; what comes with it creates a SpecTask whose planner calls the model."""
    with _home() as folder:
        path = make_repository(folder / "project", {"README.md": "A line.\n" * 300})
        role = RoleSettings(model="m", max_turns=MANY_TURNS + 10)
        engine = Engine(
            settings=Settings(state=folder / "state", roles={"planner": role, "implementer": role}),
            log=EventLog.open(folder / "state" / "events.db", host=socket.gethostname()),
            backends={"messages": MessagesBackend(model=model, prices=NO_COST)},
            host="bench",
            owner="bench",
            settings_of=lambda _path: RepositorySettings(),
        )
        base = Oid(Repository.open(path).head().oid)

        async def begin(name: str) -> None:
            given = {"prompt": "Add a flag.", "repository": str(path), "base": base, "target": "main", "agent": "messages"}
            command = CreateSpecTask(spectask=SpecTaskId(name), limits=Limits(), **given)
            await engine.submit(Submission(command=command, actor=ADA))

        await engine.start()
        try:
            yield engine, begin
        finally:
            await engine.stop()


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder  # the user's git config has no part in this
        yield Path(folder)


async def _played(turns: int) -> Model:
    """Plays a whole run and returns its model."""
    model = Model(turns=turns)
    async with _engine(model) as (engine, begin):
        await begin("loop-0001")
        async with asyncio.timeout(120):
            async for _ in engine.subscribe(engine.visible.sequence):
                if any(plan.state == "waiting" for plan in engine.visible.spectasks[SpecTaskId("loop-0001")].plans):
                    break
    return model


async def _late_loop() -> Figure:
    model = await _played(MANY_TURNS)
    return at_most(f"loop around the last turns of {MANY_TURNS}, without model time", model.between[-50:], limit=25, tail=False)


async def _loop() -> Figure:
    model = await _played(TURNS)
    with _home() as folder:
        floor = [_durable_writes(folder / "floor") for _ in range(TURNS)]
    found = at_most("loop around a turn, without model time (a read among it)", model.between[5:], limit=5, tail=False)
    return Figure(
        name=found.name,
        target=found.target,
        measured=found.measured,
        floor=f"{spread(floor)}: {EVENTS_OF_A_TURN} durable writes",
        holds=found.holds,
        numbers={**found.numbers, "floor_median": median(floor)},
    )


def _durable_writes(path: Path) -> float:
    start = time.perf_counter()
    with path.open("ab") as file:
        for _ in range(EVENTS_OF_A_TURN):
            file.write(b"x" * 600)
            file.flush()
            os.fsync(file.fileno())
    return (time.perf_counter() - start) * 1000


async def _sandbox() -> Figure | None:
    if not probe().available:
        return None
    profile = SandboxProfile(mounts=(), cwd="/", environment={})
    bare = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--", "true"]

    async def ours() -> None:
        result = await run("true", profile, timeout=10)
        assert result.exit_code == 0, result

    async def peer() -> None:
        await asyncio.to_thread(subprocess.run, bare, check=True, capture_output=True)

    mine, floor = await in_turn([ours, peer], rounds=30, warm=3)
    return compared("sandbox, from nothing to the end of `true`", mine, floor, peer_name="bubblewrap alone")


async def _memory() -> list[Figure]:
    model = Model(held=asyncio.Event(), turns=TURNS)
    async with _engine(model) as (_, begin):
        for number in range(4):
            await begin(f"warm-{number:04}")
        await _all_asked(model, 4)
        before = _resident()
        for number in range(LIVE):
            await begin(f"live-{number:04}")
        await _all_asked(model, LIVE + 4)
        each = (_resident() - before) / LIVE
    waits = asyncio.Event()
    before = _resident()
    tasks = [asyncio.create_task(waits.wait()) for _ in range(LIVE)]
    await asyncio.sleep(0)
    floor = max(0, _resident() - before) / LIVE
    waits.set()
    await asyncio.gather(*tasks)
    return [
        Figure(
            name=f"daemon, memory of each of {LIVE} live runs",
            target="≤ 1 MB",
            measured=f"{each / 1000:.0f} kB",
            floor=f"{floor / 1000:.0f} kB: a bare task",
            holds=each <= 1_000_000,
            numbers={"kilobytes": each / 1000},
        )
    ]


async def _all_asked(model: Model, calls: int) -> None:
    async with asyncio.timeout(120):
        while model.calls < calls:
            model.asked.clear()
            await model.asked.wait()


def _resident() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss


async def _streaming() -> Figure:
    words = CHARACTERS // len(DELTA)
    model = Model(words=words, turns=0)
    async with _engine(model) as (engine, begin):
        heard = 0

        async def watch() -> None:
            nonlocal heard
            async for note in engine.subscribe(engine.visible.sequence):
                heard += isinstance(note, Tick)
                if any(plan.state == "waiting" for task in engine.visible.spectasks.values() for plan in task.plans):
                    return

        watching = asyncio.create_task(watch())
        await begin("words-0001")
        async with asyncio.timeout(60):
            await watching
    start = time.process_time()
    bare: list[str] = []
    for number in range(words):
        bare.append(DELTA)
        if not number % 10:
            await asyncio.sleep(0)
    floor = time.process_time() - start
    return Figure(
        name=f"processor while {CHARACTERS:,} characters stream in {words:,} pieces, watched",
        target="≤ 1 s",
        measured=f"{model.processor * 1000:.0f} ms",
        floor=f"{floor * 1000:.0f} ms: a bare list",
        holds=model.processor <= 1 and heard > 0,
        numbers={"milliseconds": model.processor * 1000, "floor": floor * 1000},
    )
