"""Folds of the calls of a run to its model: what was reserved, what it cost, and what is charged where nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from specthread.domain import events as e
from specthread.domain.copying import replace
from specthread.domain.doing import doing_of
from specthread.domain.model import SpecTask
from specthread.domain.run import AnyRun
from specthread.domain.runs import find_run, with_run
from specthread.domain.usage import Usage


def charged(run: AnyRun) -> AnyRun:
    """Returns a run whose open call costs what was reserved for it: nobody knows what it does cost, unless its end is heard of after all."""
    if not run.open_call or run.charged_usd is not None:
        return run
    reserved = run.spend.reserved_usd
    spend = replace(run.spend, cost_usd=run.spend.cost_usd + reserved, reserved_usd=Decimal(0), unknown_calls=run.spend.unknown_calls + 1)
    return replace(run, spend=spend, charged_usd=reserved, day_usd=run.day_usd + reserved)


def _uncharged(run: AnyRun) -> AnyRun:
    """Returns a run as it was before its open call was charged."""
    if run.charged_usd is None:
        return run
    cost = run.spend.cost_usd - run.charged_usd
    spend = replace(run.spend, cost_usd=cost, reserved_usd=run.charged_usd, unknown_calls=run.spend.unknown_calls - 1)
    return replace(run, spend=spend, charged_usd=None, day_usd=run.day_usd - run.charged_usd)


def _on(run: AnyRun, day: date | None) -> AnyRun:
    """Returns the run on this day: a new one begins with nothing spent, an earlier one, as a clock that was set back tells it, is still the same.

    While a stopped call may still be heard of, the day on which it was charged goes on: no other one has kept room for it.
    """
    if day is None or run.charged_usd is not None or (run.day is not None and day <= run.day):
        return run
    return replace(run, day=day, day_usd=Decimal(0))


def _call_started(spectask: SpecTask, _: e.Envelope, event: e.CallStarted) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None:
        return spectask
    spend = replace(run.spend, calls=event.call, reserved_usd=event.reserved_usd or Decimal(0))
    return with_run(spectask, replace(_on(replace(run, charged_usd=None), event.day), spend=spend, open_call=event.call, busy=1))


def _call_finished(spectask: SpecTask, _: e.Envelope, event: e.CallFinished) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None:
        return spectask
    run = _uncharged(_on(run, event.day))
    usage = event.usage or Usage(input=event.input_tokens, output=event.output_tokens)
    run = _paid(run, usage, event.cost_usd or Decimal(0), is_known=event.cost_usd is not None)
    tools = sum(block.get("kind") == "tool_use" for block in event.reply.get("content", ()))
    doing = doing_of(event.reply)
    return with_run(spectask, replace(run, open_call=0, turn=event.turn, doing=doing, faults=0, fault="", busy=tools))


def _call_lost(spectask: SpecTask, _: e.Envelope, event: e.CallLost) -> SpecTask:
    run = find_run(spectask, event.run)
    if run is None:
        return spectask
    run = _uncharged(_on(run, event.day))
    # Nobody knows what a lost call cost: what was reserved for it stays charged.
    cost = event.cost_usd if event.cost_usd is not None else run.spend.reserved_usd
    run = _paid(run, event.usage or Usage(), cost, is_known=event.cost_usd is not None)
    return with_run(spectask, replace(run, open_call=0, faults=run.faults + 1, fault=event.reason, busy=0))


def _paid(run: AnyRun, usage: Usage, cost: Decimal, *, is_known: bool) -> AnyRun:
    spend = run.spend
    paid = replace(
        spend,
        input_tokens=spend.input_tokens + usage.sent,
        output_tokens=spend.output_tokens + usage.output,
        cache_read=spend.cache_read + usage.cache_read,
        cache_write=spend.cache_write + usage.cache_write + usage.cache_write_1h,
        cost_usd=spend.cost_usd + cost,
        unknown_calls=spend.unknown_calls + (not is_known),
        reserved_usd=Decimal(0),
    )
    return replace(run, spend=paid, day_usd=run.day_usd + cost)


def _tool_finished(spectask: SpecTask, _: e.Envelope, event: e.ToolFinished) -> SpecTask:
    run = find_run(spectask, event.run)
    return with_run(spectask, replace(run, busy=max(0, run.busy - 1))) if run else spectask


CALL_FOLDS: dict[type[e.Event], Callable[[SpecTask, e.Envelope, Any], SpecTask]] = {
    e.CallStarted: _call_started,
    e.CallFinished: _call_finished,
    e.CallLost: _call_lost,
    e.ToolFinished: _tool_finished,
}
"""Folds by event class, joined into `fold_run.RUN_FOLDS`."""
