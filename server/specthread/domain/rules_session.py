"""Rules for WorkSessions: start, claim, verification, merge, retry."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.budget import owner_above, rest, used
from specthread.domain.completion import with_ticks
from specthread.domain.family import NO_TASK, is_held, live_children, short
from specthread.domain.ids import RunId, TaskNumber
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.readiness import may_start
from specthread.domain.rules_document import edited
from specthread.domain.rules_review import review_started
from specthread.domain.rules_run import is_acting, lost_call, not_running
from specthread.domain.rules_spectask import ended
from specthread.domain.run import ENDED_RUN_STATES, MAX_CONFLICTS, MAX_SEND_BACKS, WorkSession, stage
from specthread.domain.runs import next_session

Decision = tuple[e.Event, ...] | Refusal


def start(spectask: SpecTask, command: reports.StartSession, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Gives an open task to a new session; re-checks only direct facts, the order is the scheduler's."""
    task = spectask.tasks.get(command.task)
    if spectask.feature is None or spectask.state != "implementing" or spectask.paused or spectask.syncing:
        return Refusal(
            code="not-running",
            message=f"{spectask.id} is not running.",
            hint=f"`specthread show {spectask.id}` says what it waits for.",
        )
    if task is None or not may_start(spectask, command.task):
        return Refusal(
            code="not-ready",
            message=f"Task {command.task} is not ready.",
            hint=f"`specthread show {spectask.id}` says what it waits for.",
        )
    number = next_session(spectask)
    return (
        e.SessionStarted(
            session=RunId(f"{spectask.id}/ws-{number}"),
            task=command.task,
            attempt=1,
            role=task.plan.role,
            agent=spectask.agent,
            start=spectask.feature,
        ),
    )


def _session(spectask: SpecTask, session: RunId) -> WorkSession | Refusal:
    known = spectask.sessions.get(session)
    return known or Refusal(
        code="unknown-id", message=f"{spectask.id} has no session {session}.", hint=f"`specthread sessions {spectask.id}` lists them."
    )


