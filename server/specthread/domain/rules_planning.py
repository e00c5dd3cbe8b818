"""Rules for the end of a planning run: what is missing, what is sent back to be mended, and what is approved in advance."""

from __future__ import annotations

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.approval import next_version
from specthread.domain.model import Actor, Comment, Refusal, SpecTask
from specthread.domain.names import documents_of
from specthread.domain.rules_approval import obstacles
from specthread.domain.rules_run import is_acting, not_running
from specthread.domain.run import LIVE_RUN_STATES, PlanningRun
from specthread.domain.text import listed, shortened

Decision = tuple[e.Event, ...] | Refusal

MAX_MENDS = 2
"""So often a planner is sent back to mend what is found in its documents; then they go to the person as they are, and say so."""
MAX_QUESTIONS = 3
"""So many questions of one planning run reach a person."""
MOST_FINDINGS = 20
LONGEST_FINDING = 300


def finish_planning(spectask: SpecTask, command: reports.FinishPlanning, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Ends a planning run with all documents written and all comments answered; what is found in them goes back twice at most."""
    plan = next((plan for plan in spectask.plans if plan.id == command.plan and plan.state in LIVE_RUN_STATES), None)
    if plan is None:
        return ()
    if not is_acting(spectask, plan):
        return not_running(plan)
    refused = _missing(spectask) or _unanswered(spectask, plan)
    if refused:
        return refused
    if command.findings and plan.turn in plan.mends:  # after a crash the same claim is made again
        return Refusal(code="documents-not-clean", message=_sent_back(command.findings, len(plan.mends)), hint="Mend this, then finish.")
    if command.findings and len(plan.mends) < MAX_MENDS:
        return (e.PlanningSentBack(plan=plan.id, turn=plan.turn, text=_sent_back(command.findings, len(plan.mends) + 1)),)
    unclean = shortened(command.findings[0], LONGEST_FINDING) if command.findings else ""
    finished = e.PlanningFinished(plan=command.plan, summary=command.summary, unclean=unclean)
    # “In advance” covers what comes out of the first planning; a revision that a human asked for is read by that human.
    if not spectask.advance or plan.purpose == "revise" or unclean or obstacles(spectask):
        return (finished,)
    documents = tuple((name, spectask.documents[name].digest) for name in documents_of(spectask))
    approved = e.SpecApproved(
        documents=documents, person=spectask.owner.name, in_advance=True, version=next_version(spectask, dict(documents))
    )
    return (finished, approved)


def _missing(spectask: SpecTask) -> Refusal | None:
    missing = [name for name in documents_of(spectask) if name not in spectask.documents]
    if not missing:
        return None
    return Refusal(
        code="documents-missing",
        message=f"These documents are not written yet: {', '.join(missing)}.",
        hint="Write them, then finish.",
    )


def to_answer(spectask: SpecTask) -> tuple[Comment, ...]:
    """Returns the comments that a planner which begins now has to answer."""
    return tuple(comment for comment in spectask.comments.values() if not comment.resolved and not comment.answer)


def _unanswered(spectask: SpecTask, plan: PlanningRun) -> Refusal | None:
    """What was added while it worked is read in the next revision."""
    if plan.purpose != "revise" or not plan.started_seq:
        return None
    unanswered = sorted(comment.id for comment in to_answer(spectask) if comment.seq < plan.started_seq)
    if not unanswered:
        return None
    return Refusal(
        code="comments-unanswered",
        message=f"These comments are not answered yet: {listed(unanswered, LONGEST_FINDING)}.",
        hint="Say with `answer_comment` what you did about each, or why nothing, then finish.",
    )


def _sent_back(findings: tuple[str, ...], mend: int) -> str:
    more = [f"- and {len(findings) - MOST_FINDINGS:,} more"] if len(findings) > MOST_FINDINGS else []
    left = "This is the last time it is asked for." if mend == MAX_MENDS else f"You have {MAX_MENDS - mend + 1} tries."
    return "\n".join(
        [
            f"The documents are not ready. Mend what follows and finish again; {left[0].lower()}{left[1:]}",
            *(f"- {shortened(finding, LONGEST_FINDING)}" for finding in findings[:MOST_FINDINGS]),
            *more,
        ]
    )
