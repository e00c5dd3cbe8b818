"""A pull request as clients get it."""

from __future__ import annotations

from specthread.domain.pull_request import PullRequest, told
from specthread.protocol.wire_view import PullRequestView


def pull_request_view(known: PullRequest) -> PullRequestView:
    """Returns a pull request for clients."""
    return PullRequestView(
        forge=known.forge,
        url=known.url,
        number=known.number,
        branch=known.branch,
        state=known.state,
        draft=known.draft,
        checks=dict(known.checks),
        reviews=dict(known.reviews),
        text=told(known),
    )
