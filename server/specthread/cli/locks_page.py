"""The page of resources: who holds which, who waits, and what happened so far."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from specthread.cli.outcome import clean
from specthread.cli.screen import moment, span
from specthread.protocol.wire_locks import HolderView, InLineView, LocksResult, LockStatisticsView, ResourceView


def locks_page(result: LocksResult) -> RenderableType:
    """Returns each resource with its holders, its line and its statistics."""
    if not result.resources:
        return Text("No resource is in use or was, and none is configured. A task names those it needs: _Uses: database:test_.")
    limits = f"An agent waits {span(result.usual_wait)} where it names no time, and {span(result.most_wait)} at most; a task waits for what it uses as long as it takes."
    return Group(*(part for view in result.resources for part in _block(view)), Text(limits, style="bright_black"))


def _block(view: ResourceView) -> Iterator[Text]:
    yield Text.assemble((clean(view.resource), "bold"), (_place(view), "bright_black"))
    for holder in view.holders:
        yield Text(f"  held by {_who(holder)}, {_mode(holder)}, since {moment(holder.since)} ({span(holder.seconds)})")
    if not view.holders:
        yield Text("  held by nobody")
    for number, waiting in enumerate(view.line, 1):
        yield Text(f"  {number}. {_waits(waiting)}", style="yellow")
    if view.statistics.taken or view.statistics.timeouts:
        yield Text(f"  {_told(view.statistics)}", style="bright_black")


def _place(view: ResourceView) -> str:
    where = f"  {clean(view.repository)}" if view.repository else ""
    return f"{where}  shared by {view.capacity} at most" if view.capacity is not None else where


def _who(one: HolderView | InLineView) -> str:
    name = one.session or one.spectask
    return clean(f"{name} (task {one.task})" if one.task else name)


def _mode(one: HolderView | InLineView) -> str:
    return "alone" if one.mode == "exclusive" else "shared"


def _waits(one: InLineView) -> str:
    if one.since is None:
        return f"{_who(one)} begins when it is free: {clean(one.why)}"
    until = f", gives up at {moment(one.gives_up)}" if one.gives_up else ""
    return f"{_who(one)} waits {span(one.seconds)} to have it {_mode(one)}{until}: {clean(one.why)}"


def _told(known: LockStatisticsView) -> str:
    parts = [f"taken {_times(known.taken)}, held {span(known.held)} in all"]
    if known.waited:
        parts.append(f"waited for {_times(known.waited)} (median {_wait(known.median_wait)}, longest {_wait(known.longest_wait)})")
    if known.timeouts:
        parts.append(f"{known.timeouts} gave up")
    if known.deadlocks:
        last = dict.fromkeys(reversed(known.victims))
        parts.append(f"{known.deadlocks} deadlock{'' if known.deadlocks == 1 else 's'} resolved (gave way: {clean(', '.join(last))})")
    if known.taken_back:
        parts.append(f"taken back {_times(known.taken_back)}")
    return "; ".join(parts)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _wait(seconds: float) -> str:
    return span(seconds) if seconds >= 1 else f"{seconds * 1000:.0f}ms"
