"""A dry run in a terminal: what would be done in which order, how long, for how much, and what would be asked."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from specthread.cli.outcome import clean
from specthread.cli.pages import Told, first_line
from specthread.cli.screen import money, span
from specthread.protocol.wire_progress import RangeView
from specthread.protocol.wire_result import AskView, ForecastTaskView, ForecastView, RunResult


def forecast_page(result: RunResult) -> RenderableType:
    """Returns the page of a dry run; it has a forecast."""
    forecast = result.forecast
    if forecast is None:
        raise ValueError("only a dry run has a forecast")
    parts = [_head(result, forecast), Text(), _tasks(forecast.tasks), Text(), _sums(result, forecast)]
    if forecast.soft_edges:
        pairs = ", ".join(f"{one} and {other}" for one, other in forecast.soft_edges[:_SHOWN])
        more = f" and {len(forecast.soft_edges) - _SHOWN} more" if len(forecast.soft_edges) > _SHOWN else ""
        parts.append(Text(f"same files    tasks {pairs}{more} could run side by side, but work in the same files"))
    for ask in forecast.asks:
        parts += [Text(), *_ask(ask)]
    return Group(*parts)


_SHOWN = 8


def _head(result: RunResult, forecast: ForecastView) -> Text:
    if not forecast.tasks:
        return Text("Nothing is left to do.")
    count = f"{len(forecast.tasks)} task{'' if len(forecast.tasks) == 1 else 's'}"
    at_once = f"at most {result.max_parallel} session{'' if result.max_parallel == 1 else 's'} at once"
    return Text(f"A dry run of {result.spectask}: {count}, {at_once}. Nothing was started.")


def _tasks(tasks: list[ForecastTaskView]) -> RenderableType:
    rows = [(str(each.wave), _begins(each), f"~{span(each.seconds.likely)}", _costs(each), _name(each)) for each in tasks]
    about = [f"{each.role}, in {', '.join(each.files) or 'any files'}" for each in tasks]
    return Told(("wave", "begins", "takes", "costs", "task"), rows, about)


def _begins(task: ForecastTaskView) -> str:
    if task.begins is None:
        return "never"
    return f"+{span(task.begins)}" if task.begins else "at once"


def _costs(task: ForecastTaskView) -> str:
    return "unknown" if task.usd is None else f"~{_dollars(task.usd.likely)}" if task.usd.high else "nothing"


def _name(task: ForecastTaskView) -> Text:
    return Text.assemble((task.number, "bold"), ". ", first_line(task.title))


def _sums(result: RunResult, forecast: ForecastView) -> RenderableType:
    sources = sorted({each.source for each in forecast.tasks})
    rows = {
        "longest chain": " → ".join(result.critical_path) or "none",
        "duration": _duration(forecast),
        "cost": "unknown" if forecast.usd is None else f"{_money(forecast.usd)}, likely {_dollars(forecast.usd.likely)}",
        "taken from": f"{', '.join(sources) or 'nothing'}{_NO_PROMISE if 'guess' in sources else ''}",
    }
    return Group(*(Text(f"{name:<13} {clean(value)}") for name, value in rows.items()))


def _duration(forecast: ForecastView) -> str:
    if any(each.begins is None for each in forecast.tasks):
        return "unknown: not every task can begin"
    quicker = f"; at best {forecast.speed_up:.2g} times as quick as one by one" if forecast.speed_up > 1 else ""
    return f"{_span(forecast.seconds)}, likely {span(forecast.seconds.likely)}{quicker}"


_NO_PROMISE = ": too few sessions have ended here to know better"


def _ask(ask: AskView) -> list[RenderableType]:
    shape, style = ("✖", "red") if ask.stops else ("◆", "yellow")
    said: list[RenderableType] = [
        Text(f"{shape} {'It would not start' if ask.stops else 'Before you start'}: {clean(ask.text)}", style=style)
    ]
    return [*said, Padding(Text(clean(ask.hint), style="bright_black"), (0, 0, 0, 2))] if ask.hint else said


def _span(seconds: RangeView) -> str:
    return f"{span(seconds.low)} to {span(seconds.high)}"


def _money(usd: RangeView) -> str:
    return "nothing" if not usd.high else f"{_dollars(usd.low)} to {_dollars(usd.high)}"


def _dollars(amount: float) -> str:
    return money(Decimal(str(amount)))
