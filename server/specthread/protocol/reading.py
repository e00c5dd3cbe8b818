"""Requests that read the visible state and change nothing."""

from __future__ import annotations

import asyncio
import os
import resource as usage
from collections import Counter
from pathlib import Path

from specthread import __version__
from specthread.domain.approval import valid_approval
from specthread.domain.budget import spend_of
from specthread.domain.family import work_of
from specthread.domain.model import Refusal, SpecTask
from specthread.domain.names import label, spectask_of
from specthread.domain.planned import linted, parsed
from specthread.domain.run import WORKING_RUN_STATES, AnyRun, Spend, WorkSession
from specthread.domain.runs import all_runs
from specthread.plan.dag import build_dag
from specthread.protocol import convert, convert_run, wire_params, wire_result
from specthread.protocol.find import find_run
from specthread.protocol.request import Answer, Request, named_spectask
from specthread.protocol.wire_progress import AtWorkView
from specthread.protocol.wire_view import CommentView, SessionView
from specthread.spec.anchor import Anchor, locate_all
from specthread.spec.document import Problem
from specthread.views.cost import SPLIT, CallCost, by_requirement, by_role, calls_of
from specthread.views.entries import entries
from specthread.views.report import report_markdown


async def list_spectasks(request: Request, params: wire_params.ListParams) -> Answer:
    """Lists SpecTasks: those that need a human first, then the last changed."""
    state = request.ports.engine.visible
    wanted = await request.ports.checkouts_at(Path(params.repository)) if params.repository else frozenset()
    chosen = [
        spectask
        for spectask in state.spectasks.values()
        if (params.archived or spectask.state != "archived" or spectask.troubles)
        and (not params.repository or spectask.repository in wanted)
    ]
    chosen.sort(key=lambda spectask: spectask.updated or spectask.created, reverse=True)
    crowd, now, secrets = request.ports.engine.crowd, request.ports.clock(), request.ports.secrets
    # What was not asked for before takes a fifth of a millisecond each.
    views = await asyncio.to_thread(lambda: [convert.summary_view(state, spectask, now, crowd, secrets) for spectask in chosen])
    return wire_result.ListResult(spectasks=sorted(views, key=lambda view: not view.needs))


async def show(request: Request, params: wire_params.SpecTaskParams) -> Answer:
    """Shows everything about one SpecTask."""
    found = named_spectask(request, params.id)
    return found if isinstance(found, Refusal) else await request.view(found.id)


async def report(request: Request, params: wire_params.SpecTaskParams) -> Answer:
    """Writes the report of a SpecTask as it is now."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    try:
        index = await request.ports.trace_of(found)
    except Exception as error:
        # A repository that cannot be read leaves the report without code, not the person without a report.
        if request.ports.fault_of(error) is None:
            raise
        index = None
    markdown = await asyncio.to_thread(report_markdown, found, (), index)
    return wire_result.ReportResult(spectask=found.id, markdown=markdown)


async def cost(request: Request, params: wire_params.CostParams) -> Answer:
    """Adds up what was spent, by run, role and requirement, and of one SpecTask call by call."""
    if params.calls and not params.id:
        return Refusal(code="no-id", message="Calls are told of one SpecTask.", hint="Name it: `specthread cost ID --calls`.")
    if params.id:
        found = named_spectask(request, params.id)
        if isinstance(found, Refusal):
            return found
        spectasks = [found]
    else:
        spectasks = list(request.ports.engine.visible.spectasks.values())
    calls = calls_of(await request.ports.engine.read_events(spectasks[0].id)) if params.calls else ()
    requirements = by_requirement(spectasks[0]) if params.id else {}
    return wire_result.CostResult(
        runs=[_run_cost(run) for spectask in spectasks for run in all_runs(spectask)],
        total=convert_run.spend_view(sum((spend_of(spectask) for spectask in spectasks), Spend())),
        roles=[wire_result.RoleCost(role=role, spend=convert_run.spend_view(spend)) for role, spend in by_role(spectasks).items()],
        requirements=[wire_result.RequirementCost(requirement=name, cost_usd=usd) for name, usd in requirements.items()],
        calls=[_call_cost(call) for call in calls],
        note=SPLIT if requirements else "",
    )


def _call_cost(call: CallCost) -> wire_result.CallCost:
    used = call.usage
    return wire_result.CallCost(
        run=call.run,
        call=call.call,
        turn=call.turn,
        time=call.time,
        model=call.model,
        request_id=call.request_id,
        input_tokens=used.sent,
        cache_read=used.cache_read,
        cache_write=used.cache_write,
        cache_write_1h=used.cache_write_1h,
        output_tokens=used.output,
        estimated=used.estimated,
        cost_usd=call.usd,
        price=call.price_version,
        cached=call.cached,
        fault=call.fault,
    )


def _run_cost(run: AnyRun) -> wire_result.RunCost:
    spectask, _, name = run.id.rpartition("/")
    return wire_result.RunCost(
        spectask=spectask,
        run=name,
        task=run.task if isinstance(run, WorkSession) else "",
        role=run.role,
        agent=run.agent,
        status=run.state,
        spend=convert_run.spend_view(run.spend),
    )


async def history(request: Request, params: wire_params.HistoryParams) -> Answer:
    """Reads the events of a SpecTask or of one of its runs."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    run = find_run(request.ports.engine.visible, f"{found.id}/{params.run.rpartition('/')[2]}") if params.run else None
    if isinstance(run, Refusal):
        return run
    envelopes = await request.ports.engine.read_events(found.id, params.since, run.id if run else None, params.limit + 1)
    events = [convert.event_view(envelope, request.ports.secrets) for envelope in envelopes[: params.limit]]
    return wire_result.HistoryResult(events=events, more=len(envelopes) > params.limit)