def retry(spectask: SpecTask, command: c.RetryRun, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Takes up a new attempt of a session that ended without its work being merged; it begins when a place is free."""
    session = ended(spectask) or _session(spectask, command.run)
    if isinstance(session, Refusal):
        return session
    if session.state not in ENDED_RUN_STATES or session.state == "completed":
        return Refusal(
            code="wrong-state",
            message=f"{session.id} is {session.state}.",
            hint="Only a session that failed, got stuck or was cancelled is retried.",
        )
    task = spectask.tasks.get(session.task)
    gone = session.task != NO_TASK and (task is None or task.session != session.id)
    if gone or spectask.feature is None:
        return Refusal(
            code="wrong-state",
            message=f"Task {session.task} of {session.id} has gone another way.",
            hint=f"`specthread show {spectask.id}` shows it.",
        )
    refused = _not_retryable(spectask, session)
    if refused:
        return refused
    started = e.SessionStarted(
        session=session.id,
        task=session.task,
        attempt=session.attempt + 1,
        role=session.role,
        agent=session.agent,
        start=spectask.feature if command.fresh else session.start,
        fresh=command.fresh,
        waits=True,
    )
    return (lost_call(session, session.turn + 1), started) if session.open_call else (started,)


def _not_retryable(spectask: SpecTask, session: WorkSession) -> Refusal | None:
    # What was spawned beside the plan opens a finished SpecTask once more, as spawning it did.
    if spectask.state not in {"implementing", "revising"} and not (session.task == NO_TASK and spectask.state == "implementation_review"):
        return Refusal(
            code="wrong-state",
            message=f"{spectask.id} is in {spectask.state.replace('_', ' ')}: nothing is carried out now.",
            hint=f"`specthread request-changes {spectask.id}` asks for more work.",
        )
    if is_held(spectask, session):
        return Refusal(
            code="held",
            message=f"The words behind {_what(session)} changed after approval.",
            hint=f"Approve the present words with `specthread approve {spectask.id}`, then retry.",
        )
    # While it rested, others may have been given what it left over.
    carved = (session.budget_usd or Decimal(0)) - used(spectask, session)
    if session.budget_usd is None or carved <= rest(spectask, owner_above(spectask, session)):
        return None
    message = f"What is left of the budget of {short(session.id)}, ${carved}, is no longer there: it is spent or set aside for others."
    return Refusal(code="no-money", message=message, hint=f"Raise the limit with `specthread run {spectask.id} --budget`, then retry.")


def _what(session: WorkSession) -> str:
    return f"task {session.task}" if session.task != NO_TASK else f"the work of {short(session.id)}"


def claim(spectask: SpecTask, command: reports.ClaimSession, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Takes an agent's word that it is done, and has it verified."""
    session = _session(spectask, command.session)
    if isinstance(session, Refusal):
        return session
    if not is_acting(spectask, session):
        return not_running(session)
    at_work = ", ".join(short(child.id) for child in live_children(spectask, session.id))
    if at_work:
        message = f"Sessions that you spawned have not ended: {at_work}. Call `coordinate` with action `wait` for their results, or `cancel` them; then finish."
        return Refusal(code="children-at-work", message=message, hint="Wait for them, or cancel them.")
    return (e.SessionClaimed(session=session.id, summary=command.summary),)


def finish_check(spectask: SpecTask, command: reports.FinishCheck, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Believes the check: green goes on to the merge, red goes back at most three times, what could not run asks a human."""
    session = _session(spectask, command.session)
    if isinstance(session, Refusal):
        return session
    if session.state != "verifying" or session.claims != command.claim:
        return ()
    finished = e.CheckFinished(session=session.id, verification=command.verification)
    outcome = command.verification.outcome
    if outcome in {"verified", "weak"}:
        order = command.review
        return (finished, review_started(spectask, session, command.verification, order)) if order else (finished,)
    if outcome == "cannot-run":
        asked = e.QuestionAsked(
            run=session.id,
            question=f"check-{session.claims}",
            kind="question",
            text=f"The check of {_what(session)} could not run: {command.text}",
        )
        return (finished, asked)
    if session.send_backs < MAX_SEND_BACKS:
        return (finished, e.SessionSentBack(session=session.id, cause="check", text=command.text, after_turn=session.turn))
    reason = f"the work did not pass verification after {MAX_SEND_BACKS} corrections: {_for_people(command.text) or outcome}"
    return (finished, e.RunFailed(run=session.id, reason=reason))


def finish_merge(spectask: SpecTask, command: reports.FinishMerge, actor: Actor) -> Decision:
    """Records the merge and ticks the box: the only place where a box is ticked."""
    session = _session(spectask, command.session)
    if isinstance(session, Refusal):
        return session
    # A session that was paused or cancelled while git moved the branch is merged all the same: what happened, happened.
    if session.merged or not session.verified_seq or stage(session) not in {"merging", "paused", "cancelled"}:
        return ()
    merged = e.SessionMerged(session=session.id, feature=command.feature)
    document = spectask.documents["tasks"]
    content = with_ticks(_with_merged(spectask, session.task), document.content)
    if content == document.content:
        return (merged,)
    return (merged, replace(edited(spectask, "tasks", content, "tick", actor), task=session.task))


def _with_merged(spectask: SpecTask, number: TaskNumber) -> SpecTask:
    task = spectask.tasks.get(number)
    return spectask if task is None else replace(spectask, tasks=spectask.tasks.set(number, replace(task, state="merged")))


_ORDER = re.compile(r"\. [A-Z][^.]*\bthen finish[^.]*\.$")
"""What an agent is told to do about its work, at the end of a line."""
_ITS_WORK = re.compile(r" your((?: committed)? work)\b")


def _for_people(text: str) -> str:
    """Returns what an agent was told of its work as one sentence for a person: the first line, without what the agent was to do about it."""
    told = _ORDER.sub("", text.strip().partition("\n")[0])
    for words, instead in (("You ", "the agent "), ("Your ", "its "), ("The ", "the ")):
        told = instead + told.removeprefix(words) if told.startswith(words) else told
    return _ITS_WORK.sub(r" its\1", told)


def reject_merge(spectask: SpecTask, command: reports.RejectMerge, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Lets the session run again on top of the feature branch, at most twice; then it fails and a human decides."""
    session = _session(spectask, command.session)
    if isinstance(session, Refusal):
        return session
    if session.state != "merging":
        return ()
    if command.cause == "cannot-run":
        return (e.QuestionAsked(run=session.id, question=f"check-{session.claims}", kind="question", text=command.text),)
    if session.conflicts >= MAX_CONFLICTS:
        reason = f"the work could not be merged after {MAX_CONFLICTS} further tries: {_for_people(command.text) or command.cause}"
        return (e.RunFailed(run=session.id, reason=reason),)
    back = e.SessionSentBack(
        session=session.id, cause=command.cause, text=command.text, after_turn=session.turn, conflict_with=command.conflict_with
    )
    return (back,)
