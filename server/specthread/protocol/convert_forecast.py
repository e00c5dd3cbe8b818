"""A dry run as clients get it."""

from __future__ import annotations

from specthread.plan.estimate import Spread
from specthread.protocol.wire_progress import RangeView
from specthread.protocol.wire_result import AskView, ForecastTaskView, ForecastView
from specthread.views.dry_run import Forecast, TaskForecast


def forecast_view(forecast: Forecast) -> ForecastView:
    """Returns a forecast for clients."""
    return ForecastView(
        could_run=forecast.could_run,
        tasks=[_task_view(each) for each in forecast.tasks],
        soft_edges=[list(pair) for pair in forecast.soft_edges],
        speed_up=round(forecast.speed_up, 2),
        seconds=range_view(forecast.seconds),
        usd=range_view(forecast.usd) if forecast.usd else None,
        asks=[AskView(code=ask.code, text=ask.text, hint=ask.hint, stops=ask.stops) for ask in forecast.asks],
    )


def _task_view(told: TaskForecast) -> ForecastTaskView:
    return ForecastTaskView(
        number=told.task.number,
        title=told.task.title,
        wave=told.wave,
        role=told.task.role,
        agent=told.agent,
        files=list(told.task.files),
        check=told.task.check,
        depends=list(told.task.depends),
        begins=told.begins,
        seconds=range_view(told.seconds),
        usd=range_view(told.usd) if told.usd else None,
        source=told.source,
    )


def range_view(spread: Spread) -> RangeView:
    """Returns a range for clients."""
    return RangeView(low=round(spread.low, 4), likely=round(spread.likely, 4), high=round(spread.high, 4))
