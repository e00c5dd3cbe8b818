"""How long a task, or planning, takes and what it costs, from what ended before; where there is too little of it, a guess that says it is one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from immutables import Map

from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import SpecTask, State
from specthread.domain.run import PlanningRun, WorkSession, under_way


class Spread(NamedTuple):
    """A figure as a range: one in ten was below `low`, one in ten above `high`; `likely` is the middle."""

    low: float
    likely: float
    high: float

    def times(self, factor: float) -> "Spread":
        """The range, each of it so many times."""
        return Spread(self.low * factor, self.likely * factor, self.high * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one session may take: seconds, turns, and US dollars where what it costs is known.

    `sessions` is how many ended ones it is taken from; with none it is a guess.
    """

    seconds: Spread
    turns: Spread
    usd: Spread | None
    sessions: int = 0


GUESS: Final = Estimate(seconds=Spread(120, 480, 1800), turns=Spread(6, 15, 45), usd=Spread(0.1, 0.6, 3.0))
"""Nothing is known yet: some minutes, some turns, less than a few dollars."""
PLANNING_GUESS: Final = Spread(60, 240, 900)
"""How many seconds a planner may take, as long as nothing is known."""
ENOUGH: Final = 3
"""From fewer sessions than these nothing follows."""


@dataclass(frozen=True, kw_only=True)
class History:
    """The sessions that were completed, by agent and role and by agent alone, and the planners that were."""

    by_role: Mapping[tuple[str, str], Sequence[WorkSession]] = field(default_factory=dict)
    by_agent: Mapping[str, Sequence[WorkSession]] = field(default_factory=dict)
    planners: Mapping[str, Sequence[PlanningRun]] = field(default_factory=dict)

    @cached_property
    def _known(self) -> dict[tuple[str, str], Estimate]:
        return {}

    def estimate(self, agent: str, role: str) -> Estimate:
        """What a session of this agent in this role may take: as those of its role did, else as all of the agent's did, else a guess."""
        if (agent, role) not in self._known:
            enough = (each for each in (self.by_role.get((agent, role), ()), self.by_agent.get(agent, ())) if len(each) >= ENOUGH)
            sessions = next(enough, None)
            self._known[agent, role] = _from_sessions(sessions) if sessions else GUESS
        return self._known[agent, role]

    def planning(self, agent: str) -> tuple[Spread, int]:
        """How many seconds a planner of this agent may take, and how many ended ones say so; none: it is a guess."""
        ended = self.planners.get(agent, ())
        if len(ended) < ENOUGH:
            return PLANNING_GUESS, 0
        return spread_of(map(_took, ended)), len(ended)


def history_of(state: State) -> History:
    """What the state knows of ended runs. Only what was completed in one go counts, and of that the time in which the agent acted: what a retry took is not known.

    It is asked for again and again while work goes on, and years of work hold many sessions: only what ended since is looked at.
    """
    global _last  # noqa: PLW0603  what is kept is a function of the values it was made from
    spectasks, ended, history = _last
    if spectasks is state.spectasks:
        return history
    now = {identifier: _ended_of(spectask, ended.get(identifier)) for identifier, spectask in state.spectasks.items()}
    if now.keys() != ended.keys() or any(
        each.runs != ended[identifier].runs for identifier, each in now.items() if each is not ended[identifier]
    ):
        history = _joined(now.values())
    _last = (state.spectasks, now, history)
    return history


class _Ended(NamedTuple):
    """The completed runs of a SpecTask, and the values they were found in."""

    sessions: Map[RunId, WorkSession]
    plans: tuple[PlanningRun, ...]
    runs: tuple[WorkSession | PlanningRun, ...]


_last: tuple[Map[SpecTaskId, SpecTask], Mapping[SpecTaskId, _Ended], History] = (Map(), {}, History())


def _ended_of(spectask: SpecTask, known: _Ended | None) -> _Ended:
    if known and known.sessions is spectask.sessions and known.plans is spectask.plans:
        return known
    runs = (*spectask.plans, *spectask.sessions.values())
    whole = (run for run in runs if run.state == "completed" and run.attempt == 1 and run.ended and run.ended >= run.started)
    return _Ended(spectask.sessions, spectask.plans, tuple(sorted(whole, key=lambda run: run.id)))


def _joined(ended: Iterable[_Ended]) -> History:
    by_role: defaultdict[tuple[str, str], list[WorkSession]] = defaultdict(list)
    by_agent: defaultdict[str, list[WorkSession]] = defaultdict(list)
    planners: defaultdict[str, list[PlanningRun]] = defaultdict(list)
    for run in (run for each in ended for run in each.runs):
        if isinstance(run, PlanningRun):
            planners[run.agent].append(run)
        else:
            by_role[run.agent, run.role].append(run)
            by_agent[run.agent].append(run)
    return History(by_role=by_role, by_agent=by_agent, planners=planners)


CHECKED: Final = 0.1
"""The share of a task that its check and its merge take."""


def _took(run: WorkSession | PlanningRun) -> float:
    """Returns the seconds that an ended run took: its agent's own and, of a session, the share of check and merge; those until its end where that was not measured."""
    if not run.worked:
        return under_way(run, run.started)
    return run.worked / (1 - CHECKED) if isinstance(run, WorkSession) else run.worked


def spread_of(values: Iterable[float]) -> Spread:
    """The range of some figures, of which there must be one at least."""
    found = sorted(values)

    def at(share: float) -> float:
        place = share * (len(found) - 1)
        below = int(place)
        above = min(below + 1, len(found) - 1)
        return found[below] + (found[above] - found[below]) * (place - below)

    return Spread(at(0.1), at(0.5), at(0.9))


def total(spreads: Iterable[Spread]) -> Spread:
    """The sum of ranges, as if all came out low, or all high."""
    rows = list(spreads)
    return Spread(*(sum(row[index] for row in rows) for index in range(3)))


def _from_sessions(sessions: Sequence[WorkSession]) -> Estimate:
    priced = [float(session.spend.cost_usd) for session in sessions if not session.spend.unknown_calls]
    return Estimate(
        seconds=spread_of(map(_took, sessions)),
        turns=spread_of(session.turn for session in sessions),
        usd=spread_of(priced) if len(priced) >= ENOUGH else None,
        sessions=len(sessions),
    )
