"""What the daemon tells without being asked, beside events."""

from __future__ import annotations

from specthread.protocol.wire_base import Wire


class Tick(Wire):
    """Streamed text of a run; may be dropped. A `CallLost` of the run makes void what came since its last call."""

    run: str
    text: str


class Resync(Wire):
    """The client was too slow: the events after `since` up to `seq` were left out; ask for the views again."""

    instance: str
    since: int
    seq: int


class Reconnected(Wire):
    """The relay reached a daemon again, whose log and last event these are: what came meanwhile is asked for anew."""

    instance: str
    seq: int


class Stopping(Wire):
    """The daemon was told to stop and closes the connection next."""

    reason: str
