"""Rules about the pull request: only a human opens one, and the daemon tells what became of it."""

from __future__ import annotations

from specthread.domain import events as e
from specthread.domain.commands import OpenPullRequest
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.reports import ReportPullRequest


def not_openable(spectask: SpecTask) -> Refusal | None:
    """Returns why there can be no pull request of this SpecTask now, or None; to be asked before anything is pushed."""
    if spectask.feature is None:
        return Refusal(
            code="nothing-to-push",
            message=f"{spectask.id} has no feature branch yet: nothing of it was approved.",
            hint=f"`specthread review {spectask.id}` shows what is to be approved.",
        )
    if spectask.state == "archived":
        return Refusal(code="wrong-state", message=f"{spectask.id} is archived.", hint="Push its branch yourself if you want it back.")
    if spectask.target is None:
        return Refusal(
            code="no-target",
            message=f"{spectask.id} was started from a commit, and not from a branch that a pull request could be for.",
            hint=f"Push spectask/{spectask.id}/feature yourself, and open one for the branch you want it on.",
        )
    known = spectask.pull_request
    if known and known.state == "merged":
        return merged_already(spectask, known.url)
    return None


def merged_already(spectask: SpecTask, url: str) -> Refusal:
    """Refuses a second pull request for work that is merged."""
    hint = f"It is at {url}. What came after it needs a SpecTask of its own."
    return Refusal(code="already-merged", message=f"The pull request of {spectask.id} is merged.", hint=hint)


def open_pull_request(spectask: SpecTask, command: OpenPullRequest, actor: Actor) -> tuple[e.Event, ...] | Refusal:
    """Notes what was pushed and where the pull request is; the same again is no news."""
    refused = not_openable(spectask)
    if refused:
        return refused
    event = e.PullRequestOpened(
        forge=command.forge,
        url=command.url,
        number=command.number,
        branch=command.branch,
        person=actor.name,
        remote=command.remote,
        address=command.address,
        pushed=command.pushed,
    )
    known = spectask.pull_request
    same = known and known.state == "open" and (known.url, known.address, known.pushed) == (event.url, event.address, event.pushed)
    return () if same else (event,)


def report_pull_request(spectask: SpecTask, command: ReportPullRequest, actor: Actor) -> tuple[e.Event, ...] | Refusal:  # noqa: ARG001  every rule has the same form
    """Notes how it stands where that is news; one that another has replaced meanwhile is none of ours."""
    known = spectask.pull_request
    if known is None or known.number != command.number:
        return ()
    event = e.PullRequestChanged(state=command.state, draft=command.draft, checks=command.checks, reviews=command.reviews)
    same = (known.state, known.draft, known.checks, known.reviews) == (event.state, event.draft, event.checks, event.reviews)
    return () if same else (event,)
