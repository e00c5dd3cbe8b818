"""What a daemon does now and then, whatever else happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, ParamSpec

import structlog

from specthread.domain.ids import SpecTaskId
from specthread.domain.model import State
from specthread.engine.log import EventLog
from specthread.engine.ports import in_thread
from specthread.engine.repositories import Repositories
from specthread.engine.snapshot import keep_snapshot
from specthread.engine.store import StoreError

P = ParamSpec("P")

EVERY = 300.0
"""Seconds between two looks."""
AGAIN = 60.0
"""Seconds after which work in the background begins again after a fault."""
WORTH_PACKING: Final = 50
"""Events of a SpecTask below which they stay as they are."""
SNAPSHOT_EVENTS: Final = 5_000
"""Events between two snapshots, and so about the most that a start folds: a fifth of a second."""

_logger = structlog.get_logger(__name__)


def kept_alive(what: str, work: Callable[P, Coroutine[None, None, None]], *args: P.args, **kwargs: P.kwargs) -> asyncio.Task[None]:
    """Starts work that ends only by being cancelled, and that nobody waits for; a fault in it is logged, and it begins again."""

    async def run() -> None:
        while True:
            try:
                await work(*args, **kwargs)
            except Exception:  # a bug in what nobody waits for must be seen, and must not end it
                _logger.exception("a fault in the background; it begins again", what=what)
            await asyncio.sleep(AGAIN)

    return asyncio.create_task(run(), name=what)


async def keep_up(repositories: Repositories, every: float = EVERY) -> None:
    """Packs loose objects of the open repositories and empties their trash until it is cancelled; nobody waits for its end."""
    while True:
        await asyncio.sleep(every)
        for git_dir, reason in (await in_thread(repositories.empty_trash)).items():
            _logger.warning("a removed worktree cannot be deleted", repository=str(git_dir), reason=reason)
        for git_dir, reason in (await in_thread(repositories.pack)).items():
            _logger.warning("loose objects cannot be packed; this repository is left as it is", repository=str(git_dir), reason=reason)


async def keep_packed(log: EventLog, visible: Callable[[], State], every: float = EVERY) -> None:
    """Packs the events of SpecTasks that were put away, until it is cancelled."""
    looked: dict[SpecTaskId, int] = {}
    while True:
        try:
            await pack_put_away(log, visible(), looked)
        except StoreError as fault:
            _logger.warning("the events of what was put away could not be packed; the log stays as it is", reason=str(fault))
        await asyncio.sleep(every)


async def pack_put_away(log: EventLog, state: State, looked: dict[SpecTaskId, int], worth: int = WORTH_PACKING) -> int:
    """Packs the events of each SpecTask that was put away, where there are `worth`, and returns how many; `looked` remembers how far each was looked at."""
    packed = 0
    for spectask in state.spectasks.values():
        if spectask.put_away and looked.get(spectask.id) != spectask.events:
            packed += await log.pack(spectask.id, worth)
            looked[spectask.id] = spectask.events
    return packed


class Snapshots:
    """Keeps a snapshot of the durable state from time to time; `kept` is the number of its last event."""

    def __init__(self, log: EventLog, visible: Callable[[], State], every: int = SNAPSHOT_EVENTS) -> None:
        self._events = log
        self._visible = visible
        self._every = every
        self._due = asyncio.Event()
        self.kept = 0

    def look(self) -> None:
        """Wakes `run` where enough has happened since the last snapshot."""
        if self._visible().sequence - self.kept >= self._every:
            self._due.set()

    async def run(self) -> None:
        """Keeps snapshots until it is cancelled."""
        while True:
            self.look()
            await self._due.wait()
            self._due.clear()
            await self.keep()

    async def keep(self) -> None:
        """Keeps the present state, unless that is kept; where it cannot be, the next start takes longer, and it is tried again when enough has happened."""
        state = self._visible()
        if state.sequence == self.kept:
            return
        self.kept = state.sequence
        try:
            await in_thread(keep_snapshot, self._events, state)
        except (OSError, StoreError) as fault:
            _logger.warning("no snapshot could be kept; the next start takes longer", reason=str(fault))
