"""The folds of a SpecTask's first event: it was asked for, or read back from git as it stood there."""

from __future__ import annotations

from dataclasses import replace

from immutables import Map

from specthread.domain import events as e
from specthread.domain.model import SpecTask, Version
from specthread.domain.run_options import RunOptions


def created(envelope: e.Envelope, event: e.SpecTaskCreated) -> SpecTask:
    """Returns a SpecTask that somebody has just asked for."""
    return SpecTask(
        id=envelope.spectask,
        prompt=event.prompt,
        repository=event.repository,
        base=event.base,
        target=event.target,
        warnings=event.warnings,
        flow=event.flow,
        agent=event.agent,
        review_mode=event.review_mode,
        execute=event.execute,
        advance=event.advance,
        owner=envelope.actor,
        created=envelope.time,
        limits=event.limits,
        dialect=event.dialect,
        options=RunOptions(priority=event.priority),
    )


def rebuilt(envelope: e.Envelope, event: e.SpecTaskRebuilt, known: SpecTask | None) -> SpecTask:
    """Returns the SpecTask; whatever carried a sequence number of the lost log is older than everything in this one.

    Of what was `known` of it only that stays which git cannot tell.
    """
    return replace(
        created(envelope, event.asked),
        owner=event.owner,
        created=event.created,
        adopted=event.adopted,
        state=event.state,
        before=event.before,
        stopped_from=event.stopped_from,
        reason=event.reason,
        paused=event.paused,
        all_chosen=event.chosen is None,
        chosen=frozenset(event.chosen or ()),
        documents=Map({document.name: replace(document, seq=0) for document in event.documents}),
        approvals=Map({approval.document: replace(approval, seq=0) for approval in event.approvals}),
        versions=tuple(_version(version) for version in event.versions),
        # Their order is that of the lost log, and before everything that this one adds.
        comments=Map({comment.id: replace(comment, seq=place - len(event.comments)) for place, comment in enumerate(event.comments)}),
        plans=event.plans,
        reviews=event.reviews,
        tasks=Map({task.plan.number: task for task in event.tasks}),
        sessions=Map({session.id: session for session in event.sessions}),
        specs=event.specs,
        feature=event.feature,
        final=event.final,
        was_final=event.final is not None,
        accepted_seq=envelope.seq if event.accepted_by else 0,
        accepted_by=event.accepted_by,
        put_away=event.put_away,
        options=event.options,
        allowed=frozenset(event.allowed),
        messages=tuple(replace(message, seq=0) for message in event.messages),
        facts=Map({fact.key: fact for fact in event.facts}),
        shared_answers=event.shared_answers,
        pull_request=known.pull_request if known else None,
    )


def _version(version: e.RebuiltVersion) -> Version:
    return Version(
        number=version.number,
        digests=version.digests,
        contents=Map(dict(version.contents)),
        specs=version.specs,
        feature=version.feature,
        tag=version.tag,
    )
