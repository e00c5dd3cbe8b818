"""Consequences: which background work a durable state calls for.

`wanted(spectask)` is a function of the state alone, not of the event that led to it. After every durable batch the effects that are wanted and not running are
started, those that run and are no longer wanted are cancelled. So a restart needs no special case: the replayed state wants exactly the work that was going on.
"""

from __future__ import annotations

from dataclasses import dataclass

from specthread.domain.completion import is_finished
from specthread.domain.family import is_held
from specthread.domain.foresight import sessions_with_files
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import ENDED_TASK_STATES, SpecTask
from specthread.domain.permission import keeps_its_place
from specthread.domain.planned import task_order
from specthread.domain.run import ACTING, WorkSession
from specthread.domain.runs import all_runs

__all__ = [
    "DESK",
    "Effect",
    "ForeseeConflicts",
    "KeepDesk",
    "KeepPullRequest",
    "MergeSessions",
    "MergeTarget",
    "PublishFinal",
    "PutAway",
    "RunPlanner",
    "RunReview",
    "RunSession",
    "VerifyClaim",
    "WriteSpecs",
    "is_finished",
    "kept",
    "mergeable",
    "task_order",
    "wanted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A piece of background work; equal values are the same work."""

    spectask: SpecTaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSpecs(Effect):
    """Commits records and transcripts to the specs branch, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepDesk(Effect):
    """Keeps the desk folder and the live documents the same."""


DESK = "desk"
"""The name under which a desk tells its own troubles, beside those of `KeepDesk`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlanner(Effect):
    """Runs a planner's conversation."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSession(Effect):
    """Runs a session's conversation in its worktree."""

    run: RunId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyClaim(Effect):
    """Verifies one claim of a session on the committed tree."""

    run: RunId
    claim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReview(Effect):
    """Runs a reviewer's conversation about the committed work of a claim."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSessions(Effect):
    """Merges verified sessions onto the feature branch, one at a time, lowest task first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseeConflicts(Effect):
    """Looks ahead, after each turn, which of the sessions at work would conflict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFinal(Effect):
    """Publishes the documents on the feature branch for the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTarget(Effect):
    """Merges the moved target into the feature branch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAway(Effect):
    """Removes what an archived SpecTask has on disk, and archives its branches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPullRequest(Effect):
    """Keeps the text of an open pull request true, and reads back what became of it."""


def wanted(spectask: SpecTask) -> frozenset[Effect]:
    """Returns the work this SpecTask calls for in a durable state; nothing is done where git has gone further than the log."""
    return frozenset() if spectask.overtaken else _wanted(spectask)


def _wanted(spectask: SpecTask) -> frozenset[Effect]:
    effects: set[Effect] = set()
    if spectask.uncommitted or any(run.turn > run.logged_turn for run in all_runs(spectask)):
        effects.add(WriteSpecs(spectask=spectask.id))
    if spectask.state == "archived" and not spectask.put_away:
        effects.add(PutAway(spectask=spectask.id))
    # It goes on after the work has ended: that is when people review it.
    if spectask.pull_request and spectask.pull_request.state == "open" and spectask.state != "archived":
        effects.add(KeepPullRequest(spectask=spectask.id))
    if spectask.state in ENDED_TASK_STATES:
        return frozenset(effects)
    effects.add(KeepDesk(spectask=spectask.id))
    if spectask.paused:
        return frozenset(effects)
    effects |= {RunPlanner(spectask=spectask.id, run=plan.id) for plan in spectask.plans if plan.state in ACTING}
    effects |= {effect for session in spectask.sessions.values() for effect in _for_session(spectask, session)}
    if len(sessions_with_files(spectask)) > 1:
        effects.add(ForeseeConflicts(spectask=spectask.id))
    if mergeable(spectask):
        effects.add(MergeSessions(spectask=spectask.id))
    if spectask.syncing:
        effects.add(MergeTarget(spectask=spectask.id))
    if is_finished(spectask):
        effects.add(PublishFinal(spectask=spectask.id))
    return frozenset(effects)


def kept(spectask: SpecTask) -> frozenset[Effect]:
    """Returns the work that is not begun now, but goes on where it has begun: an agent that awaits a permission stands in the middle of a call."""
    if spectask.overtaken or spectask.paused or spectask.state in ENDED_TASK_STATES:
        return frozenset()
    return frozenset(
        RunSession(spectask=spectask.id, run=run.id, attempt=run.attempt)
        if isinstance(run, WorkSession)
        else RunPlanner(spectask=spectask.id, run=run.id)
        for run in all_runs(spectask)
        if keeps_its_place(run)
    )


# A run that waits for any other answer holds nothing: its conversation is resumed from the log once the answer is in git.


def _for_session(spectask: SpecTask, session: WorkSession) -> tuple[Effect, ...]:
    if session.state in ACTING:
        return (RunSession(spectask=spectask.id, run=session.id, attempt=session.attempt),)
    if session.state == "verifying" and session.review:
        return tuple(
            RunReview(spectask=spectask.id, run=each.id) for each in spectask.reviews if each.id == session.review and each.state in ACTING
        )
    if session.state == "verifying":
        return (VerifyClaim(spectask=spectask.id, run=session.id, claim=session.claims),)
    return ()


def mergeable(spectask: SpecTask) -> tuple[WorkSession, ...]:
    """Returns the sessions that may be merged now, lowest task first; held ones wait for a new approval."""
    order = {number: place for place, number in enumerate(sorted(spectask.tasks, key=task_order))}
    ready = [session for session in spectask.sessions.values() if session.state == "merging" and not is_held(spectask, session)]
    return tuple(sorted(ready, key=lambda session: order.get(session.task, len(order))))
