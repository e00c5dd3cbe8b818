"""From the domain's values to the wire's: the only place that knows both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import msgspec

from specthread.domain.budget import spend_of
from specthread.domain.events import Envelope, Event
from specthread.domain.ids import SpecTaskId, TaskNumber
from specthread.domain.locks import Locks
from specthread.domain.model import ENDED_TASK_STATES, Document, Limits, Refusal, SpecTask, State
from specthread.domain.names import label
from specthread.domain.provider import ProviderState
from specthread.domain.react import task_order
from specthread.domain.run import WorkSession
from specthread.domain.run_options import RunOptions
from specthread.domain.runs import all_runs
from specthread.plan.capacity import ALONE, Crowd
from specthread.plan.waiting import why_task_waiting, why_waiting
from specthread.protocol import wire_params, wire_result, wire_view
from specthread.protocol.convert_comment import comment_views
from specthread.protocol.convert_coordination import fact_views, message_views
from specthread.protocol.convert_note import note_views
from specthread.protocol.convert_progress import progress_view
from specthread.protocol.convert_pull_request import pull_request_view
from specthread.protocol.convert_run import session_view, spend_view
from specthread.protocol.sentences import sentence
from specthread.protocol.wire_progress import ProgressView
from specthread.spec.document import Problem
from specthread.views.entries import Entry
from specthread.views.figures import figures
from specthread.views.progress import Need, approval_state, asked_by_provider, progress
from specthread.views.redaction import redacted, without_secrets


def refusal_view(refusal: Refusal) -> wire_view.RefusalView:
    """Returns a refusal as it travels."""
    return wire_view.RefusalView(code=refusal.code, message=refusal.message, hint=refusal.hint)


def limits_from(params: wire_params.LimitsParams, present: Limits) -> Limits:
    """Returns the limits with what the person chose; a chosen budget is never passed without asking."""
    stop = present.stop_usd if params.budget_usd is None else params.budget_usd
    return replace(
        present,
        max_parallel=params.max_parallel or present.max_parallel,
        warn_usd=min(present.warn_usd, stop),
        stop_usd=stop,
        user_set=present.user_set or params.budget_usd is not None,
        task_usd=present.task_usd if params.task_usd is None else params.task_usd,
        run_usd=present.run_usd if params.run_usd is None else params.run_usd,
    )


def _limits_view(limits: Limits) -> wire_view.LimitsView:
    return wire_view.LimitsView(
        max_parallel=limits.max_parallel,
        warn_usd=limits.warn_usd,
        stop_usd=limits.stop_usd,
        task_usd=limits.task_usd,
        run_usd=limits.run_usd,
    )


def options_from(params: wire_params.RunParams, present: RunOptions) -> RunOptions:
    """Returns the options with what the person chose."""
    return RunOptions(
        mode=params.mode or present.mode,
        priority=params.priority or present.priority,
        roles=present.roles if params.agents is None else tuple(dict.fromkeys(params.agents)),
        interactive=present.interactive if params.interactive is None else params.interactive,
        fail_fast=present.fail_fast if params.fail_fast is None else params.fail_fast,
    )


def event_view(envelope: Envelope, secrets: Sequence[str] = ()) -> wire_view.EventView:
    """Returns an event as clients get it, without secrets."""
    return wire_view.EventView(
        seq=envelope.seq,
        instance=envelope.instance,
        spectask=envelope.spectask,
        time=envelope.time,
        actor=str(envelope.actor),
        kind=type(envelope.event).__name__,
        payload=without_secrets(_payload(envelope.event), secrets),
        text=redacted(sentence(envelope.event), secrets),
    )


def _payload(event: Event) -> dict[str, Any]:
    """Returns the event's fields but for document texts: those are read with `review`, and may be large."""
    values = {each.name: getattr(event, each.name) for each in fields(event)}
    return {name: msgspec.to_builtins(value) for name, value in values.items() if not isinstance(value, bytes)}


def entry_view(entry: Entry) -> wire_view.EntryView:
    """Returns an entry of a transcript."""
    return wire_view.EntryView(
        seq=entry.seq, time=entry.time, kind=entry.kind, text=entry.text, who=entry.who, tool_use=entry.tool_use, wrong=entry.wrong
    )


