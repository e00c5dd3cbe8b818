"""The writer of the specs branch: every record and every transcript turn of a SpecTask becomes a commit there, in order.

A record is acknowledged (`RecordCommitted`) only after its commit is durable. If the daemon dies in between, the commit is found again by its trailer and
acknowledged without a second one. The approval that completes a set moves the specs branch, the feature branch and the tag in one transaction. Transcripts ride
along with records, else wait at most two seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from specgit.commits import CommitRequest, TagRequest
from specgit.errors import RefMoved
from specgit.types import Oid as GitOid
from specgit.types import Person, spec_refs
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.family import short
from specthread.domain.ids import Oid
from specthread.domain.model import SpecTask
from specthread.domain.names import documents_of, label
from specthread.domain.react import WriteSpecs
from specthread.domain.run import ACTING
from specthread.engine.ports import DAEMON_PERSON, Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.transcripts import commit_turns, unlogged, unlogged_turns
from specthread.views.records import approvals_file, comment_file, coordination_file, decision_file, standing_files
from specthread.views.report import report_file

TURNS_AT_ONCE = 10
MOVE_SECONDS = 1.0
"""How long a move of the feature branch that this daemon made itself may take to be reported."""


async def write_specs(ports: Ports, effect: WriteSpecs) -> None:
    """Commits what is due until nothing is left."""
    opened = await ports.repository(effect.spectask)
    while True:
        spectask = ports.spectask(effect.spectask)
        if not spectask.uncommitted:
            await _wait_due(ports, spectask)
            spectask = ports.spectask(effect.spectask)
        await ports.wait_first_call(spectask.id)
        spectask = ports.spectask(effect.spectask)
        records = sorted(spectask.uncommitted)
        if not records and not unlogged(spectask):
            return
        envelopes = await ports.read_events(spectask.id, records[0] - 1, None) if records else ()
        by_seq = {envelope.seq: envelope for envelope in envelopes}
        turns = [await unlogged_turns(ports, spectask, run) for run in unlogged(spectask)]
        if records and not await _commit_records(ports, opened, spectask, [by_seq[seq] for seq in records]):
            continue
        if turns:
            await commit_turns(ports, opened, spectask, turns)


async def _wait_due(ports: Ports, spectask: SpecTask) -> None:
    """Returns when a record is there, a run with open turns rests, ten turns are open, or two seconds have passed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ports.settings.transcript_interval
    while True:
        now = ports.spectask(spectask.id)
        runs = unlogged(now)
        if now.uncommitted or any(run.state not in ACTING or run.turn - run.logged_turn >= TURNS_AT_ONCE for run in runs):
            return
        left = deadline - loop.time()
        if left <= 0 or not runs:
            return
        await ports.changes.wait_change(spectask.id, left)


async def _commit_records(ports: Ports, opened: OpenRepository, spectask: SpecTask, envelopes: Sequence[e.Envelope]) -> bool:
    """Commits records in order, in one go; at most one of them is the approval that completes a set, because a second one waits for the first.

    Tells whether it did: where a merge of ours has moved the feature branch meanwhile, it is to be done again on the new tip.
    """
    requests: list[CommitRequest] = []
    places: list[tuple[e.Envelope, int, bool]] = []
    tags: list[TagRequest] = []
    for envelope in envelopes:
        # The report reads all documents, which takes a moment.
        made, tag = await in_thread(_change, ports, spectask, envelope, place=len(requests), zero=opened.repository.zero)
        places.append((envelope, len(requests), bool(tag)))
        requests += made
        tags += tag
    try:
        results = await in_thread(opened.writer.commit, requests, tags)
    except RefMoved:
        if await _feature_reported(ports, spectask):
            return False
        raise
    for envelope, place, published in places:
        await ports.submit(
            reports.RecordCommit(
                spectask=spectask.id,
                of=envelope.seq,
                oid=Oid(results[place].oid),
                feature=Oid(results[place + 1].oid) if published else None,
                tag=tags[0].ref.removeprefix("refs/tags/") if published else "",
            )
        )
    return True


async def _feature_reported(ports: Ports, spectask: SpecTask) -> bool:
    """Tells whether the state knows of a move of the feature branch since `spectask` was read, or hears of one soon."""
    if ports.spectask(spectask.id).feature == spectask.feature:
        await ports.changes.wait_change(spectask.id, MOVE_SECONDS)
    return ports.spectask(spectask.id).feature != spectask.feature


def _change(
    ports: Ports, spectask: SpecTask, envelope: e.Envelope, *, place: int, zero: GitOid
) -> tuple[list[CommitRequest], list[TagRequest]]:
    """Returns the commit of a record, which will be number `place` of its change, and for the approval that completes a set the publication that moves with it."""
    event = envelope.event
    refs = spec_refs(spectask.id)
    author = _author(spectask, envelope)
    trailers = [("Spec-Task", str(spectask.id))]
    if isinstance(event, e.DocumentEdited) and event.kind == "human":
        trailers.append(("Specthread-Edit", "human"))
    record = CommitRequest(
        ref=refs.specs,
        message=_message(spectask, event, ports.redacted),
        author=author,
        when=envelope.time,
        trailers=tuple(trailers),
        event=ports.event_id(envelope.seq),
        files=_files(spectask, envelope, ports.secrets),
        since=GitOid(spectask.specs) if spectask.specs else None,
    )
    if not isinstance(event, e.SpecApproved) or event.version is None:
        return [record], []
    approvals = [spectask.approvals[name] for name in documents_of(spectask)]
    published = {spectask.documents[approval.document].path: approval.content for approval in approvals}
    feature = replace(
        record,
        ref=refs.feature,
        message=f"Publish v{event.version}: the approved spec of {spectask.id}",
        files=published,
        start=GitOid(spectask.base),
        expect=GitOid(spectask.feature) if spectask.feature else zero,
        since=GitOid(spectask.feature or spectask.base),
    )
    tag = TagRequest(
        ref=refs.tag(event.version), target=place, message=_tag_message(spectask, event), tagger=DAEMON_PERSON, when=envelope.time
    )
    return [record, feature], [tag]


