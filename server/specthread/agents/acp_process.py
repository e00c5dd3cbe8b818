"""The process of an external agent: inside a sandbox, one for each session, and gone with everything it started.

Of the person's environment it is given the variables that its settings name, and nothing else; the credentials among them are cut out of what it says of its own end.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from specthread.agents.mounts import Mount, interpreter_mounts
from specthread.agents.place import HOME, Place
from specthread.agents.process import CappedOutput
from specthread.agents.sandbox import SandboxProfile, entrance
from specthread.agents.watch import TreeLimits, until_over

LONGEST_MESSAGE = 64 * 1024 * 1024
"""Bytes of one message; no agent sends as much."""
_LAST_WORDS = 1.0
_WORDS_KEPT = 2_000
_WORDS_TOLD = 300
_LIMITED = 'ulimit -c 0; ulimit -u "$1" 2>/dev/null; ulimit -f "$2" 2>/dev/null; shift 2; exec "$@"'
"""The limits of a command but for processor time, which a program that works for hours uses up honestly."""
_CHUNK = 65_536


class NoProgramError(Exception):
    """Says, in a sentence, why an agent's program cannot be started at all."""


@dataclass(slots=True, kw_only=True)
class AgentProcess:
    """A running agent; `end` is always to be called."""

    process: asyncio.subprocess.Process
    secrets: Sequence[str]
    _words: CappedOutput = field(default_factory=lambda: CappedOutput(_WORDS_KEPT))
    _tasks: tuple[asyncio.Task[None], ...] = ()
    _too_much: str = ""

    @classmethod
    async def start(cls, command: Sequence[str], place: Place, given: Mapping[str, str], secrets: Sequence[str]) -> "AgentProcess":
        """Starts a program in a place, with the variables `given` beside the place's own; its last words are told without the `secrets`. Raises NoProgramError."""
        program = shutil.which(command[0])
        if program is None:
            raise NoProgramError(
                f"There is no program `{command[0]}` on the daemon's PATH. Install it, or correct its command in your settings."
            )
        profile = _showing(place.profile, Path(program))
        with ExitStack() as files:
            entered, own, inherited = entrance(files, profile, given)
            limits = (str(profile.limits.processes), str(profile.limits.file_kib))
            try:
                process = await asyncio.create_subprocess_exec(
                    *(*entered, "--", "bash", "-c", _LIMITED, "bash", *limits, program, *command[1:]),
                    cwd="/",
                    env=own,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    start_new_session=True,
                    pass_fds=inherited,
                    limit=LONGEST_MESSAGE,
                )
            except (OSError, ValueError) as error:
                raise NoProgramError(f"The sandbox for `{command[0]}` cannot be started: {error}.") from error
        started = cls(process=process, secrets=secrets)
        tasks = started._listen(), started._bound(profile.limits.of_tree)
        started._tasks = tuple(map(asyncio.create_task, tasks))
        return started

    @property
    def reader(self) -> asyncio.StreamReader:
        """What the program says."""
        return cast("asyncio.StreamReader", self.process.stdout)

    @property
    def writer(self) -> asyncio.StreamWriter:
        """What the program hears."""
        return cast("asyncio.StreamWriter", self.process.stdin)

    async def _listen(self) -> None:
        words = cast("asyncio.StreamReader", self.process.stderr)
        while chunk := await words.read(_CHUNK):
            self._words.add(chunk)

    async def _bound(self, limits: TreeLimits) -> None:
        """Kills the program with all it started where that becomes too much."""
        self._too_much = f"it {await until_over(self.process.pid, limits)}"
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kills the program with everything it started, and waits until it is gone."""
        self._kill()
        # Nobody reads any more, and what is unread would keep the pipe, and so the wait for the process, from ending. There is no public way to it.
        if pipe := self.process._transport.get_pipe_transport(1):  # type: ignore[attr-defined]  # noqa: SLF001
            pipe.close()
        await asyncio.shield(asyncio.ensure_future(self.process.wait()))
        listening, watching = self._tasks
        watching.cancel()
        await asyncio.wait({listening}, timeout=_LAST_WORDS)
        listening.cancel()

    def told(self, heard: Sequence[str] = ()) -> str:
        """Returns its last words for a person: the last line of its error output that says something, else of what it said instead of a message."""
        if self._too_much:
            return self._too_much
        lines = [line.strip() for line in (*heard, *self._words.text().splitlines()) if line.strip()]
        words = lines[-1] if lines else ""
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            words = words.replace(secret, "[redacted]")
        return words[:_WORDS_TOLD]


def _showing(profile: SandboxProfile, program: Path) -> SandboxProfile:
    """Returns the profile with the program in it: what it was installed with, never the home folder around."""
    shown = [*interpreter_mounts([str(program.parent)], [program]), *_package_folders(program)]
    kept = tuple(mount for mount in shown if not _is_hidden(mount, profile))
    return replace(profile, mounts=(*kept, *profile.mounts))


def _package_folders(program: Path) -> tuple[Mount, ...]:
    """Returns the `node_modules` that a program of npm lies in, which holds what it needs to run."""
    found = {path for known in (program, program.resolve()) for path in (known, *known.parents) if path.name == "node_modules"}
    outermost = [path for path in found if not any(other != path and path.is_relative_to(other) for other in found)]
    return tuple(Mount(source=path, target=str(path), writable=False) for path in sorted(outermost))


def _is_hidden(mount: Mount, profile: SandboxProfile) -> bool:
    """Tells whether a mount would show what the place keeps away: anything around the worktree, the home or the daemon's state."""
    kept_away = [Path(profile.cwd), Path(HOME), *([profile.owner] if profile.owner else [])]
    return any(place.is_relative_to(mount.target) or Path(mount.target).is_relative_to(place) for place in kept_away)
