"""What the parts of a desk share: the way to the engine, and the patience with half-written files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from specthread.domain.commands import Command
from specthread.domain.ids import CommentId, SpecTaskId
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.engine.desk_file import Exchange, Look

Submit = Callable[[Command, Actor], Awaitable[object | Refusal]]
"""Gives a command to the engine; anything but a Refusal means that it is durable."""


class MergedLines(Protocol):
    """The result of a three-way merge; with conflict markers in `content` where `conflict` is true."""

    @property
    def content(self) -> bytes:
        """The merged text."""

    @property
    def conflict(self) -> bool:
        """Whether both sides changed the same lines."""


class MergedText(MergedLines, Protocol):
    """The same of documents that are known by their kind."""

    @property
    def questions(self) -> tuple[str, ...]:
        """What both sides meant differently, as far as that is known."""


class Cancellable(Protocol):
    """A timer that is running."""

    def cancel(self) -> object:
        """Keeps the timer from firing."""


class Clock(Protocol):
    """Seconds and timers; an asyncio event loop is one."""

    def time(self) -> float:
        """Returns seconds that never go back."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Cancellable:
        """Calls back once after `delay` seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPorts:
    """Everything outside that a desk uses."""

    spectask: SpecTaskId
    submit: Submit
    snapshot: Callable[[], SpecTask]
    merge: Callable[[str, bytes, bytes, bytes], MergedText]
    """Document, base, ours, theirs; called in a thread."""
    keep_conflict: Callable[[str, bytes, bytes], Awaitable[None]]
    """Document, live text, saved text; both are safe in git when it returns."""
    person: Callable[[], Actor]
    new_comment_id: Callable[[], CommentId]
    exchange: Exchange


_WAIT = {"open": 2.0, "absent": 2.0, "unsure": 0.3}
_WAIT_EMPTY = 2.0


class Patience:
    """Gives savers the time to finish: seconds for which a file must not change before an unfinished look is believed.

    A whole file that nobody is writing needs none. A missing or empty file may be the middle of a save.
    """

    def __init__(self, time: Callable[[], float], wake_in: Callable[[float], None]) -> None:
        self.now = time
        self.wake_in = wake_in
        self._seen: dict[Path, tuple[Look, float]] = {}

    def believes(self, path: Path, found: Look) -> bool:
        """Tells whether `found` may be taken as what the saver meant; if not yet, has the desk woken when it may be."""
        wait = _WAIT.get(found.kind, 0.0 if found.content or found.kind == "refused" else _WAIT_EMPTY)
        if not wait:
            self._seen.pop(path, None)
            return True
        seen, since = self._seen.get(path, (None, 0.0))
        if seen != found:
            since = self.now()
            self._seen[path] = (found, since)
        remaining = since + wait - self.now()
        if remaining > 0.001:  # noqa: PLR2004  timers may fire a little early
            self.wake_in(remaining)
            return False
        return True

    def forget(self, path: Path) -> None:
        """Starts anew with a path that was found as expected."""
        self._seen.pop(path, None)
