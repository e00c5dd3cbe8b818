"""Rules for what sessions say to each other, know together and wait for; who says it is always the session that calls.

Waiting never closes a circle: whoever is asked something while it waits goes on, and cannot wait again before it has answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.coordination import (
    LONGEST_KEY,
    LONGEST_MESSAGE,
    LONGEST_VALUE,
    MOST_FACTS,
    MOST_MESSAGES,
)
from specthread.domain.family import is_orphan, live_children, short
from specthread.domain.ids import RunId, TaskNumber
from specthread.domain.messages import answered, open_question, open_questions, said
from specthread.domain.model import ENDED_TASK_STATES, Actor, Refusal, SpecTask
from specthread.domain.rules_place import going_on
from specthread.domain.rules_run import is_acting, not_running
from specthread.domain.run import ENDED_RUN_STATES, WorkSession, stage
from specthread.domain.text import listed, material, shortened

Decision = tuple[e.Event, ...] | Refusal
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_ADDRESSES = "ws-2, parent, children, all, or task 3"
ALL, CHILDREN = "all", "children"


def send(spectask: SpecTask, command: reports.SendMessage, actor: Actor) -> Decision:
    """Tells others what a session says; the same call says it once."""
    sender = _caller(spectask, command.run, actor)
    if isinstance(sender, Refusal):
        return sender
    if any(message.sender == sender.id and message.call == command.call for message in spectask.messages):
        return ()
    refused = _not_sayable(command)
    if refused:
        return refused
    if command.kind == "answer":
        question = open_question(spectask, command.question)
        if question is None or sender.id not in question.receivers:
            message = f"No question {command.question} waits for an answer of yours."
            return Refusal(code="no-question", message=message, hint=_open_to(spectask, sender))
        return tuple(answered(spectask, question, sender.id, command.text, command.call))
    refused = _too_many(spectask)
    if refused:
        return refused
    receivers = _receivers(spectask, sender, command)
    if isinstance(receivers, Refusal):
        return receivers
    return tuple(said(spectask, command.kind, sender.id, receivers, command.text, call=command.call))


def _not_sayable(command: reports.SendMessage) -> Refusal | None:
    if not command.text.strip() and command.kind != "unblocked":
        return Refusal(code="empty-message", message="The message is empty.", hint="Say in `text` what the others should know.")
    if len(command.text) > LONGEST_MESSAGE:
        message = f"The message is {len(command.text)} characters long; at most {LONGEST_MESSAGE} are taken."
        return Refusal(code="too-long", message=message, hint="Say what matters; what is long belongs into a file of the project.")
    return None


def _too_many(spectask: SpecTask) -> Refusal | None:
    """Refuses what is one message too many; an answer never is, since somebody waits for it."""
    if sum(message.kind != "finished" and message.sender in spectask.sessions for message in spectask.messages) >= MOST_MESSAGES:
        message = f"The sessions of {spectask.id} have sent {MOST_MESSAGES} messages, and no more are taken."
        return Refusal(
            code="too-many", message=message, hint="Work on with what you know; put what the next worker needs into your summary."
        )
    return None


def _receivers(spectask: SpecTask, sender: WorkSession, command: reports.SendMessage) -> tuple[str, ...] | Refusal:
    """Returns who is meant: without any name, everybody for a broadcast, the parent (else everybody) for what is in the way."""
    named = command.to
    if not named and command.kind in {"broadcast", "blocked", "unblocked"}:
        named = ("parent",) if command.kind != "broadcast" and sender.parent else (ALL,)
    if command.kind == "question" and (len(named) != 1 or named[0].strip() in {ALL, CHILDREN}):
        return Refusal(code="bad-receiver", message="A question goes to one session.", hint=f"Name it in `to`: {_ADDRESSES}.")
    found: dict[str, None] = {}
    for name in named:
        meant = _named(spectask, sender, name.strip(), keeps=command.kind == "handoff")
        if isinstance(meant, Refusal):
            return meant
        found |= dict.fromkeys(meant)
    if not found and ALL not in named:
        return Refusal(code="bad-receiver", message="It is not said for whom this is.", hint=f"Name them in `to`: {_ADDRESSES}.")
    return tuple(found)


def _named(spectask: SpecTask, sender: WorkSession, name: str, *, keeps: bool) -> tuple[str, ...] | Refusal:
    """Returns the sessions that a name stands for; what is left for a task is kept for whoever will work on it, where a message `keeps`."""
    if name == ALL:
        return tuple(other.id for other in _others(spectask, sender))
    if name == CHILDREN:
        return tuple(child.id for child in live_children(spectask, sender.id))
    if name.startswith("task "):
        return _of_task(spectask, TaskNumber(name.removeprefix("task ").strip()), keeps=keeps)
    run = sender.parent if name == "parent" else RunId(f"{spectask.id}/{short(name)}")
    session = spectask.sessions.get(run) if run else None
    if session is None or session.id == sender.id:
        known = ", ".join(short(other.id) for other in _others(spectask, sender)) or "none"
        return Refusal(code="unknown-id", message="There is no such session beside you.", hint=f"Those that have not ended are: {known}.")
    if session.state in ENDED_RUN_STATES:
        message = f"{short(session.id)} has ended and hears nothing any more."
        return Refusal(code="wrong-state", message=message, hint="Leave it for a task (`task 3`), or tell all.")
    return (session.id,)


def _of_task(spectask: SpecTask, number: TaskNumber, *, keeps: bool) -> tuple[str, ...] | Refusal:
    task = spectask.tasks.get(number)
    session = spectask.sessions.get(task.session) if task and task.session else None
    if session is not None and session.state not in ENDED_RUN_STATES:
        return (session.id,)
    if task is not None and keeps and task.state not in {"merged", "skipped"}:
        return (f"task {number}",)
    what = "Nobody works on that task now" if task else "There is no such task"
    return Refusal(code="unknown-id", message=f"{what}.", hint="A handoff may be left for an open task; everything else needs its session.")


def _others(spectask: SpecTask, sender: WorkSession) -> list[WorkSession]:
    live = (other for other in spectask.sessions.values() if other.id != sender.id and other.state not in ENDED_RUN_STATES)
    return sorted(live, key=lambda other: other.number)


def _caller(spectask: SpecTask, run: RunId, actor: Actor) -> WorkSession | Refusal:
    """Returns the session that speaks: nobody speaks for another."""
    session = spectask.sessions.get(run)
    if session is None or actor.kind != "session" or actor.name != run:
        return Refusal(code="not-yours", message=f"{actor} does not speak for {run}.", hint="A session speaks for itself only.")
    return session if is_acting(spectask, session) else not_running(session)


def _open_to(spectask: SpecTask, session: WorkSession) -> str:
    numbers = ", ".join(str(message.number) for message in open_questions(spectask, to=session.id))
    return f"Yours to answer: {numbers}." if numbers else "Nobody asks you anything at the moment."


# --- what is known together ------------------------------------------------------------------------------------------------


def change_fact(spectask: SpecTask, command: reports.ChangeFact, actor: Actor) -> Decision:
    """Gives a fact a new value, for whoever knows the version it is at; the loser of a race is told what won."""
    session = _caller(spectask, command.run, actor)
    if isinstance(session, Refusal):
        return session
    known = spectask.facts.get(command.key)
    if known and any(change.by == session.id and change.call == command.call for change in known.changes):
        return ()
    refused = _not_a_fact(spectask, command)
    if refused:
        return refused
    version = known.now.version if known else 0
    if version != command.version:
        return Refusal(
            code="stale-fact",
            message=f"You named version {command.version} of `{command.key}`, but it is at version {version}"
            + (
                f", set by {short(known.now.by)}:\n{material(f'value of {command.key}', known.now.value)}"
                if known
                else ": nobody has set it."
            ),
            hint=f"Take that into account, then set it with version {version} if it must still change.",
        )
    previous = known.now.value if known else ""
    changed = e.FactChanged(key=command.key, value=command.value, previous=previous, version=version + 1, by=session.id, call=command.call)
    return (changed,)


def _not_a_fact(spectask: SpecTask, command: reports.ChangeFact) -> Refusal | None:
    if len(command.key) > LONGEST_KEY or not _KEY.fullmatch(command.key):
        message = f"A key has at most {LONGEST_KEY} letters, digits and . _ / - and begins with a letter or digit."
        return Refusal(code="bad-key", message=message, hint="Name it for what it is about, such as api/version.")
    if len(command.value) > LONGEST_VALUE:
        message = f"The value is {len(command.value)} characters long; at most {LONGEST_VALUE} are shared."
        return Refusal(code="too-long", message=message, hint="Share what decides; what is long belongs into a file of the project.")
    if command.key not in spectask.facts and len(spectask.facts) >= MOST_FACTS:
        message = f"{MOST_FACTS} facts are shared already, and no more are taken."
        return Refusal(code="too-many", message=message, hint="Change one of those that are there.")
    return None


# --- waiting ---------------------------------------------------------------------------------------------------------------


def wait(spectask: SpecTask, command: reports.AwaitSessions, actor: Actor) -> Decision:
    """Lets a session rest until those it spawned have ended and its questions are answered; nothing to wait for is no event."""
    known = spectask.sessions.get(command.run)
    if known is not None and known.wait and known.wait.call == command.call:
        return ()
    session = _caller(spectask, command.run, actor)
    if isinstance(session, Refusal):
        return session
    asked = open_questions(spectask, to=session.id)
    if asked:
        numbers = ", ".join(str(message.number) for message in asked)
        message = f"{short(asked[0].sender)} waits for you: question {numbers} is yours to answer."
        return Refusal(code="asked", message=message, hint="Answer first, then wait.")
    sessions = tuple(child.id for child in live_children(spectask, session.id))
    questions = tuple(message.number for message in open_questions(spectask, of=session.id))
    if not sessions and not questions:
        return ()
    return (e.SessionsAwaited(run=session.id, sessions=sessions, questions=questions, call=command.call),)


def is_wait_over(spectask: SpecTask, session: WorkSession) -> bool:
    """Tells whether what a session rests for has come, or somebody needs it."""
    if session.wait is None:
        return False
    waited = [spectask.sessions[run] for run in session.wait.sessions if run in spectask.sessions]
    came = all(other.state in ENDED_RUN_STATES and other.told_attempt == other.attempt for other in waited)
    still = any(open_question(spectask, number) for number in session.wait.questions)
    return (came and not still) or bool(open_questions(spectask, to=session.id))


def settle(spectask: SpecTask, command: reports.SettleSessions, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Draws the consequences that are due; some have consequences of their own, which are due then."""
    return tuple(due(spectask))


