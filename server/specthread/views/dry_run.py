"""What a run would do, told without doing it: in which order, by whom, in which files, how long, for how much, and what would stop it.

Pure: the rules that decide a run are asked and their events thrown away; what only the world knows comes in as `Surroundings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from immutables import Map

from specthread.domain import commands as c
from specthread.domain.budget import spend_of
from specthread.domain.completion import is_over, needed_tasks, with_dependencies
from specthread.domain.decide import decide
from specthread.domain.ids import TaskNumber
from specthread.domain.model import Actor, ImplementationTask, Limits, PlannedTask, Refusal, SpecTask, State
from specthread.domain.planned import excess, planned_tasks, prerequisites, task_order
from specthread.domain.rules_approval import obstacles
from specthread.domain.rules_spectask import bad_limits
from specthread.plan.capacity import Capacity
from specthread.plan.estimate import Estimate, Spread, history_of, total
from specthread.plan.graph import Graph, Node, critical_path, graph_of
from specthread.plan.play import Played, play
from specthread.plan.remaining import places, task_seconds
from specthread.plan.soft_edges import soft_edges
from specthread.spec.code_paths import matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What only the world knows.

    It is why no agent can work now, models without a known price (`is_free`: none costs anything), files changed in the checkout and not
    committed, that settings do not count yet, and the limits beyond the SpecTask.
    """

    hindrance: Refusal | None = None
    unpriced: tuple[str, ...] = ()
    is_free: bool = False
    dirty: tuple[str, ...] = ()
    unheard: str = ""
    capacity: Capacity = field(default_factory=Capacity)


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

    `seconds` are what is left of it; `source` says where they come from. `condition` is the case for which it is done, if not for every one.
    """

    task: PlannedTask
    wave: int
    agent: str
    begins: float | None
    seconds: Spread
    usd: Spread | None
    source: str
    condition: str = ""


_NOTHING = Spread(0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A run told ahead. `tasks` are in the order they would begin; `usd` is None where what it costs is not known."""

    tasks: tuple[TaskForecast, ...] = ()
    waves: tuple[tuple[str, ...], ...] = ()
    critical_path: tuple[str, ...] = ()
    soft_edges: tuple[tuple[str, str], ...] = ()
    speed_up: float = 1.0
    seconds: Spread = _NOTHING
    usd: Spread | None = None
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
    refused = bad_limits(command.limits)
    if refused:
        return Forecast(asks=(_stop(refused),))
    options = command.options or spectask.options
    spectask = replace(_as_written(spectask), options=options, limits=command.limits)
    todo = _to_do(spectask, command.tasks)
    barred = _barred(spectask, todo)
    done = [number for number in todo if barred.get(number) != number]
    history = history_of(state)
    estimates = {number: history.estimate(spectask.agent, spectask.tasks[number].plan.role) for number in done}
    seconds = {number: task_seconds(spectask, number, estimates[number], now) for number in done}
    open_ = {number: each for number, each in seconds.items() if number not in barred}
    played = play(spectask, open_, places(spectask, around.capacity), around.capacity.resources)
    prices = {number: _price(each, around) for number, each in estimates.items()}
    usd = _sum(prices, played)
    wave_of = {node: number for number, wave in enumerate(played.graph.waves, 1) for node in played.graph.named(wave)}
    tasks = [
        TaskForecast(
            task=task,
            wave=wave_of.get(number, 0),
            agent=spectask.agent,
            begins=played.spans[number][0] if number in played.spans else None,
            seconds=seconds[number],
            usd=prices[number],
            source=_source(estimates[number], task.estimate is not None),
            condition=" and ".join(map(str, task.conditions)),
        )
        for number, task in ((number, spectask.tasks[number].plan) for number in done)
    ]
    work = sum(seconds[TaskNumber(number)].likely for number in played.spans)
    far = float("inf")
    return Forecast(
        tasks=tuple(sorted(tasks, key=lambda each: far if each.begins is None else each.begins)),
        waves=tuple(map(played.graph.named, played.graph.waves)),
        critical_path=tuple(number for number in critical_path(played.graph) if number not in played.unlikely),
        soft_edges=soft_edges(played.graph, {number: spectask.tasks[number].plan.files for number in done}),
        speed_up=max(1.0, work / played.seconds.likely) if played.seconds.likely else 1.0,
        seconds=played.seconds,
        usd=usd,
        asks=tuple(_asks(state, spectask, command, actor, around, played, barred, usd)),
    )


def _as_written(spectask: SpecTask) -> SpecTask:
    """The SpecTask with the tasks it would have were its present words approved, where it has none yet."""
    document = spectask.documents.get("tasks")
    if spectask.tasks or document is None or excess(document.content, spectask.dialect):
        return spectask
    planned = planned_tasks(document.content, spectask.dialect)
    return replace(spectask, tasks=Map({task.number: ImplementationTask(plan=task) for task in planned}))


