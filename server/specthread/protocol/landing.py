"""Accepted work onto its branch: the one request that may move a branch of the person's own."""

from __future__ import annotations

from specthread.domain.model import Refusal
from specthread.engine.landing import Landing
from specthread.protocol import wire_params
from specthread.protocol.request import Request, named_spectask
from specthread.protocol.wire_result import LandResult


async def land(request: Request, params: wire_params.SpecTaskChange) -> LandResult | Refusal:
    """Brings accepted work onto its target; asked again, it finds it there."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    person = await request.client.actor(found.repository)
    landing = await request.ports.land(found, person.name)
    if isinstance(landing, Refusal):
        return landing
    return LandResult(
        spectask=found.id, how=landing.how, target=landing.target, commit=landing.commit, command=landing.command, text=_told(landing)
    )


def _told(landing: Landing) -> str:
    """What came of it, in one sentence."""
    if landing.how == "already":
        return f"{landing.target} holds {landing.commit[:7]} already."
    if landing.how == "moved":
        return f"{landing.target} is at {landing.commit[:7]} now."
    return f"{landing.target} is checked out, so it is yours to move: {landing.command}"
