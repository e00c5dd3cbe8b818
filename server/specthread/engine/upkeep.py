"""What a daemon does now and then, whatever else happens."""

from __future__ import annotations

import asyncio

import structlog

from specgit.errors import GitError
from specthread.engine.ports import in_thread, to_its_end
from specthread.engine.repositories import Repositories

EVERY = 300.0
"""Seconds between two looks."""

_log = structlog.get_logger(__name__)


async def keep_up(repositories: Repositories, every: float = EVERY) -> None:
    """Packs loose objects of the open repositories until it is cancelled; a failure is logged and tried again."""
    while True:
        await asyncio.sleep(every)
        try:
            await to_its_end(in_thread(repositories.pack))
        except (GitError, OSError) as error:
            _log.warning("packing loose objects failed", error=str(error))
