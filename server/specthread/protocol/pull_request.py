"""A pull request: the one request that sends something to another machine, and only what a person has agreed to.

The handler waits for the other side, as nothing else here does: the person looks on, and a push that nobody looks on is one that nobody asked
for. It keeps nobody waiting but them; asked again after it was cut off, it finds what is there.
"""

from __future__ import annotations

from specthread.domain.model import Refusal, SpecTask
from specthread.engine.pull_request import Opened, PushPlan
from specthread.protocol import wire_params
from specthread.protocol.request import Request, named_spectask
from specthread.protocol.wire_result import PrResult, PushedRef


async def pr(request: Request, params: wire_params.PrParams) -> PrResult | Refusal:
    """Says what would be pushed where; with that answer's name, pushes exactly that and opens the pull request or brings it up to date."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    plan = await request.ports.plan_push(found, params.remote, params.with_records)
    if isinstance(plan, Refusal):
        return plan
    if not params.confirm:
        return _result(found, plan, None)
    if params.confirm != plan.fingerprint:
        hint = "Look at what would be pushed now, then agree to that."
        return Refusal(code="stale-version", message="What would be pushed, or where, is not what you looked at.", hint=hint)
    opened = await request.ports.open_pull_request(found, plan, await request.client.actor(found.repository))
    return opened if isinstance(opened, Refusal) else _result(found, plan, opened)


def _result(spectask: SpecTask, plan: PushPlan, opened: Opened | None) -> PrResult:
    return PrResult(
        spectask=spectask.id,
        how=opened.how if opened else "asks",
        remote=plan.remote,
        address=plan.address.shown,
        forge=plan.where.kind,
        branch=plan.branch,
        base=plan.base,
        refs=[PushedRef(ref=ref, commit=oid) for ref, oid in plan.refs],
        with_records=plan.records,
        confirm=plan.fingerprint,
        url=opened.url if opened else plan.known,
        number=opened.number if opened else 0,
        text=_told(plan, opened),
    )


def _told(plan: PushPlan, opened: Opened | None) -> str:
    """What would happen, or has happened, in one or two sentences."""
    if opened:
        return f"The draft is open: {opened.url}" if opened.how == "opened" else f"It is up to date: {opened.url}"
    refs = ", ".join(f"{ref.removeprefix('refs/').split('/', 1)[1]} at {oid[:7]}" for ref, oid in plan.refs)
    then = f"bring {plan.known} up to date" if plan.known else f"open a draft pull request for {plan.base}"
    said = " With them goes everything that was said in the sessions." if plan.records else ""
    return f"This would push {refs} to {plan.address.shown}, and {then}.{said}"
