"""How a human wants a SpecTask to be run, as a value: everything that `run` takes but money and places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Priority = Literal["low", "normal", "high"]
Mode = Literal["parallel", "sequential"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What was chosen; `roles` empty means every role. In sequential mode a task begins when no session of the SpecTask is alive, however many places are free."""

    mode: Mode = "parallel"
    priority: Priority = "normal"
    roles: tuple[str, ...] = ()
    interactive: bool = False
    """Each task waits for a human's yes."""
    fail_fast: bool = False
    """After one task is blocked no new one begins."""
