"""The time a session's agent may take: what is left of it, and the end when it has passed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from specthread.agents.backend import RunEnd
from specthread.domain.ids import RunId
from specthread.domain.model import SpecTask
from specthread.domain.names import spectask_of
from specthread.domain.reports import NoteClockJump
from specthread.domain.run import WorkSession
from specthread.engine.ports import Ports
from specthread.engine.settings import Timeouts
from specthread.spec.duration import told_seconds

MAY_TAKE = "it may take {} and was not done; `_Timeout:` in its task or `limits.session_timeout` in the settings gives it more, and a retry goes on in its files"


def time_limit(spectask: SpecTask, session: WorkSession, timeouts: Timeouts) -> float | None:
    """Returns the seconds that this attempt may take: what its task says, else its role's, else every session's; None where nobody set a limit."""
    task = spectask.tasks.get(session.task)
    own = task.plan.timeout if task else None
    return own if own is not None else timeouts.roles.get(session.role, timeouts.every)


async def ended_in_time(ports: Ports, session: WorkSession, limit: float | None, work: Awaitable[RunEnd]) -> RunEnd:
    """Returns how the work ended, or that its time was over before; the work is stopped then.

    Counted is what the agent has acted in this attempt (`fold_time.py` says what holds of that).
    """
    if limit is None:
        return await work
    working, timer = asyncio.ensure_future(work), asyncio.ensure_future(_wait_time_over(ports, session.id, limit))
    try:
        await asyncio.wait({working, timer}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        return RunEnd(kind="limit", reason=f"its time is over: {MAY_TAKE.format(told_seconds(limit))}")
    finally:
        working.cancel()
        timer.cancel()
        await asyncio.gather(working, timer, return_exceptions=True)


async def _wait_time_over(ports: Ports, session: RunId, limit: float) -> None:
    owner, looked = spectask_of(session), False
    while True:
        known = ports.spectask(owner).sessions[session]
        if known.active_since is None:
            await ports.changes.wait_change(owner, None)
            continue
        left = limit - known.worked - max(0.0, (ports.now() - known.active_since).total_seconds())
        if left <= 0 and looked:
            return
        looked = left <= 0
        if looked:
            # What the machine slept just now is known with the next command, whatever that is.
            await ports.submit(NoteClockJump(spectask=owner, seconds=0))
        else:
            await ports.sleep(left)