async def transcript(request: Request, params: wire_params.TranscriptParams) -> Answer:
    """Reads what was said in a run."""
    state = request.ports.engine.visible
    run = find_run(state, params.run)
    if isinstance(run, Refusal):
        return run
    envelopes = await request.ports.engine.read_events(spectask_of(run.id), params.since, run.id, params.limit + 1)
    page = envelopes[: params.limit]
    state = request.ports.engine.visible
    spectask = state.spectasks[spectask_of(run.id)]
    run = next(each for each in all_runs(spectask) if each.id == run.id)
    return wire_result.TranscriptResult(
        session=convert_run.session_view(state, run, request.ports.clock(), request.ports.engine.crowd, request.ports.secrets),
        title=work_of(spectask, run).title if isinstance(run, WorkSession) else "Planning",
        label=label(run.agent),
        entries=[convert.entry_view(entry) for entry in entries(page, request.ports.secrets)],
        seq=page[-1].seq if page else params.since,
        more=len(envelopes) > params.limit,
    )


async def review(request: Request, params: wire_params.SpecTaskParams) -> Answer:
    """Shows what a reviewer reads, with the comments that the planner settled since they were made."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    problems, lines = await asyncio.to_thread(lambda: (_problems(found), _comment_lines(found)))
    view = await request.view(found.id)
    return wire_result.ReviewResult(
        spectask=found.id,
        state=found.state,
        why=view.why,
        desk=view.desk,
        documents=convert.review_documents(found),
        problems=[convert.problem_view(problem) for problem in problems],
        comments=[
            comment.model_copy(update={"line": comment.line if comment.resolved else lines[comment.id]})
            for comment in view.comments
            if not comment.resolved or _became_of(found, comment)
        ],
    )


def _became_of(spectask: SpecTask, comment: CommentView) -> bool:
    """Tells whether a settled comment shows what became of it: the planner answered, and nobody has approved that yet."""
    return comment.resolved == "text-gone" and bool(comment.answer) and valid_approval(spectask, comment.document) is None


def _problems(spectask: SpecTask) -> tuple[Problem, ...]:
    """Returns what is wrong with the documents; long ones take a tenth of a second, so this runs in a thread."""
    contents = {name: document.content for name, document in spectask.documents.items()}
    graph = build_dag(parsed(contents["tasks"], spectask.dialect)).problems if "tasks" in contents else ()
    return (*linted(contents, spectask.dialect), *graph)


def _comment_lines(spectask: SpecTask) -> dict[str, int]:
    """Returns where the words of each comment are now; 0 where they are gone."""
    lines: dict[str, int] = {}
    for name in {comment.document for comment in spectask.comments.values()}:
        about = [comment for comment in spectask.comments.values() if comment.document == name]
        content = spectask.documents[name].content if name in spectask.documents else b""
        found = locate_all(content, [Anchor(quote=each.quote, section=each.section, line=each.line) for each in about])
        lines |= {str(comment.id): line or 0 for comment, line in zip(about, found, strict=True)}
    return lines


async def sessions(request: Request, params: wire_params.SpecTaskParams) -> Answer:
    """Lists the runs of a SpecTask."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    state, now, held = request.ports.engine.visible, request.ports.clock(), request.ports.engine.crowd
    views: list[SessionView] = [convert_run.session_view(state, run, now, held, request.ports.secrets) for run in all_runs(found)]
    return wire_result.SessionsResult(spectask=found.id, sessions=views)


