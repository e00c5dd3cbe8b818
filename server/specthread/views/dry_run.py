"""What a run would do, told without doing it: in which order, by whom, in which files, how long, for how much, and what would stop it.

Pure: the rules that decide a run are asked and their events thrown away; what only the world knows comes in as `Surroundings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from specthread.domain import commands as c
from specthread.domain.budget import spend_of
from specthread.domain.completion import is_over, needed_tasks, with_dependencies
from specthread.domain.decide import decide
from specthread.domain.ids import TaskNumber
from specthread.domain.model import Actor, Limits, PlannedTask, Refusal, SpecTask, State
from specthread.domain.planned import planned_tasks, prerequisites, task_order
from specthread.domain.rules_approval import obstacles
from specthread.plan.estimate import Estimate, Spread, history_of, total
from specthread.plan.graph import Graph, Node, critical_path, graph_of
from specthread.plan.makespan import makespan, speed_up
from specthread.plan.remaining import task_seconds, written_of
from specthread.plan.soft_edges import soft_edges
from specthread.spec.code_paths import matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What only the world knows.

    It is why no agent can work now, models without a known price (`is_free`: none costs anything), files changed in the checkout and not
    committed, and that settings do not count yet.
    """

    hindrance: Refusal | None = None
    unpriced: tuple[str, ...] = ()
    is_free: bool = False
    dirty: tuple[str, ...] = ()
    unheard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Something a person would be asked or told; `stops` tells that nothing would start before it is settled."""

    code: str
    text: str
    hint: str = ""
    stops: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskForecast:
    """A task that would be done, with when it would begin after the start in seconds, in the likely case, and what its session may take.

    `seconds` are what is left of it; `source` says where they come from.
    """

    task: PlannedTask
    wave: int
    agent: str
    begins: float | None
    seconds: Spread
    usd: Spread | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A run told ahead. `tasks` are in the order they would begin; `usd` is None where what it costs is not known."""

    tasks: tuple[TaskForecast, ...]
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    soft_edges: tuple[tuple[str, str], ...]
    speed_up: float
    seconds: Spread
    usd: Spread | None
    asks: tuple[Ask, ...]

    @property
    def could_run(self) -> bool:
        """Whether nothing would stop it."""
        return not any(ask.stops for ask in self.asks)


def forecast(
    state: State,
    spectask: SpecTask,
    command: c.StartImplementation,
    actor: Actor,
    around: Surroundings,
    now: datetime,
) -> Forecast:
    """What the command would do to the SpecTask now, in the hands of this person."""
    options = command.options or spectask.options
    slots = 1 if options.mode == "sequential" else command.limits.max_parallel
    planned = {number: task for number, task in _to_do(spectask, command.tasks).items() if not options.roles or task.role in options.roles}
    history = history_of(state)
    estimates = {number: history.estimate(spectask.agent, task.role) for number, task in planned.items()}
    written = written_of(spectask)
    seconds = {number: task_seconds(spectask, number, estimates[number], written.get(number), now) for number in planned}
    graph = graph_of(
        Node(id=number, depends=tuple(name for name in prerequisites(task) if name in planned), estimate=seconds[number].likely or None)
        for number, task in planned.items()
    )
    begun = [number for number in planned if number in spectask.tasks and spectask.tasks[number].state not in {"open", "blocked"}]
    played = [makespan(graph, {number: each[case] for number, each in seconds.items()}, slots, begun) for case in range(3)]
    wave_of = {node: number for number, wave in enumerate(graph.waves, 1) for node in graph.named(wave)}
    prices = {number: _price(each, around) for number, each in estimates.items()}
    known = [each for each in prices.values() if each is not None]
    usd = total(known) if len(known) == len(prices) else None
    tasks = [
        TaskForecast(
            task=task,
            wave=wave_of.get(number, 0),
            agent=spectask.agent,
            begins=played[1].spans[number][0] if number in played[1].spans else None,
            seconds=seconds[number],
            usd=prices[number],
            source=_source(estimates[number], number in written),
        )
        for number, task in planned.items()
    ]
    far = float("inf")
    return Forecast(
        tasks=tuple(sorted(tasks, key=lambda each: far if each.begins is None else each.begins)),
        waves=tuple(map(graph.named, graph.waves)),
        critical_path=critical_path(graph),
        soft_edges=soft_edges(graph, {number: task.files for number, task in planned.items()}),
        speed_up=speed_up(graph, slots),
        seconds=Spread(*(each.length for each in played)),
        usd=usd,
        asks=tuple(_asks(state, spectask, command, actor, around, graph, planned, usd)),
    )


