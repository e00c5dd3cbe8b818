"""Work in several steps that each leave something behind, and the way back.

Forward: each step can be done twice. After a crash, or a fault of the world, the effect begins again at the first step, and what is there already is kept. So nothing has
to be remembered about how far it came.
Back: where the work ends for good, the steps are undone in reverse order. Each judges by what is there, not by memory, whether it is its to undo: what a person or an agent
has put there is never touched. What cannot be undone keeps no other step from being undone, and is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from specgit.errors import GitError

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `what` it makes, in words, how that is made, and how it is given back, or None where it goes with another or is worth keeping."""

    what: str
    do: Callable[[], object]
    undo: Callable[[], object] | None = None


def carry_out(steps: Sequence[Step]) -> None:
    """Does the steps in order, in this thread; the first fault ends it and is raised as it is."""
    for step in steps:
        step.do()


def take_back(steps: Sequence[Step]) -> tuple[str, ...]:
    """Undoes the steps in reverse order, in this thread; returns what could not be undone, as sentences."""
    left = []
    for step in reversed(steps):
        try:
            if step.undo is not None:
                step.undo()
        except (GitError, OSError) as error:
            _logger.warning("a step could not be undone", step=step.what, reason=str(error))
            left.append(f"{step.what[:1].upper()}{step.what[1:]} could not be removed: {str(error).rstrip('.')}.")
    return tuple(left)