def summary_view(
    state: State, spectask: SpecTask, now: datetime, crowd: Crowd = ALONE, secrets: Sequence[str] = ()
) -> wire_view.SpecTaskSummary:
    """Returns a SpecTask as one line, made once for each value: an overview of hundreds costs what changed. One at work also hangs on others and on time."""
    around = (now, state.locks, crowd, secrets) if spectask.state in _AT_WORK else None
    known = _SUMMARIES.get(spectask.id)
    if known is None or known[0] is not spectask or not _holds(known[1], around):
        view = progress_view(figures(state, spectask, now, crowd, secrets, depth=spectask.state not in ENDED_TASK_STATES))
        known = (spectask, around, wire_view.SpecTaskSummary(**_summary(state, spectask, crowd, view, secrets)))
        if len(_SUMMARIES) >= _MOST_SUMMARIES:
            _SUMMARIES.clear()
        _SUMMARIES[spectask.id] = known
    return known[2]


_Around = tuple[datetime, Locks, Crowd, Sequence[str]] | None
_SUMMARIES: dict[SpecTaskId, tuple[SpecTask, _Around, wire_view.SpecTaskSummary]] = {}
_MOST_SUMMARIES = 10_000
_AT_WORK = frozenset({"planning", "revising", "implementing"})


def _holds(then: _Around, now: _Around) -> bool:
    if then is None or now is None:
        return then is now
    return 0 <= (now[0] - then[0]).total_seconds() < 1 and then[1] is now[1] and then[2:] == now[2:]


def _summary(state: State, spectask: SpecTask, crowd: Crowd, view: ProgressView, secrets: Sequence[str]) -> dict[str, Any]:
    made = progress(spectask, secrets)
    return {
        "id": spectask.id,
        "prompt": spectask.prompt,
        "repository": spectask.repository,
        "state": spectask.state,
        "why": redacted(why_waiting(state, spectask.id, crowd), secrets),
        "flow": spectask.flow,
        "agent": spectask.agent,
        "label": label(spectask.agent),
        "created": spectask.created,
        "updated": spectask.updated or spectask.created,
        "total": made.total,
        "merged": made.merged,
        "skipped": made.skipped,
        "progress": view,
        "cost_usd": made.spend.cost_usd,
        "unknown_calls": made.spend.unknown_calls,
        "needs": [_need_view(need) for need in (*made.needs, *asked_by_provider(spectask, crowd.asks))],
    }


def provider_view(provider: ProviderState) -> wire_view.ProviderView:
    """Returns how a provider of model calls stands."""
    return wire_view.ProviderView(
        name=provider.name,
        limit=provider.limit,
        most=provider.most,
        in_flight=provider.in_flight,
        free=provider.free,
        waiting=list(provider.waiting),
        circuit=provider.circuit,
        reason=provider.reason,
        again=provider.again,
        trouble=provider.trouble,
    )


def spectask_view(
    state: State,
    spectask: SpecTask,
    *,
    desk: str,
    target: wire_view.TargetView,
    cautions: Sequence[str] = (),
    now: datetime,
    crowd: Crowd = ALONE,
    secrets: Sequence[str] = (),
) -> wire_view.SpecTaskView:
    """Returns everything a page about the SpecTask shows; `secrets` are shown to nobody."""
    view = progress_view(figures(state, spectask, now, crowd, secrets))
    return wire_view.SpecTaskView(
        **_summary(state, spectask, crowd, view, secrets),
        base=spectask.base,
        target=spectask.target or "",
        target_behind=target.behind,
        target_conflicts=target.conflicts,
        has_landed=target.has_landed,
        pull_request=pull_request_view(spectask.pull_request) if spectask.pull_request else None,
        warnings=[*spectask.warnings, *cautions],
        trouble=redacted(spectask.trouble, secrets),
        reason=redacted(spectask.reason, secrets),
        outside=spectask.outside,
        review_mode=spectask.review_mode,
        execute=spectask.execute,
        in_advance=spectask.advance,
        paused=spectask.paused,
        owner=spectask.owner.name,
        limits=_limits_view(spectask.limits),
        documents=document_views(spectask),
        options=_options_view(spectask.options),
        tasks=task_views(spectask, crowd, secrets),
        sessions=[session_view(state, run, now, crowd, secrets) for run in all_runs(spectask) if isinstance(run, WorkSession)],
        planning=[session_view(state, run, now, crowd, secrets) for run in spectask.plans],
        messages=message_views(spectask),
        facts=fact_views(spectask),
        notes=note_views(spectask),
        comments=comment_views(spectask),
        versions=[
            wire_view.VersionView(
                number=version.number, tag=version.tag, specs=version.specs, feature=version.feature, digests=dict(version.digests)
            )
            for version in spectask.versions
        ],
        spend=spend_view(spend_of(spectask)),
        branches=_branches(spectask),
        final=spectask.final or "",
        accepted_by=spectask.accepted_by,
        desk=desk,
        dialect=spectask.dialect,
        adopted=spectask.adopted,
    )