def _to_do(spectask: SpecTask, chosen: Sequence[TaskNumber]) -> tuple[TaskNumber, ...]:
    """The tasks that would have to be done, lowest first."""
    numbers = with_dependencies(spectask, chosen) if chosen else needed_tasks(replace(spectask, all_chosen=True))
    left = (number for number in numbers if not is_over(spectask.tasks[number]) or spectask.tasks[number].state in {"open", "blocked"})
    return tuple(sorted(left, key=task_order))


def _barred(spectask: SpecTask, todo: Sequence[TaskNumber]) -> Mapping[TaskNumber, TaskNumber]:
    """The tasks that would never begin because the roles leave them out, or one they wait for, which is told of each."""
    roles = spectask.options.roles
    if not roles:
        return {}
    found: dict[TaskNumber, TaskNumber] = {}
    tasks = {number: spectask.tasks[number] for number in todo}
    graph = graph_of(Node(id=number, depends=tuple(name for name in prerequisites(tasks[number].plan) if name in tasks)) for number in todo)
    for number in (TaskNumber(name) for wave in graph.waves for name in graph.named(wave)):
        task = tasks[number]
        if task.state not in {"open", "blocked"}:
            continue
        if task.plan.role not in roles:
            found[number] = number
        elif before := next((found[each] for each in prerequisites(task.plan) if each in found), None):
            found[number] = before
    return found


def _sum(prices: Mapping[TaskNumber, Spread | None], played: Played) -> Spread | None:
    """What all that would begin costs; what only a failure would bring counts in the high end alone."""
    known = {number: price for number, price in prices.items() if price is not None}
    if len(known) < len(prices):
        return None
    expected = [each for number, each in known.items() if number in played.spans]
    return total([*expected, *(Spread(0, 0, known[number].high) for number in played.unlikely)])


def _price(estimate: Estimate, around: Surroundings) -> Spread | None:
    if around.unpriced:
        return None
    return _NOTHING if around.is_free else estimate.usd


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
    played: Played,
    barred: Mapping[TaskNumber, TaskNumber],
    usd: Spread | None,
) -> Iterator[Ask]:
    refused = decide(state, command, actor)
    yield from (_stop(each) for each in (around.hindrance, refused) if isinstance(each, Refusal))
    if spectask.paused:
        yield Ask(code="paused", text=f"{spectask.id} is paused.", hint=f"`specthread resume {spectask.id}` lets it go on.", stops=True)
    yield from _faults(state.spectasks[spectask.id], played.graph)
    yield from _held_back(spectask, command.tasks, played, barred)
    yield from _money(spectask, command.limits, around, usd)
    if around.unheard:
        yield Ask(code="not-allowed", text=around.unheard, hint="`specthread allow` shows it and asks.")
    files = [spectask.tasks[TaskNumber(number)].plan.files for number in played.graph.nodes]
    overlap = [path for path in around.dirty if any(matches(path, each) for each in files if each)]
    if overlap:
        text = f"Your checkout has uncommitted changes in files that tasks work in: {_listed(overlap)}. Agents will not see them."
        yield Ask(code="dirty-overlap", text=text, hint="Commit them on the target branch, then `specthread sync`, should they matter.")


def _stop(refusal: Refusal) -> Ask:
    return Ask(code=refusal.code, text=refusal.message, hint=refusal.hint, stops=True)


def _faults(spectask: SpecTask, graph: Graph) -> Iterator[Ask]:
    """What the plan cannot be carried out with; before there is one, what keeps its words from being approved."""
    if spectask.tasks:
        yield from (Ask(code=fault.code, text=fault.message, stops=True) for fault in graph.faults if fault.code != "plan/bad-estimate")
        return
    for problem in obstacles(spectask):
        text = f"It cannot be carried out as written: {problem}"
        yield Ask(code="lint-errors", text=text, hint="Correct it in the desk, or request changes.", stops=True)


def _held_back(spectask: SpecTask, chosen: Sequence[TaskNumber], played: Played, barred: Mapping[TaskNumber, TaskNumber]) -> Iterator[Ask]:
    """What would not begin by itself: behind tasks that the roles leave out, and in an interactive run before a person's yes."""
    behind = {number: cause for number, cause in barred.items() if number != cause}
    if behind:
        causes = sorted(set(behind.values()), key=task_order)
        roles = ",".join(dict.fromkeys((*spectask.options.roles, *(spectask.tasks[each].plan.role for each in causes))))
        text = f"These tasks would never begin: {_listed(tuple(behind))}. The chosen roles leave out what they wait for: {_listed(causes)}."
        yield Ask(code="left-out", text=text, hint=f"`--agents {roles}` lets that begin, too.", stops=not played.spans)
    unasked = [number for number in played.spans if number not in spectask.allowed and number not in chosen]
    waiting = [number for number in unasked if spectask.tasks[TaskNumber(number)].state == "open"] if spectask.options.interactive else ()
    if waiting:
        text = f"In an interactive run each of these tasks waits for your yes before it begins: {_listed(sorted(waiting, key=task_order))}."
        yield Ask(code="interactive", text=text, hint=f"`specthread run {spectask.id} --task N` says it.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


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
