"""A real daemon with the model of the chaos run: `python -m chaos.daemon STATE CALLS CLOCK`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from chaos.clock import SettableClock
from chaos.script import ChaosModel
from specthread import daemon, daemon_ports
from specthread.agents.prices import NO_COST
from specthread.agents.retry import EFFECT
from specthread.agents.turns import MessagesBackend
from specthread.engine import engine
from specthread.engine.settings import RoleSettings, Settings
from specthread.spec.role import ROLES

LONGEST_WAIT = 5.0
"""Seconds between two tries of background work that failed; a person's daemon waits up to a minute."""


def parts(state: Path, _: Mapping[str, str]) -> daemon.Parts:
    """Returns the parts of this daemon."""
    settings = Settings(
        state=state,
        roles=dict.fromkeys(("planner", *ROLES), RoleSettings(model="chaos")),
        transcript_interval=0.5,
        retry=replace(EFFECT, base=0.5, cap=LONGEST_WAIT),
    )
    backend = MessagesBackend(model=ChaosModel(Path(sys.argv[2])), prices=NO_COST)
    return daemon.Parts(settings=settings, backends={backend.name: backend}, secrets=(), lacks=lambda _: "")


if __name__ == "__main__":
    clock = SettableClock(Path(sys.argv[3]))
    time.time = clock.time
    for module in (engine, daemon, daemon_ports):
        module.datetime = clock
    sys.exit(daemon.run(Path(sys.argv[1]), os.environ, None, parts))