def _to_do(spectask: SpecTask, chosen: Sequence[TaskNumber]) -> Mapping[TaskNumber, PlannedTask]:
    """The tasks that the run would do, in the order in which the scheduler prefers them: as approved, or as they would be if the present words were."""
    if not spectask.tasks:
        document = spectask.documents.get("tasks")
        every = planned_tasks(document.content, spectask.dialect) if document else ()
        by_number = {task.number: task for task in every}
        wanted = set(chosen) or {task.number for task in every if not task.optional}
        rest = list(wanted)
        while rest:
            task = by_number.get(rest.pop())
            new = set(task.depends) - wanted if task else set()
            wanted |= new
            rest += new
        return {number: by_number[number] for number in sorted(by_number, key=task_order) if number in wanted}
    numbers = with_dependencies(spectask, chosen) if chosen else needed_tasks(replace(spectask, all_chosen=True))
    return {
        number: task.plan
        for number, task in sorted(spectask.tasks.items(), key=lambda item: task_order(item[0]))
        if number in numbers and not (is_over(task) and task.state not in {"open", "blocked"})
    }


def _price(estimate: Estimate, around: Surroundings) -> Spread | None:
    if around.unpriced:
        return None
    return Spread(0, 0, 0) if around.is_free else estimate.usd


def _source(estimate: Estimate, is_written: bool) -> str:  # noqa: FBT001  one of the two facts it is about
    if estimate.sessions:
        return f"{estimate.sessions} ended sessions"
    return "written estimate" if is_written else "guess"


def _asks(
    state: State,
    spectask: SpecTask,
    command: c.StartImplementation,
    actor: Actor,
    around: Surroundings,
    graph: Graph,
    planned: Mapping[TaskNumber, PlannedTask],
    usd: Spread | None,
) -> Iterator[Ask]:
    refused = decide(state, command, actor)
    for refusal in (around.hindrance, refused if isinstance(refused, Refusal) else None):
        if refusal:
            yield Ask(code=refusal.code, text=refusal.message, hint=refusal.hint, stops=True)
    if spectask.paused:
        yield Ask(code="paused", text=f"{spectask.id} is paused.", hint=f"`specthread resume {spectask.id}` lets it go on.", stops=True)
    yield from _faults(spectask, graph)
    yield from _money(spectask, command.limits, around, usd)
    if around.unheard:
        yield Ask(code="not-allowed", text=around.unheard, hint="`specthread allow` shows it and asks.")
    overlap = [path for path in around.dirty if any(matches(path, task.files) for task in planned.values() if task.files)]
    if overlap:
        shown = ", ".join(overlap[:_SHOWN]) + (f" and {len(overlap) - _SHOWN} more" if len(overlap) > _SHOWN else "")
        text = f"Your checkout has uncommitted changes in files that tasks work in: {shown}. Agents will not see them."
        yield Ask(code="dirty-overlap", text=text, hint="Commit them on the target branch, then `specthread sync`, should they matter.")


def _faults(spectask: SpecTask, graph: Graph) -> Iterator[Ask]:
    """What the plan cannot be carried out with; before there is one, what keeps its words from being approved."""
    if spectask.tasks:
        yield from (Ask(code=fault.code, text=fault.message, stops=True) for fault in graph.faults if fault.code != "plan/bad-estimate")
        return
    for problem in obstacles(spectask):
        text = f"It cannot be carried out as written: {problem}"
        yield Ask(code="lint-errors", text=text, hint="Correct it in the desk, or request changes.", stops=True)


def _money(spectask: SpecTask, limits: Limits, around: Surroundings, usd: Spread | None) -> Iterator[Ask]:
    left = limits.stop_usd - spend_of(spectask).cost_usd
    if around.unpriced:
        names = ", ".join(around.unpriced)
        kept = f"; the limit of ${limits.stop_usd} that you set cannot be kept, so the first call would ask" if limits.user_set else ""
        yield Ask(code="price-unknown", text=f"Nobody knows what {names} costs{kept}.", stops=limits.user_set)
    elif left <= 0:
        text = f"The limit of ${limits.stop_usd} is spent already, so the first call would ask."
        yield Ask(code="budget", text=text, hint="`--budget` sets another one.", stops=True)
    elif usd and Decimal(usd.high) > left:
        yield Ask(code="budget", text=f"It may cost more than the ${left:.2f} that are left of the limit; it would stop and ask.")


_SHOWN = 5
