"""What a daemon does now and then, whatever else happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from specthread.domain.model import State
from specthread.engine.log import EventLog
from specthread.engine.ports import in_thread
from specthread.engine.repositories import Repositories
from specthread.engine.snapshot import keep_snapshot
from specthread.engine.store import StoreError

EVERY = 300.0
"""Seconds between two looks."""
SNAPSHOT_EVENTS: Final = 5_000
"""Events between two snapshots, and so about the most that a start folds: a fifth of a second."""

_log = structlog.get_logger(__name__)


async def keep_up(repositories: Repositories, every: float = EVERY) -> None:
    """Packs loose objects of the open repositories and empties their trash until it is cancelled; nobody waits for its end."""
    while True:
        await asyncio.sleep(every)
        for git_dir, reason in (await in_thread(repositories.empty_trash)).items():
            _log.warning("a removed worktree cannot be deleted", repository=str(git_dir), reason=reason)
        for git_dir, reason in (await in_thread(repositories.pack)).items():
            _log.warning("loose objects cannot be packed; this repository is left as it is", repository=str(git_dir), reason=reason)


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
            _log.warning("no snapshot could be kept; the next start takes longer", reason=str(fault))