async def subscribe(request: Request, params: wire_params.SubscribeParams) -> Answer:
    """Follows all events."""
    engine = request.ports.engine
    fresh = bool(params.instance) and params.instance != engine.instance
    since = 0 if fresh else engine.visible.sequence if params.since is None else params.since
    request.client.follow(since, None)
    return wire_result.Subscribed(instance=engine.instance, seq=since, fresh=fresh)


async def watch(request: Request, params: wire_params.WatchParams) -> Answer:
    """Follows the events of one SpecTask."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    engine = request.ports.engine
    since = engine.visible.sequence if params.since is None else params.since
    request.client.follow(since, found.id)
    return wire_result.Subscribed(instance=engine.instance, seq=since, fresh=False)


async def status(request: Request, params: wire_params.NoParams) -> Answer:  # noqa: ARG001  every handler has the same form
    """Says how the daemon is."""
    engine = request.ports.engine
    return wire_result.StatusResult(
        version=__version__,
        pid=os.getpid(),
        instance=engine.instance,
        seq=engine.visible.sequence,
        state_folder=str(request.ports.state_folder),
        uptime=max(0.0, (request.ports.clock() - request.ports.started).total_seconds()),
        memory=usage.getrusage(usage.RUSAGE_SELF).ru_maxrss * 1024,
        clients=request.clients,
        spectasks=dict(Counter(spectask.state for spectask in engine.visible.spectasks.values())),
        live=_live(request),
        at_work=_at_work(request),
        trouble=engine.trouble,
        hindrance=await request.ports.hindrance(),
        statistics=await engine.statistics(),
        providers=[convert.provider_view(provider) for provider in engine.providers],
    )


async def logs(request: Request, params: wire_params.LogsParams) -> Answer:
    """Reads the end of the daemon's log."""
    return wire_result.LogsResult(lines=await request.ports.log_lines(params.lines))


async def stop(request: Request, params: wire_params.NoParams) -> Answer:  # noqa: ARG001  every handler has the same form
    """Stops the daemon once this is answered."""
    request.ports.stop()
    return wire_result.StopResult(live=_live(request))


async def allow(request: Request, params: wire_params.AllowParams) -> Answer:
    """Shows what a repository wants to run or permit, or allows exactly that."""
    if params.fingerprint:
        return await request.ports.allow(Path(params.path), params.fingerprint)
    return await request.ports.powers_at(Path(params.path))


def _at_work(request: Request) -> list[AtWorkView]:
    """Returns the SpecTasks that somebody works for, with the figures that an overview shows."""
    state, crowd, now = request.ports.engine.visible, request.ports.engine.crowd, request.ports.clock()
    found = [each for each in state.spectasks.values() if any(run.state in WORKING_RUN_STATES for run in all_runs(each))]
    views = [convert.summary_view(state, each, now, crowd, request.ports.secrets) for each in found]
    return [AtWorkView(id=each.id, state=each.state, progress=each.progress) for each in views]


def _live(request: Request) -> int:
    spectasks = request.ports.engine.visible.spectasks.values()
    return sum(run.state in WORKING_RUN_STATES for spectask in spectasks for run in all_runs(spectask))
