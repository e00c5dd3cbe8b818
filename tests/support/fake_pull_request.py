"""What a daemon would push where, and a forge that takes it, without git and without a network."""

from collections.abc import Awaitable, Callable
from typing import Any

from specgit.address import address_of
from specgit.forge import forge_of
from specthread.domain.commands import Command, OpenPullRequest
from specthread.domain.ids import Oid
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.rules_pull_request import not_openable
from specthread.engine.pull_request import Opened, PushPlan

SECRET = "correct-horse"
URL = "https://github.com/ada/calc/pull/7"


def push_plan(spectask: SpecTask, *, records: bool = False) -> PushPlan:
    """What would be pushed to ada/calc on GitHub, by an address that holds a token."""
    name = f"spectask/{spectask.id}"
    refs = [f"refs/heads/{name}/feature", *([f"refs/heads/{name}/specs"] if records else [])]
    address = address_of(f"https://ada:{SECRET}@github.com/ada/calc")
    where = forge_of(address)
    assert where
    return PushPlan(
        remote="origin",
        address=address,
        where=where,
        branch=f"{name}/feature",
        base="main",
        refs=tuple((ref, spectask.feature) for ref in refs),
        records=records,
        known=spectask.pull_request.url if spectask.pull_request else "",
    )


def fake_pull_requests(do: Callable[[Command, Actor], Awaitable[Any]]) -> dict[str, Callable[..., Any]]:
    """Returns what plans and what opens, by the names of the ports; `do` takes the command that notes it."""

    async def plan(spectask: SpecTask, remote: str, records: bool) -> PushPlan | Refusal:  # noqa: FBT001  the daemon's form
        if remote != "origin":
            return Refusal(code="no-remote", message=f"The repository has no remote named {remote!r}.", hint="`git remote -v`")
        return not_openable(spectask) or push_plan(spectask, records=records)

    async def open_it(spectask: SpecTask, plan: PushPlan, actor: Actor) -> Opened | Refusal:
        pushed = tuple((str(ref), Oid(oid)) for ref, oid in plan.refs)
        values = {"branch": plan.branch, "remote": plan.remote, "address": plan.address.shown, "pushed": pushed}
        await do(OpenPullRequest(spectask=spectask.id, forge="github", url=URL, number=7, **values), actor)
        return Opened(how="updated" if plan.known else "opened", url=URL, number=7)

    return {"plan_push": plan, "open_pull_request": open_it}
