"""The request that follows requirements to tasks, commits, code and tests, and the form in which the trace of any spec travels."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from difflib import get_close_matches

from specthread.domain.model import Refusal
from specthread.domain.text import sound_text
from specthread.protocol import wire_params, wire_result, wire_trace
from specthread.protocol.request import Answer, Request, named_spectask
from specthread.views.trace import Mention, TraceIndex
from specthread.views.trace_rows import TraceRow, gaps_in, rows, rows_named
from specthread.views.trace_spectask import home_of_spectask

LONGEST_TEXT = 200
"""Characters of a line of code that are shown."""


async def trace(request: Request, params: wire_params.TraceParams) -> Answer:
    """Follows the requirements of a SpecTask."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    index = await request.ports.trace_of(found)
    return await asyncio.to_thread(trace_result, index, home_of_spectask(found), found.id, params.requirement)


def trace_result(index: TraceIndex, home: str, spec: str, requirement: str) -> wire_result.TraceResult | Refusal:
    """Returns the trace of the spec at a home, or of one of its requirements; long specs take a moment."""
    known = rows(index, home)
    shown = rows_named(known, requirement) if requirement else known
    if requirement and not shown:
        return _unknown(known, spec, requirement)
    return wire_result.TraceResult(
        spec=spec, requirements=[_row_view(row) for row in shown], gaps=gaps_in(shown), passed_over=len(index.passed_over)
    )


def _unknown(known: Sequence[TraceRow], spec: str, requirement: str) -> Refusal:
    ids = [row.symbol.id for whole in known for row in (whole, *whole.criteria)]
    near = get_close_matches(requirement, ids, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Its requirements are {', '.join(ids[:10])}{', …' if len(ids) > 10 else ''}."  # noqa: PLR2004  a line
    return Refusal(
        code="unknown-requirement",
        message=f"{spec} has no requirement {requirement}.",
        hint=hint if ids else "It has no requirements yet.",
    )


def _row_view(row: TraceRow) -> wire_trace.TraceRowView:
    return wire_trace.TraceRowView(
        kind=row.symbol.kind,
        id=sound_text(row.symbol.id),
        title=sound_text(row.title),
        document=row.document,
        line=row.line,
        tasks=[wire_trace.TraceTaskView(id=task.id, title=sound_text(task.title), state=task.state, line=task.line) for task in row.tasks],
        properties=list(row.properties),
        sessions=[wire_trace.TraceSessionView(id=each.id, task=each.task, state=each.state) for each in row.sessions],
        commits=[wire_trace.TraceCommitView(oid=each.oid, subject=sound_text(each.subject), session=each.session) for each in row.commits],
        code=[_mention_view(mention) for mention in row.code],
        tests=[_mention_view(mention) for mention in row.tests],
        gaps=list(row.gaps),
        criteria=[_row_view(criterion) for criterion in row.criteria],
    )


def _mention_view(mention: Mention) -> wire_trace.MentionView:
    text = sound_text(mention.marker.text.strip()[:LONGEST_TEXT])
    return wire_trace.MentionView(path=sound_text(mention.path), line=mention.marker.span.line, text=text, sure=mention.is_sure)
