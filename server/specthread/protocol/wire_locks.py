"""Resources and the cache of the daemon, as they travel. Times are in seconds unless they are moments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from specthread.protocol.wire_base import Wire


class ReleaseParams(Wire):
    """Takes a resource from the run that holds it, `target`; `text` tells its agent why. Repeated with its `key`, it is answered as the first time."""

    resource: Annotated[str, Field(min_length=1, max_length=300)]
    target: Annotated[str, Field(min_length=1, max_length=300)]
    text: Annotated[str, Field(max_length=4_000, pattern="^[^\\x00]*$")] = ""
    key: Annotated[str, Field(max_length=200)] = ""


class CacheParams(Wire):
    """Asks how the cache does; `export` copies it into a new `file`, `import` takes one in, `clear` forgets the keys that match a pattern as of file names."""

    action: Literal["show", "export", "import", "clear"] = "show"
    file: Annotated[str, Field(max_length=4096)] = ""
    pattern: Annotated[str, Field(max_length=500)] = "*"


class HolderView(Wire):
    """Who has a resource: a session, the task it works on (empty where it was spawned), how, and for how long already."""

    spectask: str
    session: str
    task: str
    title: str
    mode: Literal["shared", "exclusive"]
    since: datetime
    seconds: float


class InLineView(Wire):
    """Who waits for a resource and what for; `session` is empty, and `since` null, for a task that begins only when it is free. `gives_up` is when it waits no longer."""

    spectask: str
    session: str
    task: str
    title: str
    mode: Literal["shared", "exclusive"]
    since: datetime | None
    seconds: float
    gives_up: datetime | None
    why: str


class LockStatisticsView(Wire):
    """What happened around a resource so far: how often it was taken, how often only after somebody had left, and how long that took.

    The median is that of the last hundred waits, `victims` are those who gave way last in deadlocks, `held` counts the present holds too.
    """

    taken: int
    waited: int
    median_wait: float
    longest_wait: float
    timeouts: int
    deadlocks: int
    victims: list[str]
    taken_back: int
    held: float


class ResourceView(Wire):
    """A resource; `repository` is empty where it is everybody's, or where no session has used it yet. At most `capacity` share it, null is any number."""

    resource: str
    repository: str
    capacity: int | None
    configured: bool
    holders: list[HolderView]
    line: list[InLineView]
    statistics: LockStatisticsView


class LocksResult(Wire):
    """Every resource that is configured or was used, those with a line first; how long an agent waits for one where it names no time, and at most."""

    resources: list[ResourceView]
    usual_wait: float
    most_wait: float


class CacheResult(Wire):
    """How the cache did since the daemon started, in bytes and counts; `concerned` counts what was exported, taken in or forgotten, and `text` says so."""

    hits: int
    misses: int
    hit_rate: float
    evicted: int
    expired: int
    entries: int
    bytes: int
    most_bytes: int
    concerned: int
    text: str
