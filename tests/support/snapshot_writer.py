"""A process that keeps snapshots of a growing log without end, and says the number of each; its end comes from outside: `snapshot_writer.py LOG`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from specthread.engine.log import EventLog
from specthread.engine.replaying import folded, replayed
from specthread.engine.snapshot import keep_snapshot
from support.event_strategy import envelope


async def main(path: Path) -> None:
    """Appends an event and keeps a snapshot, again and again."""
    log = EventLog.open(path, host="child")
    state, _ = replayed(log)
    while True:
        made = envelope(log.last_seq + 1)
        await log.append([made])
        state = folded(state, made)
        keep_snapshot(log, state)
        sys.stdout.write(f"{state.sequence}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
