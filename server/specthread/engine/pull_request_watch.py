"""An open pull request while the daemon runs: its text stays true, and what its forge says of it becomes an event.

Only a pull request that a person opened is looked at, with the address that was noted then: what a repository's config says now is not asked.
Nothing is ever pushed from here. A forge that cannot be reached, or asks for patience, is told as a trouble and asked again at the next look.
"""

from __future__ import annotations

import asyncio

import structlog

from specgit.address import address_of
from specgit.errors import GitError
from specgit.forge import ForgeAddress, PullRequestStatus, connect, forge_of
from specgit.remote_errors import ForgeError, RateLimited, Unreachable
from specthread.domain.model import SpecTask
from specthread.domain.pull_request import PullRequest
from specthread.domain.react import KeepPullRequest
from specthread.domain.reports import ReportPullRequest, ReportTrouble
from specthread.engine.pull_request import PullRequests, bring_up_to_date
from specthread.views.pull_request import has_part

_log = structlog.get_logger(__name__)


async def keep_pull_request(pull_requests: PullRequests, effect: KeepPullRequest) -> None:
    """Looks at the pull request when the SpecTask has changed, and every few minutes, until it is cancelled."""
    forges, ports = pull_requests.forges, pull_requests.ports
    failures = 0
    while True:
        spectask = ports.spectask(effect.spectask)
        seconds = forges.every
        try:
            await _look(pull_requests, spectask)
            trouble, failures = "", 0
        except (ForgeError, Unreachable) as error:
            trouble = f"The pull request cannot be looked at: {error}"
            failures += 1
            asked = error.seconds if isinstance(error, RateLimited) else None
            seconds = max(seconds, forges.retry.wait(failures, forges.draw(), asked))
            _log.warning("pull request", spectask=effect.spectask, reason=str(error))
        if trouble or "KeepPullRequest" in ports.spectask(effect.spectask).troubles:
            await ports.submit(ReportTrouble(spectask=effect.spectask, effect="KeepPullRequest", reason=trouble))
        # What failed is not asked again sooner because something else happened.
        await (forges.sleep(seconds) if trouble else _wait_look(pull_requests, spectask, seconds))


async def _look(pull_requests: PullRequests, spectask: SpecTask) -> None:
    known = spectask.pull_request
    where = _where(pull_requests, known)
    if known is None or where is None:
        return
    token = await pull_requests.forges.token(where)
    if not token:
        raise ForgeError(f"there is no token for {where.host} any more. `specthread pr {spectask.id}` says how to get one.")
    part = await pull_requests.part(spectask, token)
    forge = connect(where, token)
    try:
        status = await forge.status(known.number)
        if status.pull_request.state == "open" and has_part(status.pull_request.body):
            await bring_up_to_date(forge, status.pull_request, part)
    finally:
        await forge.close()
    await pull_requests.ports.submit(_report(spectask, status))


def _where(pull_requests: PullRequests, known: PullRequest | None) -> ForgeAddress | None:
    try:
        return forge_of(address_of(known.address), pull_requests.forges.hosts) if known else None
    except GitError:
        return None


def _report(spectask: SpecTask, status: PullRequestStatus) -> ReportPullRequest:
    found = status.pull_request
    return ReportPullRequest(
        spectask=spectask.id,
        number=found.number,
        state=found.state,
        draft=found.draft,
        checks=tuple((check.name, check.state) for check in status.checks),
        reviews=tuple((review.person, review.verdict) for review in status.reviews),
    )


async def _wait_look(pull_requests: PullRequests, spectask: SpecTask, seconds: float) -> None:
    """Returns after so many seconds, or a quiet moment after something that the text tells of has changed."""
    waiting = asyncio.ensure_future(pull_requests.forges.sleep(seconds))
    changed = asyncio.ensure_future(_wait_news(pull_requests, spectask))
    try:
        await asyncio.wait({waiting, changed}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (waiting, changed):
            task.cancel()
        await asyncio.gather(waiting, changed, return_exceptions=True)
    if not waiting.cancelled() and waiting.done():
        return
    await pull_requests.forges.sleep(pull_requests.forges.quiet)


async def _wait_news(pull_requests: PullRequests, spectask: SpecTask) -> None:
    ports, before = pull_requests.ports, _news(spectask)
    while _news(ports.spectask(spectask.id)) == before:
        await ports.changes.wait_change(spectask.id)


def _news(spectask: SpecTask) -> tuple[object, ...]:
    """What the text tells of that is worth a request; what each model call costs is told with the next look."""
    pushed = spectask.pull_request.pushed if spectask.pull_request else ()
    tasks = {number: (task.state, task.weak) for number, task in spectask.tasks.items()}
    return spectask.state, spectask.feature, pushed, tasks, spectask.documents, spectask.approvals, spectask.accepted_by