def _tag_message(spectask: SpecTask, event: e.SpecApproved) -> str:
    lines = [f"{name}@{spectask.approvals[name].digest}" for name in documents_of(spectask)]
    return "\n".join([f"Spec of {spectask.id}, version {event.version}, approved by {event.person}", "", *lines]) + "\n"


def _author(spectask: SpecTask, envelope: e.Envelope) -> Person:
    actor = envelope.actor
    if actor.kind == "human" and actor.name:
        return Person(name=actor.name, email=actor.email or "unknown@localhost")
    if actor.kind == "session":
        run = actor.name.rpartition("/")[2]
        return Person(name=f"Specthread {run} {label(spectask.agent)}".strip(), email=f"{run}@specthread.localhost")
    return DAEMON_PERSON


def _message(spectask: SpecTask, event: e.Event, hide: Callable[[str], str]) -> str:
    match event:
        case e.SpecTaskCreated():
            return f"Create {spectask.id}\n\n{hide(event.prompt)}"
        case e.DocumentEdited():
            verb = {"planner": "Write", "human": "Edit", "tick": "Tick", "adopted": "Adopt"}[event.kind]
            return f"Tick task {event.task}" if event.task else f"{verb} {event.document}"
        case e.CommentAdded():
            return f"Comment on {event.document}: {_first_line(hide(event.text))}"
        case e.CommentAnswered():
            return f"Answer a comment: {_first_line(hide(event.text))}"
        case e.CommentResolved():
            return "Settle a comment"
        case e.SpecApproved():
            advance = " in advance" if event.in_advance else ""
            version = f" (v{event.version})" if event.version else ""
            return f"Approve {', '.join(name for name, _ in event.documents)}{advance}{version}"
        case e.ChangesRequested():
            return f"Request changes: {_first_line(hide(event.message)) or 'see the comments'}"
        case e.QuestionAnswered():
            return f"Answer {event.run.rpartition('/')[2]}: {_first_line(hide(event.answer))}"
        case e.SpecTaskAccepted():
            return f"Accept {event.feature[:12]}"
        case _:
            return _DECISIONS.get(type(event)) or _between_sessions(event, hide)


def _between_sessions(event: e.Event, hide: Callable[[str], str]) -> str:
    match event:
        case e.SessionSpawned():
            return f"Spawn {short(event.session)}: {_first_line(hide(event.work))}"
        case e.CoordinationSent():
            return f"{short(event.sender)}, {event.kind}: {_first_line(hide(event.text))}"
        case e.DecisionNoted():
            return f"Note a decision: {_first_line(hide(event.text))}"
        case e.PutQuestionAnswered():
            return f"Answer a question: {_first_line(hide(event.answer))}"
        case e.FactChanged():
            return f"{short(event.by)} sets {event.key} to version {event.version}"
        case _:
            return type(event).__name__


_DECISIONS: dict[type[e.Event], str] = {
    e.ImplementationStarted: "Start the implementation",
    e.SpecTaskCancelled: "Cancel",
    e.TaskSkipped: "Skip a task",
    e.BudgetRaised: "Raise the spending limit",
    e.PullRequestOpened: "Push and open the pull request",
}


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 60 else f"{line[:59]}…"  # noqa: PLR2004  a subject line fits in 72 columns


def _files(spectask: SpecTask, envelope: e.Envelope, secrets: Sequence[str]) -> dict[str, bytes | None]:
    event = envelope.event
    root = f".specs/{spectask.id}"
    files: dict[str, bytes | None] = {**standing_files(spectask, secrets)}
    if isinstance(event, e.DocumentEdited):
        files[event.path] = event.content
    elif isinstance(event, e.CommentAdded | e.CommentAnswered | e.CommentResolved):
        files[f"{root}/review/{event.comment}.json"] = comment_file(spectask.comments[event.comment], secrets)
    elif isinstance(event, e.SpecApproved):
        files[f"{root}/review/approvals.json"] = approvals_file(spectask)
    elif envelope.event.record in {"decision", "acceptance"}:
        # A log that is rebuilt counts from 1 again: the time keeps what was decided before.
        files[f"{root}/decisions/{envelope.time:%Y%m%dT%H%M%S}-{envelope.seq:06}.json"] = decision_file(spectask, envelope, secrets)
    elif isinstance(event, e.SessionSpawned | e.CoordinationSent | e.FactChanged):
        files[f"{root}/coordination/{envelope.time:%Y%m%dT%H%M%S}-{envelope.seq:06}.json"] = coordination_file(envelope, secrets)
    if isinstance(event, e.SpecTaskAccepted):
        files[f"{root}/report.md"] = report_file(spectask, secrets)
    return files
