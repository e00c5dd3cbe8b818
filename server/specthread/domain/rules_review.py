"""Rules for reviews: begin one where work passed its checks, take its verdicts, and end it before it costs too much."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.budget import DaySpend, budget_problem, dollars
from specthread.domain.ids import RunId
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.run import LIVE_RUN_STATES, MAX_SEND_BACKS, ReviewRun, Verdict, Verification, WorkSession
from specthread.domain.runs import find_run

Decision = tuple[e.Event, ...] | Refusal


def review_started(spectask: SpecTask, session: WorkSession, found: Verification, order: reports.ReviewOrder) -> e.ReviewStarted:
    """Returns the beginning of the review of a session's last claim."""
    return e.ReviewStarted(
        run=RunId(f"{spectask.id}/review-{len(spectask.reviews) + 1}"),
        owner=session.id,
        claim=session.claims,
        commit=found.commit,
        agent=order.agent,
        gate=order.gate,
        budget_usd=order.budget_usd,
        user_set=order.user_set,
    )


def finish(spectask: SpecTask, command: reports.FinishReview, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Takes the verdicts; what is not met counts as one of the corrections that a session has, where the review is a gate."""
    review = find_run(spectask, command.review)
    session = spectask.sessions.get(review.session) if isinstance(review, ReviewRun) else None
    if not isinstance(review, ReviewRun) or session is None or review.state not in LIVE_RUN_STATES:
        return ()
    if session.review != review.id or session.state != "verifying" or review.state == "paused":
        return ()
    finished = e.ReviewFinished(run=review.id, verdicts=command.verdicts, summary=command.summary)
    unmet = [verdict for verdict in command.verdicts if verdict.judgement == "unmet" and verdict.criterion not in command.shared]
    if not unmet or not review.gate:
        return (finished,)
    if session.send_backs < MAX_SEND_BACKS:
        text = f"A reviewer finds that the work does not do what it should:\n{told(unmet)}\nCorrect that, then finish again."
        return (finished, e.SessionSentBack(session=session.id, cause="review", text=text, after_turn=session.turn))
    reason = f"the work did not pass its review after {MAX_SEND_BACKS} corrections: {_one(unmet[0])}"
    return (finished, e.RunFailed(run=session.id, reason=reason))


def told(verdicts: Sequence[Verdict]) -> str:
    """Returns verdicts as a list."""
    return "\n".join(f"- {_one(verdict)}" for verdict in verdicts)


def _one(verdict: Verdict) -> str:
    return f"{verdict.criterion}: {verdict.reason}{f' ({verdict.place})' if verdict.place else ''}"


def too_dear(spectask: SpecTask, review: ReviewRun, reserve: Decimal | None, today: DaySpend | None) -> str:
    """Returns why a call of a review must not start, or nothing: nobody is asked for money for it, and no work waits for it."""
    spent, most = review.spend.cost_usd + review.spend.reserved_usd, review.budget_usd
    if reserve is not None and most is not None and spent + reserve > most:
        return f"its next call could cost {dollars(reserve)}, and {dollars(spent)} of the {dollars(most)} that a review may cost is spent"
    if reserve is None and most is not None and review.user_set:
        return f"the price of its model is unknown, so the {dollars(most)} that you let a review cost cannot be kept"
    problem = budget_problem(spectask, reserve, review.id, today)
    return problem.message.partition("Answer")[0].strip() if problem else ""
