"""What the project's checks and a reviewer said of the work, in words."""

from __future__ import annotations

from collections.abc import Sequence

from specthread.domain.model import SpecTask
from specthread.domain.run import ProjectCheck, ReviewRun, Verdict, Verification, WorkSession


def judged(verdicts: Sequence[Verdict]) -> str:
    """Returns verdicts as a list, one line each."""
    return "\n".join(f"- {each}" for each in verdict_lines(verdicts))


def verdict_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Returns a sentence for each verdict: the criterion, what is said of it, why, and where."""
    return [
        f"{each.criterion} {each.judgement}{f': {each.reason}' if each.reason else ''}{f' ({each.place})' if each.place else ''}"
        for each in verdicts
    ]


def check_lines(found: Verification) -> list[str]:
    """Returns a sentence for each of the project's own checks."""
    return [f"{each.kind} `{each.command}`: {_compared(each)}" for each in found.checks]


def _compared(check: ProjectCheck) -> str:
    if check.before == "green":
        return {"green": "green", "red": "green before the work, red on it"}.get(check.after, "green before the work, cannot run on it")
    return "red before the work, so it does not count" if check.before == "red" else "cannot run here"


def review_of(spectask: SpecTask, session: WorkSession) -> ReviewRun | None:
    """Returns the review of a session's last claim, or None."""
    return next((review for review in spectask.reviews if review.id == session.review), None)
