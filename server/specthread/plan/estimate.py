"""How long a task takes and what it costs, from the sessions that ended before; where there are too few of them, a guess that says it is one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from specthread.domain.model import State
from specthread.domain.run import WorkSession


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
ENOUGH: Final = 3
"""From fewer sessions than these nothing follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The sessions that were completed, by agent and role and by agent alone."""

    by_role: Mapping[tuple[str, str], Sequence[WorkSession]] = field(default_factory=dict)
    by_agent: Mapping[str, Sequence[WorkSession]] = field(default_factory=dict)

    def estimate(self, agent: str, role: str) -> Estimate:
        """What a session of this agent in this role may take: as those of its role did, else as all of the agent's did, else a guess."""
        for sessions in (self.by_role.get((agent, role), ()), self.by_agent.get(agent, ())):
            if len(sessions) >= ENOUGH:
                return _from_sessions(sessions)
        return GUESS


def history_of(state: State) -> History:
    """What the state knows of ended sessions. Only what was completed in one go counts: time spent waiting for people is part of it, what a retry took before is not known."""
    by_role: defaultdict[tuple[str, str], list[WorkSession]] = defaultdict(list)
    by_agent: defaultdict[str, list[WorkSession]] = defaultdict(list)
    for session in _completed(state):
        by_role[session.agent, session.role].append(session)
        by_agent[session.agent].append(session)
    return History(by_role=by_role, by_agent=by_agent)


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


def _completed(state: State) -> Iterable[WorkSession]:
    for spectask in state.spectasks.values():
        for session in spectask.sessions.values():
            if session.state == "completed" and session.attempt == 1 and session.ended and session.ended >= session.started:
                yield session


def _from_sessions(sessions: Sequence[WorkSession]) -> Estimate:
    priced = [float(session.spend.cost_usd) for session in sessions if not session.spend.unknown_calls]
    return Estimate(
        seconds=spread_of((session.ended - session.started).total_seconds() for session in sessions if session.ended),
        turns=spread_of(session.turn for session in sessions),
        usd=spread_of(priced) if len(priced) >= ENOUGH else None,
        sessions=len(sessions),
    )
