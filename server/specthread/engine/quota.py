"""How much room a session's files take on the disk, and the rest it is put to when that is too much."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable
from pathlib import Path

from specthread.agents.backend import RunEnd
from specthread.domain import reports
from specthread.domain.names import spectask_of
from specthread.domain.run import WorkSession
from specthread.engine.ports import Ports, in_thread

MIB = 1024 * 1024
LOOK_SECONDS = 10.0
_SHARE = 20
"""Looking takes at most one part in so many of the time."""


async def within_quota(ports: Ports, session: WorkSession, worktree: Path, work: Awaitable[RunEnd]) -> RunEnd:
    """Returns how the work ended; where its files take too much room it is stopped, and a person is asked what to do."""
    working, watching = asyncio.ensure_future(work), asyncio.ensure_future(_until_over(ports, worktree))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        taken = watching.result()
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
    text = (
        f"Its files take {taken // MIB} MiB, more than the {ports.settings.quota_mb} of sandbox.quota_mb. Delete some in {worktree}, "
        "or raise that in your settings; then answer, and it goes on."
    )
    question = f"quota-{ports.visible().sequence}"
    await ports.submit(reports.AskQuestion(spectask=spectask_of(session.id), run=session.id, question=question, kind="question", text=text))
    return RunEnd(kind="stopped", reason="Its files take too much room.")


async def _until_over(ports: Ports, worktree: Path) -> int:
    while True:
        began = time.monotonic()
        taken = await in_thread(_room, worktree)
        if taken > ports.settings.quota_mb * MIB:
            return taken
        await asyncio.sleep(max(LOOK_SECONDS, _SHARE * (time.monotonic() - began)))


def _room(folder: Path) -> int:
    """Returns the bytes that files below a folder take on the disk; links are not followed, and what goes meanwhile does not count."""
    total, folders = 0, [str(folder)]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            total += status.st_blocks * 512
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
    return total
