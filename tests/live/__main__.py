"""Plays one small SpecTask with a real model and prints what came of it and what it cost: `make live`.

It is asked for by name only, takes its key from the environment, spends a dollar at most, and without a key says that it was skipped.
Your settings count: base_url, models, prices.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from specthread.agents.messages_api import credentials_present
from specthread.daemon import parts_from
from specthread.domain import commands as c
from specthread.domain.budget import dollars, spend_of
from specthread.domain.model import Limits, SpecTask
from specthread.domain.run import Spend
from specthread.domain.runs import all_runs
from specthread.engine.engine import Engine
from specthread.engine.log import EventLog
from specthread.engine.settings import RepositorySettings
from support import engine_world
from support.engine_world import World
from support.git_fixture import make_repository

MOST = Decimal(1)
PROMPT = "Add a function `subtract(a, b)` to calc.py that returns a - b, with a test in test_calc.py. Keep it to one task."
SECONDS = 1200.0
FILES = {
    "calc.py": "def add(a, b):\n    return a + b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n",
}


def main() -> int:
    """Returns 0 where the work was done or there is no key, 1 where it was not done."""
    if not credentials_present():
        _say(
            "Skipped: there is no key. Set ANTHROPIC_API_KEY, and ANTHROPIC_BASE_URL for another server, to play one SpecTask for a dollar at most."
        )
        return 0
    with tempfile.TemporaryDirectory() as folder:
        spectask = asyncio.run(_played(Path(folder)))
    for run in all_runs(spectask):
        _say(f"{run.id.rpartition('/')[2]:>8}  {run.state}, {run.spend.calls} calls, {_cost(run.spend)}  {run.reason}")
    total = spend_of(spectask)
    used = f"{total.calls} calls, {total.input_tokens} tokens in ({total.cache_read} from the cache), {total.output_tokens} out"
    _say(f"{spectask.state.replace('_', ' ')}: {_cost(total)} for {used}.")
    return 0 if spectask.state == "implementation_review" else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


async def _played(folder: Path) -> SpecTask:
    """Returns the SpecTask when it is done, or stands where only a person could help."""
    state = folder / "state"
    state.mkdir()
    parts = parts_from(state, os.environ)
    engine = Engine(
        settings=parts.settings,
        log=EventLog.open(state / "events.db", host="live"),
        backends=parts.backends,
        host="live",
        owner="live",
        settings_of=lambda _: RepositorySettings(),
        secret_values=parts.secrets,
    )
    engine_world.DEADLINE = SECONDS
    await engine.start()
    try:
        world = World(engine, make_repository(folder / "checkout", FILES))
        await world.create(PROMPT, flow="quick", limits=Limits(warn_usd=MOST, stop_usd=MOST, user_set=True))
        asking = asyncio.create_task(_answer_all(world))
        await world.until(lambda each: (each.state != "planning" and not each.uncommitted) or _stands(each))
        if not _stands(world.spectask):
            await world.implement()
            await world.until(lambda each: each.state == "implementation_review" or _stands(each))
        asking.cancel()
        return world.spectask
    finally:
        await engine.stop()


def _stands(spectask: SpecTask) -> bool:
    """Tells whether it cannot go on by itself: it failed, or wants more money."""
    runs = all_runs(spectask)
    return spectask.state == "failed" or any(
        run.state in {"failed", "stuck"} or (run.question and run.question.kind == "budget") for run in runs
    )


async def _answer_all(world: World) -> None:
    """Leaves every question to whoever asked it."""
    async for _ in world.engine.subscribe(0):
        for run in all_runs(world.spectask):
            if run.state == "waiting" and run.question and run.question.kind == "question" and not run.question.answer_seq:
                await world.give(c.AnswerQuestion(spectask=world.id, run=run.id, answer="Decide yourself, and keep it small."))


def _cost(spend: Spend) -> str:
    unknown = f" and {spend.unknown_calls} calls of unknown cost" if spend.unknown_calls else ""
    return f"{dollars(spend.cost_usd)}{unknown}"


if __name__ == "__main__":
    sys.exit(main())
