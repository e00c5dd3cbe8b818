"""What a reviewer said, in words."""

from __future__ import annotations

from collections.abc import Sequence

from specthread.domain.model import SpecTask
from specthread.domain.run import ReviewRun, Verdict, WorkSession


def judged(verdicts: Sequence[Verdict]) -> str:
    """Returns verdicts as a list, one line each."""
    return "\n".join(f"- {each}" for each in verdict_lines(verdicts))


def verdict_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Returns a sentence for each verdict: the criterion, what is said of it, why, and where."""
    return [
        f"{each.criterion} {each.judgement}{f': {each.reason}' if each.reason else ''}{f' ({each.place})' if each.place else ''}"
        for each in verdicts
    ]


def review_of(spectask: SpecTask, session: WorkSession) -> ReviewRun | None:
    """Returns the review of a session's last claim, or None."""
    return next((review for review in spectask.reviews if review.id == session.review), None)
