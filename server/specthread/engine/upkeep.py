"""What a daemon does now and then, whatever else happens."""

from __future__ import annotations

import asyncio

import structlog

from specthread.engine.ports import in_thread
from specthread.engine.repositories import Repositories

EVERY = 300.0
"""Seconds between two looks."""

_log = structlog.get_logger(__name__)


async def keep_up(repositories: Repositories, every: float = EVERY) -> None:
    """Packs loose objects of the open repositories and empties their trash until it is cancelled; nobody waits for its end."""
    while True:
        await asyncio.sleep(every)
        for git_dir, reason in (await in_thread(repositories.empty_trash)).items():
            _log.warning("a removed worktree cannot be deleted", repository=str(git_dir), reason=reason)
        for git_dir, reason in (await in_thread(repositories.pack)).items():
            _log.warning("loose objects cannot be packed; this repository is left as it is", repository=str(git_dir), reason=reason)
