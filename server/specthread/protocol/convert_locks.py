"""Who has which resource and who waits for it, as it travels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from statistics import median

from specthread.domain.ids import RunId, TaskNumber
from specthread.domain.locks import NONE, Lock, ResourceKey, resource_key
from specthread.domain.model import SpecTask, State
from specthread.domain.names import spectask_of
from specthread.domain.planned import task_order
from specthread.domain.readiness import is_going_on, is_startable, uses_of
from specthread.domain.run import WorkSession
from specthread.domain.runs import find_run
from specthread.plan.capacity import Crowd
from specthread.plan.locks import queue
from specthread.plan.waiting import why_waiting
from specthread.plan.waiting_task import taken_resource, why_not_started
from specthread.protocol.wire_locks import HolderView, InLineView, LockStatisticsView, ResourceView


def resource_views(state: State, crowd: Crowd, now: datetime) -> list[ResourceView]:
    """Returns every resource that is configured, was used or is waited for: those with a line first, then those that are held, by name."""
    waiting, capacities = _tasks_in_line(state, crowd), crowd.capacity.resources
    named = {name for _, name in (*state.locks, *waiting)}
    keys = {*state.locks, *waiting, *(("", name) for name in capacities if name not in named)}
    views = [_view(state, key, waiting.get(key, []), capacities, now) for key in keys]
    return sorted(views, key=lambda view: (not view.line, not view.holders, view.resource, view.repository))


def _view(state: State, key: ResourceKey, tasks: list[InLineView], capacities: Mapping[str, int], now: datetime) -> ResourceView:
    lock = state.locks.get(key, NONE)
    return ResourceView(
        resource=key[1],
        repository=key[0],
        capacity=capacities.get(key[1]),
        configured=key[1] in capacities,
        holders=[
            HolderView(**_work_of(state, held.run), mode=held.mode, since=held.since, seconds=_seconds(held.since, now))
            for held in lock.held
        ],
        line=[*_line(state, lock, now), *tasks],
        statistics=_statistics(lock, now),
    )


def _line(state: State, lock: Lock, now: datetime) -> Iterator[InLineView]:
    for waiting in queue(lock, now):
        yield InLineView(
            **_work_of(state, waiting.run),
            mode=waiting.mode,
            since=waiting.since,
            seconds=_seconds(waiting.since, now),
            gives_up=None if waiting.seconds is None else waiting.since + timedelta(seconds=waiting.seconds),
            why=why_waiting(state, waiting.run),
        )


def _tasks_in_line(state: State, crowd: Crowd) -> Mapping[ResourceKey, list[InLineView]]:
    """Returns the tasks that could begin but for a resource that a session has."""
    found: dict[ResourceKey, list[InLineView]] = {}
    for spectask in state.spectasks.values():
        if not is_going_on(spectask):
            continue
        for number in sorted((number for number, task in spectask.tasks.items() if task.plan.uses), key=task_order):
            taken = taken_resource(spectask, number, crowd) if is_startable(spectask, number) else None
            key = resource_key(spectask.repository, taken[0]) if taken else None
            if key:
                found.setdefault(key, []).append(_task_in_line(spectask, number, key[1], crowd))
    return found


def _task_in_line(spectask: SpecTask, number: TaskNumber, resource: str, crowd: Crowd) -> InLineView:
    task = spectask.tasks[number]
    return InLineView(
        spectask=spectask.id,
        session="",
        task=number,
        title=task.plan.title,
        mode=uses_of(task)[resource],
        since=None,
        seconds=0.0,
        gives_up=None,
        why=why_not_started(spectask, number, crowd),
    )


def _work_of(state: State, run: RunId) -> dict[str, str]:
    spectask = state.spectasks[spectask_of(run)]
    known = find_run(spectask, run)
    task = known.task if isinstance(known, WorkSession) else ""
    title = spectask.tasks[TaskNumber(task)].plan.title if task in spectask.tasks else ""
    return {"spectask": spectask.id, "session": run, "task": task, "title": title}


def _statistics(lock: Lock, now: datetime) -> LockStatisticsView:
    known = lock.statistics
    return LockStatisticsView(
        taken=known.grants,
        waited=known.waits,
        median_wait=median(known.recent) if known.recent else 0.0,
        longest_wait=known.longest,
        timeouts=known.timeouts,
        deadlocks=known.deadlocks,
        victims=list(known.victims),
        taken_back=known.taken_back,
        held=known.held + sum(_seconds(held.since, now) for held in lock.held),
    )


def _seconds(since: datetime, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0)
