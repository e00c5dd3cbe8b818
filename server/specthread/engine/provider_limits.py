"""What providers that are short leave of the limits a person chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from specthread.agents.backend import AgentBackend
from specthread.plan.capacity import Capacity


def capacity_left(chosen: Capacity, backends: Mapping[str, AgentBackend], now: datetime) -> Capacity:
    """Returns how many sessions may work at once: where a provider takes fewer calls than it might, no new session of its agents begins beyond that.

    One always may, since only a call finds out that the provider works again.
    """
    states = {name: backend.provider_state(now) for name, backend in backends.items()}
    short = {name: max(1, state.limit if state.circuit == "closed" else 1) for name, state in states.items() if state.trouble}
    agents = {**chosen.agents, **{name: min(limit, chosen.agents.get(name, limit)) for name, limit in short.items()}}
    strained = frozenset(name for name, limit in short.items() if limit < chosen.agents.get(name, limit + 1))
    return replace(chosen, agents=agents, strained=strained)
