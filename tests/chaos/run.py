"""One chaos run: work goes on while faults come, then everything comes to rest and is audited."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from chaos.audit import audit, happened, is_put_away
from chaos.faults import FAULTS, possible
from chaos.person import Person
from chaos.stage import Stage, open_files, stage_in
from chaos.whims import WHIMS

REST_SECONDS = 300.0
"""How long the work may take to be done once nothing disturbs it any more."""
LONGEST_PEACE = 2.0
"""Seconds between two faults, at most."""
MORE_FILES = 8
"""Descriptors that a daemon which has worked may have beyond one that has just started."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a run; `problems` is empty where everything was as it must be."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    """What was done to it, by people too."""
    happened: Counter[str] = field(default_factory=Counter)
    """What came of it, as far as the log tells: sessions that were spawned, for instance."""
    impossible: tuple[str, ...] = ()
    spectasks: int = 0
    starts: int = 0
    changes: int = 0
    calls: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


async def play(folder: Path, *, seed: int, seconds: float) -> Outcome:
    """Plays in an empty folder: faults drawn from `seed` for so many seconds, then rest, then the audit."""
    begun, outcome = time.monotonic(), Outcome(seed=seed)
    with stage_in(folder) as stage:
        person = Person(stage=stage)
        outcome.impossible = tuple(FAULTS.keys() - possible(stage).keys())
        async with _daemon(stage) as end_of_watch:
            await person.ask("status")
            work = asyncio.create_task(person.work())
            try:
                await _disturb(stage, person, random.Random(seed), seconds, outcome)
                person.wants_more = False
                await asyncio.wait_for(work, REST_SECONDS)
                async with asyncio.timeout(REST_SECONDS):
                    while not await asyncio.to_thread(is_put_away, stage):  # noqa: ASYNC110  another process's log has no event to wait for
                        await asyncio.sleep(0.1)
            except TimeoutError:
                outcome.problems += [f"It does not come to rest: {_standing(person)}"]
            except Exception as error:  # noqa: BLE001  what broke the person is a finding like any other
                outcome.problems += [f"{type(error).__name__}: {error}"]
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
            await end_of_watch()
        if not outcome.problems:
            outcome.problems = [*await _at_rest(stage, person), *await asyncio.to_thread(_audited, stage, person)]
        if outcome.problems:
            await asyncio.to_thread(stage.keep)
        else:
            outcome.happened = await asyncio.to_thread(happened, stage)
        outcome.starts, outcome.spectasks, outcome.changes = stage.starts, person.asked, len(person.ledger)
        outcome.calls = len(stage.calls.read_text().splitlines())
    outcome.seconds = time.monotonic() - begun
    return outcome


@contextlib.asynccontextmanager
async def _daemon(stage: Stage) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    watch = asyncio.create_task(stage.keep_alive())

    async def end() -> None:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)

    try:
        yield end
    finally:
        await end()


async def _disturb(stage: Stage, person: Person, draw: random.Random, seconds: float, outcome: Outcome) -> None:
    """Makes one fault or whim after another, each kind as often as any other, in an order and at moments that the seed says."""
    kinds = possible(stage) | WHIMS
    end, coming = time.monotonic() + seconds, list[str]()
    while time.monotonic() < end:
        await asyncio.sleep(draw.uniform(0, LONGEST_PEACE))
        if not coming:
            coming = sorted(kinds)
            draw.shuffle(coming)
        name = coming.pop()
        if await kinds[name](stage, person, random.Random(draw.random())):
            outcome.faults[name] += 1


async def _at_rest(stage: Stage, person: Person) -> list[str]:
    """Stops the daemon that has worked, and lets one that knows only the log say what it knows."""
    assert stage.process
    worked, before = open_files(stage.process.pid), await _told(person)
    codes = [await asyncio.to_thread(stage.stop)]
    for snapshot in stage.state.glob("*snapshot*"):
        snapshot.unlink()
    stage.start()
    after = await _told(person)
    fresh = open_files(stage.process.pid)
    person.hang_up()
    codes.append(await asyncio.to_thread(stage.stop))
    problems = [f"The daemon ended with {code}." for code in codes if code]
    if worked > fresh + MORE_FILES:
        problems.append(f"The daemon had {worked} descriptors, and a new one has {fresh}.")
    if before != after:
        different = [name for name in before if before[name] != after.get(name)]
        problems.append(f"The log does not tell what the daemon knew, of {different}.")
    return problems


def _audited(stage: Stage, person: Person) -> list[str]:
    try:
        return audit(stage, person)
    except Exception:  # noqa: BLE001  what the audit cannot read is a finding
        return [traceback.format_exc()]


async def _told(person: Person) -> dict[str, object]:
    listed = (await person.ask("list", archived=True))["spectasks"]
    return {view["id"]: await person.ask("show", id=view["id"]) for view in listed}


def _standing(person: Person) -> str:
    lines = [f"{view['id']} {view['state']}: {view['why']} {[need['text'] for need in view['needs']]}" for view in person.alive]
    return "; ".join([*(lines or ["all is archived, and not all of it put away"]), f"refused: {person.refusals}"])