def _need_view(need: Need) -> wire_view.NeedView:
    return wire_view.NeedView(
        kind=need.kind, run=need.run or "", text=need.text, choices=list(need.choices), question=need.question, task=need.task
    )


def _branches(spectask: SpecTask) -> wire_view.BranchesView:
    stem = f"spectask/{spectask.id}"
    return wire_view.BranchesView(
        specs=f"{stem}/specs" if spectask.specs else "",
        feature=f"{stem}/feature" if spectask.feature else "",
        sessions={run.id: f"spectask/{run.id}" for run in all_runs(spectask) if isinstance(run, WorkSession)},
    )


def document_views(spectask: SpecTask) -> list[wire_view.DocumentView]:
    """Returns the documents of the flow in reading order, those not written yet among them."""
    return [_document_view(spectask, each.name, spectask.documents.get(each.name)) for each in progress(spectask).documents]


def _document_view(spectask: SpecTask, name: str, document: Document | None) -> wire_view.DocumentView:
    approval = spectask.approvals.get(name)
    return wire_view.DocumentView(
        name=name,
        path=document.path if document else "",
        digest=document.digest if document else "",
        approval=approval_state(spectask, name),
        approved_by=approval.person if approval else "",
        approved_in_advance=approval.in_advance if approval else False,
        author=document.author if document else "",
    )


def review_documents(spectask: SpecTask) -> list[wire_result.ReviewDocument]:
    """Returns the written documents with their text and the text last approved."""
    views = [view for view in document_views(spectask) if view.digest]
    return [
        wire_result.ReviewDocument(
            **dict(view),
            text=spectask.documents[view.name].content.decode("utf-8", "replace"),
            approved_text=spectask.approvals[view.name].content.decode("utf-8", "replace") if view.name in spectask.approvals else "",
            sent_back_text=spectask.sent_back.get(view.name, b"").decode("utf-8", "replace"),
        )
        for view in views
    ]


def _options_view(options: RunOptions) -> wire_view.OptionsView:
    return wire_view.OptionsView(
        mode=options.mode,
        priority=options.priority,
        agents=list(options.roles),
        interactive=options.interactive,
        fail_fast=options.fail_fast,
    )


def task_views(spectask: SpecTask, crowd: Crowd = ALONE, secrets: Sequence[str] = ()) -> list[wire_view.TaskView]:
    """Returns the tasks in the order of their numbers."""
    return [_task_view(spectask, number, crowd, secrets) for number in sorted(spectask.tasks, key=task_order)]


def _task_view(spectask: SpecTask, number: TaskNumber, crowd: Crowd, secrets: Sequence[str]) -> wire_view.TaskView:
    task = spectask.tasks[number]
    return wire_view.TaskView(
        number=number,
        title=task.plan.title,
        state=task.state,
        why=redacted(why_task_waiting(spectask, number, crowd), secrets),
        role=task.plan.role,
        check=task.plan.check,
        requires=list(task.plan.requires),
        depends=list(task.plan.depends),
        files=list(task.plan.files),
        when=[str(condition) for condition in task.plan.conditions],
        optional=task.plan.optional,
        session=task.session or "",
        merged=task.merged or "",
        weak=task.weak,
        recheck=task.recheck,
    )


def problem_view(problem: Problem) -> wire_view.ProblemView:
    """Returns a finding of the linter."""
    return wire_view.ProblemView(
        document=problem.document, line=problem.line, code=problem.code, severity=problem.severity, message=problem.message
    )
