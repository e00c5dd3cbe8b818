"""The condition under which an ImplementationTask is carried out at all, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from specthread.domain.ids import TaskNumber
from specthread.spec.condition import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How `task` must have ended; `leaves` are the tasks that carry it out: itself, or those under it. None of them: the task is not there."""

    task: str
    outcome: Outcome
    leaves: tuple[TaskNumber, ...] = ()

    def __str__(self) -> str:
        """Returns it as people write it."""
        return f"task {self.task} {self.outcome}"
