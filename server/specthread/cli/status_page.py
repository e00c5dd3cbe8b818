"""What `status` looks like in a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from specthread.cli.outcome import clean
from specthread.cli.pages import table
from specthread.cli.screen import span
from specthread.protocol.wire_result import StatusResult


def status_page(result: StatusResult) -> RenderableType:
    """Returns how the daemon is."""
    made = table("", "")
    made.show_header = False
    counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(result.spectasks.items()))
    rows = {
        "daemon": f"version {result.version}, process {result.pid}, up {span(result.uptime)}",
        "state": result.state_folder,
        "memory": f"{result.memory // 1_000_000} MB at most so far",
        "clients": str(result.clients),
        "SpecTasks": counts or "none",
        "sessions": f"{result.live} at work",
        "events": str(result.seq),
    }
    for name, value in rows.items():
        made.add_row(name, value)
    for each in result.at_work:
        made.add_row("at work", Text(f"{each.id}  {each.progress.percent} %  {each.progress.left or each.progress.waits}"))
    cache = result.statistics.get("cache", {})
    if cache.get("hits") or cache.get("misses"):
        made.add_row(
            "cache", f"{cache['hit_rate']:.0%} of {cache['hits'] + cache['misses']} questions known, {cache['bytes'] / 1e6:.1f} MB"
        )
    for provider in result.providers:
        if provider.trouble or provider.in_flight or provider.waiting:
            calls = f"{provider.in_flight} of {provider.limit} calls at once, {len(provider.waiting)} wait"
            said = f"{clean(provider.name)}: {f'{clean(provider.trouble)}; ' if provider.trouble else ''}{calls}"
            made.add_row("provider", Text(said, style="yellow" if provider.trouble else ""))
    if result.trouble:
        made.add_row("trouble", Text(clean(result.trouble), style="red"))
    return made
