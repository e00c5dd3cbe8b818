"""The fold of a SpecTask that was read back from git: its first event, and a whole state."""

from __future__ import annotations

from dataclasses import replace

from immutables import Map

from specthread.domain import events as e
from specthread.domain.model import SpecTask, Version


def rebuilt(envelope: e.Envelope, event: e.SpecTaskRebuilt) -> SpecTask:
    """Returns the SpecTask; whatever carried a sequence number of the lost log is older than everything in this one."""
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
        execute=False,
        advance=False,
        owner=event.owner,
        created=event.created,
        limits=event.limits,
        dialect=event.dialect,
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
        tasks=Map({task.plan.number: task for task in event.tasks}),
        sessions=Map({session.id: session for session in event.sessions}),
        specs=event.specs,
        feature=event.feature,
        final=event.final,
        accepted_seq=envelope.seq if event.accepted_by else 0,
        accepted_by=event.accepted_by,
        put_away=event.put_away,
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