def is_unsettled(spectask: SpecTask) -> bool:
    """Tells whether `settle` has something to do."""
    return next(due(spectask), None) is not None


def due(spectask: SpecTask) -> Iterator[e.Event]:
    """Yields the consequences of one kind, so that each is drawn from what is the case: orphans end, parents are told, questions to nobody are closed, who waited goes on."""
    if spectask.state in ENDED_TASK_STATES or not (
        spectask.messages or any(each.parent or each.wait for each in spectask.sessions.values())
    ):
        return
    for step in (_orphaned, _told, _closed, _resumed):
        events = tuple(step(spectask))
        if events:
            yield from events
            return


def _orphaned(spectask: SpecTask) -> Iterator[e.Event]:
    """Whose parent ended without a result has nobody to work for; what it did is kept, and it can be tried again by itself."""
    for session in spectask.sessions.values():
        if session.parent and session.state not in ENDED_RUN_STATES and is_orphan(spectask, session):
            ended = _ENDS[spectask.sessions[session.parent].state]
            yield e.RunCancelled(run=session.id, reason=f"{short(session.parent)}, for which it worked, {ended}")


def _told(spectask: SpecTask) -> Iterator[e.Event]:
    """One at a time, because each message takes the next number."""
    ended = (
        each for each in spectask.sessions.values() if each.parent and each.state in ENDED_RUN_STATES and each.told_attempt != each.attempt
    )
    for child in sorted(ended, key=lambda each: each.number):
        parent = spectask.sessions.get(child.parent) if child.parent else None
        if parent and stage(parent) != "pending" and parent.state not in ENDED_RUN_STATES:
            yield from said(spectask, "finished", child.id, (parent.id,), result_of(child), attempt=child.attempt)
            return


