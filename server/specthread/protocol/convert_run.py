"""What a run is on the wire: its state, its spend, and what was found of its work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from specthread.domain.foresight import foreseen_for
from specthread.domain.model import State
from specthread.domain.names import spectask_of
from specthread.domain.run import LIVE_RUN_STATES, AnyRun, RunState, Spend, Verification, WorkSession, under_way
from specthread.plan.capacity import ALONE, Crowd
from specthread.plan.waiting import why_waiting
from specthread.protocol import wire_view
from specthread.views.figures import activity_of
from specthread.views.redaction import redacted
from specthread.views.verdicts import check_lines, review_of, verdict_lines


def _foreseen_views(state: State, run: AnyRun) -> list[wire_view.ForeseenView]:
    spectask = state.spectasks.get(spectask_of(run.id))
    found = foreseen_for(spectask, run.id) if spectask else {}
    return [wire_view.ForeseenView(session=other, paths=list(paths)) for other, paths in found.items()]


def session_view(state: State, run: AnyRun, now: datetime, crowd: Crowd = ALONE, secrets: Sequence[str] = ()) -> wire_view.SessionView:
    """Returns a run; what a planning run has not is empty. `secrets` are shown to nobody."""
    session = run if isinstance(run, WorkSession) else None
    question = run.question if run.question and not run.question.answer_seq and run.ended is None else None
    return wire_view.SessionView(
        id=run.id,
        task=session.task if session else "",
        parent=(session.parent or "") if session else "",
        work=session.work if session else "",
        budget_usd=session.budget_usd if session else None,
        blocked=session.blocked if session else "",
        status=_status(state, run),
        why=redacted(why_waiting(state, run.id, crowd), secrets),
        agent=run.agent,
        role=run.role,
        started=run.started,
        completed=run.ended,
        duration=under_way(run, now),
        attempt=run.attempt,
        turn=run.turn,
        activity=activity_of(state, run, crowd, secrets),
        send_backs=session.send_backs if session else 0,
        conflicts=session.conflicts if session else 0,
        foreseen=_foreseen_views(state, run),
        summary=redacted(run.summary, secrets),
        reason=redacted(run.reason, secrets),
        question=wire_view.NeedView(
            kind=question.kind,
            run=run.id,
            text=redacted(question.text, secrets),
            choices=[redacted(choice, secrets) for choice in question.choices],
            question=question.id,
        )
        if question
        else None,
        verification=_check_view(state, session, session.verification) if session and session.verification else None,
        merged=(session.merged or "") if session else "",
        spend=spend_view(run.spend),
    )


def _status(state: State, run: AnyRun) -> RunState:
    """Returns a run's state; one whose SpecTask was cancelled does not go on, whatever it was doing."""
    owner = state.spectasks.get(spectask_of(run.id))
    return "cancelled" if owner and owner.state == "cancelled" and run.state in LIVE_RUN_STATES else run.state


def _check_view(state: State, session: WorkSession, found: Verification) -> wire_view.CheckView:
    owner = state.spectasks.get(spectask_of(session.id))
    review = review_of(owner, session) if owner else None
    return wire_view.CheckView(
        outcome=found.outcome,
        check=found.check,
        commit=found.commit,
        before_exit=found.before_exit,
        after_exit=found.after_exit,
        output=found.output,
        changed=list(found.changed),
        dropped=list(found.dropped),
        evidence=list(found.evidence),
        unprotected=found.unprotected,
        checks=check_lines(found),
        verdicts=verdict_lines(review.verdicts) if review else [],
        formatted=found.formatted,
    )


def spend_view(spend: Spend) -> wire_view.SpendView:
    """Returns what was used."""
    return wire_view.SpendView(
        calls=spend.calls,
        input_tokens=spend.input_tokens,
        output_tokens=spend.output_tokens,
        cost_usd=spend.cost_usd,
        reserved_usd=spend.reserved_usd,
        unknown_calls=spend.unknown_calls,
        cache_read=spend.cache_read,
        cache_write=spend.cache_write,
    )
