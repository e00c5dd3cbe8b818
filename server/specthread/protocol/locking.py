"""Requests about resources: who has and who waits for which, and a person who takes one back."""

from __future__ import annotations

import asyncio

from specthread.domain.commands import TakeBackLock
from specthread.domain.model import Refusal
from specthread.domain.names import spectask_of
from specthread.engine.locking import LONGEST_WAIT_SECONDS, WAIT_SECONDS
from specthread.protocol import wire_params
from specthread.protocol.convert_locks import resource_views
from specthread.protocol.find import find_run
from specthread.protocol.request import Answer, Request
from specthread.protocol.wire_locks import LocksResult, ReleaseParams


async def locks(request: Request, params: wire_params.NoParams) -> Answer:  # noqa: ARG001  every handler has the same form
    """Lists the resources with their holders, lines and statistics."""
    engine = request.ports.engine
    views = await asyncio.to_thread(resource_views, engine.visible, engine.crowd, request.ports.clock())
    return LocksResult(resources=views, usual_wait=WAIT_SECONDS, most_wait=LONGEST_WAIT_SECONDS)


async def release(request: Request, params: ReleaseParams) -> Answer:
    """Takes a resource from a session that holds it."""
    found = find_run(request.ports.engine.visible, params.target)
    if isinstance(found, Refusal):
        return found
    command = TakeBackLock(spectask=spectask_of(found.id), run=found.id, resource=params.resource, why=params.text)
    return await request.change(command, params.key)