def result_of(session: WorkSession) -> str:
    """Returns what came of a session, in words for its parent that are no longer than a message."""
    if session.state == "completed":
        changed = session.verification.changed if session.verification else ()
        told = f"Its work is verified and merged. {shortened(session.summary, LONGEST_MESSAGE // 2)}\nChanged: "
        return f"{told}{listed(changed, LONGEST_MESSAGE - len(told))}" if changed else told.removesuffix("\nChanged: ")
    reason = shortened(session.reason, LONGEST_MESSAGE // 2) or "no reason was given"
    return f"It {_ENDS.get(session.state, 'ended')}: {reason}. Nothing of it is merged; its files are kept."


_ENDS = {"failed": "failed", "stuck": "got stuck", "cancelled": "was cancelled"}


def _closed(spectask: SpecTask) -> Iterator[e.Event]:
    for question in open_questions(spectask):
        asked = [spectask.sessions.get(RunId(name)) for name in question.receivers]
        if not any(each and each.state not in ENDED_RUN_STATES for each in asked):
            names = ", ".join(short(name) for name in question.receivers)
            yield from answered(spectask, question, "daemon", f"{names} ended without an answer. Decide yourself, or ask the human.")
            return


def _resumed(spectask: SpecTask) -> Iterator[e.Event]:
    for session in spectask.sessions.values():
        if session.state == "waiting" and session.question is None and is_wait_over(spectask, session):
            yield going_on(session)


def bring_in(spectask: SpecTask, command: reports.BringIn, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Records what the feature branch was when it was brought into the files of a session."""
    session = spectask.sessions.get(command.session)
    if session is None or session.conflict_with == command.feature:
        return ()
    return (e.FeatureBroughtIn(session=session.id, feature=command.feature),)
