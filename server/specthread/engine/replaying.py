"""From the log to the state: what a start folds."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from specthread.domain.events import Envelope
from specthread.domain.model import State
from specthread.domain.state import apply
from specthread.engine.log import EventLog
from specthread.engine.snapshot import latest_state
from specthread.engine.store import RESTORE, StoreError


def replayed(log: EventLog) -> tuple[State, int]:
    """Returns the state that the log tells, and the number of the event up to which a snapshot told it; raises StoreError."""
    with _uncollected():
        state = latest_state(log)
        known = state.sequence
        for envelope in log.read_all(known):
            state = folded(state, envelope)
    return state, known


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keeps the collector from looking again and again through what only grows and holds no circle; it would take half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def folded(state: State, envelope: Envelope) -> State:
    """Returns the state after an event of the log; raises StoreError where it does not go with the events before it."""
    try:
        return apply(state, envelope)
    except (LookupError, ValueError, TypeError, AttributeError) as fault:
        kind = type(envelope.event).__name__
        raise StoreError(f"Event {envelope.seq} ({kind}) does not go with the events before it: {fault!r}.", hint=RESTORE) from fault
