"""A SpecTask's pull request, as far as a person opened one: where it is, what was pushed, and what was last read back of it.

The log is the fast way to know it. Git has who opened it and where as a decision record; and whoever loses both finds it again at the
forge by the name of the feature branch, which is what asking again does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

ForgeKind = Literal["github", "gitlab"]
PullRequestState = Literal["open", "merged", "closed"]
CheckState = Literal["passing", "failing", "pending"]
Verdict = Literal["approved", "changes_requested"]
Checks = tuple[tuple[str, CheckState], ...]
"""Checks of the head commit by name."""
Reviews = tuple[tuple[str, Verdict], ...]
"""The last word of each person who gave one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """The last pull request that a person opened for a SpecTask; `address` is the repository's, without credentials."""

    forge: ForgeKind
    url: str
    number: int
    branch: str
    person: str
    remote: str
    address: str
    pushed: tuple[tuple[str, str], ...]
    """Each ref with the commit or tag that was pushed to it last: what the next lease expects."""
    state: PullRequestState = "open"
    draft: bool = True
    checks: Checks = ()
    reviews: Reviews = ()


class Standing(Protocol):
    """How a pull request stands; the thing itself and the event that tells of it both say so."""

    @property
    def state(self) -> PullRequestState:
        """Whether it is open."""

    @property
    def draft(self) -> bool:
        """Whether its people are not asked for a review yet."""

    @property
    def checks(self) -> Checks:
        """The checks of its head."""

    @property
    def reviews(self) -> Reviews:
        """The last words of its reviewers."""


def told(found: Standing) -> str:
    """Returns how it stands, in one line without a full stop: `draft, 2 of 3 checks passing, approved by Ada`."""
    words: list[str] = ["draft" if found.draft and found.state == "open" else found.state]
    if found.checks:
        words.append(f"{sum(state == 'passing' for _, state in found.checks)} of {len(found.checks)} checks passing")
    failing = [name for name, state in found.checks if state == "failing"]
    words += [f"failing: {', '.join(failing)}"] if failing else []
    for verdict, verb in (("approved", "approved by"), ("changes_requested", "changes requested by")):
        people = [person for person, each in found.reviews if each == verdict]
        words += [f"{verb} {', '.join(people)}"] if people else []
    return ", ".join(words)
