"""What every event is, and how it stands in the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from specthread.domain.ids import SpecTaskId
from specthread.domain.model import Actor, RecordKind

SCHEMA = 1
"""Version of the event vocabulary, written with every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of the closed list; `record` names the kind of git record it needs, or None."""

    record: ClassVar[RecordKind | None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An event in the log: `seq` counts from 1 without gaps; `instance` is the log's own id; `time` is UTC."""

    seq: int
    instance: str
    schema: int
    host: str
    actor: Actor
    time: datetime
    spectask: SpecTaskId
    event: Event
