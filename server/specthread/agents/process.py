"""Runs one command to its end: output capped, time limited, nothing left running."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from specthread.agents.watch import TreeLimits, until_over

Outcome: TypeAlias = Literal["exited", "signal", "timeout", "limit", "sandbox-failed"]

_CHUNK = 65_536
_KILLED = 128
_HIGHEST_SIGNAL = 64
_LAST_WORDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """Is what became of a command; `exit_code` is None if it never came to one, `duration` is in seconds.

    `signal` covers what a shell reports as 128 + n: the command, or the program it ran last, was killed. `limit` is one that took too much of the machine;
    the output ends with what that was.
    """

    exit_code: int | None
    output: str
    outcome: Outcome
    duration: float


@dataclass(slots=True)
class CappedOutput:
    """Keeps the beginning and, twice as long, the end of a stream of bytes; remembers how much lay between."""

    limit: int
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    left_out: int = 0

    def add(self, chunk: bytes) -> None:
        """Takes in what came next."""
        room = self.limit // 3 - len(self.head)
        self.head += chunk[: max(room, 0)]
        self.tail += chunk[max(room, 0) :]
        surplus = len(self.tail) - (self.limit - self.limit // 3)
        if surplus > 0:
            del self.tail[:surplus]
            self.left_out += surplus

    def text(self) -> str:
        """Returns what was kept, with a note where something is missing."""
        if not self.left_out:
            return (self.head + self.tail).decode(errors="replace")
        note = f"\n[... {self.left_out} bytes left out ...]\n"
        return self.head.decode(errors="replace") + note + self.tail.decode(errors="replace")


async def run_process(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,  # noqa: ASYNC109  a command that runs out of time has a result, it does not raise
    output_limit: int,
    inherited: Sequence[int] = (),
    limits: TreeLimits | None = None,
) -> CommandResult:
    """Runs a program with its input closed and both outputs joined; raises OSError if it cannot be started.

    The program leads a process group of its own; on timeout, on cancellation and where all of it is more than the `limits`, the group is killed.
    It must be started from a thread that lives as long as it does, because bubblewrap dies with the thread that started it.
    """
    started = time.monotonic()
    # A pipe of our own: asyncio's would keep `wait` waiting for whatever the program left running in the background.
    ours, theirs = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            cwd=cwd,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            pass_fds=tuple(inherited),
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    output = CappedOutput(output_limit)
    reading = asyncio.ensure_future(_read(ours, output))
    ended: Outcome = "exited"
    too_much = ""
    try:
        async with asyncio.timeout(timeout):
            too_much = await _ended(process, limits)
        ended = "limit" if too_much else "exited"
    except TimeoutError:
        ended = "timeout"
    finally:
        await _end(process, reading)
    code = _exit_code(process)
    if ended == "exited" and _KILLED < code <= _KILLED + _HIGHEST_SIGNAL:
        ended = "signal"
    return CommandResult(
        exit_code=code if ended in {"exited", "signal"} else None,
        output=output.text() + (f"\n[stopped: it {too_much}]" if too_much else ""),
        outcome=ended,
        duration=time.monotonic() - started,
    )


async def _ended(process: asyncio.subprocess.Process, limits: TreeLimits | None) -> str:
    """Returns nothing once a process has ended by itself, or what of it is too much."""
    if limits is None:
        await process.wait()
        return ""
    waiting, watching = asyncio.ensure_future(process.wait()), asyncio.ensure_future(until_over(process.pid, limits))
    try:
        await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
        return "" if waiting.done() else watching.result()
    finally:
        waiting.cancel()
        watching.cancel()
        await asyncio.gather(waiting, watching, return_exceptions=True)


async def _read(descriptor: int, output: CappedOutput) -> None:
    reader = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        while chunk := await reader.read(_CHUNK):
            output.add(chunk)
    finally:
        transport.close()


async def _end(process: asyncio.subprocess.Process, reading: asyncio.Future[None]) -> None:
    """Kills what is left, then takes the output to its end; a process that escaped its group may hold the pipe, so that wait is short."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await asyncio.shield(asyncio.ensure_future(process.wait()))
    await asyncio.wait({reading}, timeout=_LAST_WORDS)
    reading.cancel()


def _exit_code(process: asyncio.subprocess.Process) -> int:
    """Returns the exit code as a shell would say it."""
    code = process.returncode or 0
    return code if code >= 0 else _KILLED - code
