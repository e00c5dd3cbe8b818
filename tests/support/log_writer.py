"""A process that appends to an event log and prints each number once it is acknowledged; its end comes from outside or from a size limit.

Usage: log_writer.py PATH [BYTES_PER_FILE]. With a limit it stops at the first refusal, lifts the limit, reopens and appends once more.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from specthread.engine.log import EventLog, StoreError
from support.event_strategy import envelope


async def main(path: Path, limit: int) -> None:
    """Appends until killed, or until the disk is full."""
    log = EventLog.open(path, host="child")
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        while True:
            await asyncio.gather(*(append(log, log.last_seq + number) for number in range(1, 5)))
    except StoreError as fault:
        say(f"refused {fault}")
    say(f"readable {len(await log.read())} {log.last_seq}")
    try:
        await log.append([envelope(log.last_seq + 1)])
    except StoreError as fault:
        say(f"still {fault}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await log.reopen()
    await append(log, log.last_seq + 1)
    await log.close()


async def append(log: EventLog, seq: int) -> None:
    """Appends one event and prints its number when it is durable."""
    await log.append([envelope(seq)])
    say(str(seq))


def say(line: str) -> None:
    """Prints a line at once, so that a killed process has said everything it knew."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
