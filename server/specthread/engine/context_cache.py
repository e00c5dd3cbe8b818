"""Remembers what was worked out before from content that never changes, such as what a tool found in the tree of a commit. Losing it costs time and nothing else.

A key says by content what the value follows from (`content_key`), so a value is never wrong, only old: it goes when its time is over, when it is
the least used and there is no room, or by name.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import structlog
from cachetools import Cache, LFUCache, LRUCache

from specthread.engine.durable_file import replace_durably

_logger = structlog.get_logger(__name__)

MOST_BYTES = 100 << 20
SECONDS = 7 * 86_400.0
"""How long a value is kept where nobody says otherwise."""
CACHE_FILE = "cache.bin"
"""Its name in the state folder."""
_OVERHEAD = 200
"""Bytes that an entry takes beside key and value."""
_FORMAT = 1

Policy = Literal["lru", "lfu"]
"""Which value makes room: the one not used for longest, or the one used least."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A value, and the second until which it is kept."""

    value: bytes
    until: float


class _File(msgspec.Struct, frozen=True):
    format: int
    digest: bytes
    entries: bytes


@dataclass(slots=True, kw_only=True)
class CacheMetrics:
    """How often it was asked and knew, how often not, and how many values went because there was no room or their time was over."""

    hits: int = 0
    misses: int = 0
    evicted: int = 0
    expired: int = 0
    entries: int = 0
    bytes: int = 0

    @property
    def hit_rate(self) -> float:
        """The part of the questions that it could answer, between 0 and 1."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


def content_key(kind: str, *parts: Any) -> str:  # noqa: ANN401  any JSON value
    """Returns the key of what follows from these parts alone: `kind/` and a digest."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return f"{kind}/{hashlib.sha256(text.encode()).hexdigest()}"


@dataclass(slots=True, kw_only=True)
class ContextCache:
    """Values by key, up to `most_bytes`; `clock` gives seconds since the epoch, since values outlive the process."""

    policy: Policy = "lru"
    most_bytes: int = MOST_BYTES
    seconds: float = SECONDS
    clock: Callable[[], float] = time.time
    _metrics: CacheMetrics = field(default_factory=CacheMetrics)
    _entries: Cache[str, Entry] = field(init=False)

    def __post_init__(self) -> None:
        kind = LFUCache if self.policy == "lfu" else LRUCache
        # The library does not give the key to the measure: an allowance stands for it.
        self._entries = kind(self.most_bytes, getsizeof=lambda entry: len(entry.value) + _OVERHEAD)

    def get(self, key: str) -> bytes | None:
        """Returns what is remembered, or None."""
        entry = self._entries.get(key)
        if entry is not None and entry.until <= self.clock():
            del self._entries[key]
            self._metrics.expired += 1
            entry = None
        if entry is None:
            self._metrics.misses += 1
            return None
        self._metrics.hits += 1
        return entry.value

    def put(self, key: str, value: bytes, seconds: float | None = None) -> None:
        """Remembers a value for so many seconds; one that is larger than all there is room for is not."""
        if len(value) + _OVERHEAD > self.most_bytes:
            return
        before = len(self._entries) - (key in self._entries)
        self._entries[key] = Entry(value, self.clock() + (self.seconds if seconds is None else seconds))
        self._metrics.evicted += max(0, before + 1 - len(self._entries))

    def knows(self, key: str) -> bool:
        """Tells whether a value is there, without counting as a question."""
        return key in self._entries

    def child(self, name: str) -> CacheScope:
        """Returns a part of its own: it sees what is known here, and what it learns is forgotten with it."""
        return CacheScope(parent=self, cache=self, prefix=f"{name}:")

    def invalidate(self, pattern: str) -> int:
        """Forgets every key that matches a pattern as of file names; returns how many."""
        found = [key for key in self._entries if fnmatch.fnmatchcase(key, pattern)]
        for key in found:
            del self._entries[key]
        return len(found)

    @property
    def metrics(self) -> CacheMetrics:
        """How it did so far."""
        self._metrics.entries, self._metrics.bytes = len(self._entries), int(self._entries.currsize)
        return self._metrics

    # --- on disk ---------------------------------------------------------------------------------------------------------

    def living(self) -> dict[str, Entry]:
        """Returns all that is remembered."""
        now = self.clock()
        return {key: entry for key, entry in list(self._entries.items()) if entry.until > now}

    def exported(self) -> bytes:
        """Returns all that is remembered, for `load`."""
        return encoded(self.living())

    def load(self, content: bytes) -> int:
        """Takes in what was exported, the newest of a key; returns how many values. Raises ValueError for anything else."""
        return self.take_in(decoded(content))

    def take_in(self, entries: Mapping[str, Entry]) -> int:
        """Takes in values of elsewhere, the newest of a key, none for longer than one of this cache; returns how many."""
        now, taken = self.clock(), 0
        for key, entry in entries.items():
            known, until = self._entries.get(key), min(entry.until, now + self.seconds)
            # A time that is no number is not later than now.
            if until > now and (known is None or known.until < until) and len(entry.value) + _OVERHEAD <= self.most_bytes:
                self._entries[key] = Entry(entry.value, until)
                taken += 1
        return taken

    def save(self, path: Path) -> None:
        """Writes it beside the log; what cannot be written is lost, and that is all."""
        try:
            replace_durably(path, self.exported())
        except OSError as error:
            _logger.warning("the cache was not kept", reason=str(error))

    def restore(self, path: Path) -> None:
        """Takes in what was saved, where it is there and whole."""
        try:
            self.load(path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            _logger.warning("the cache begins empty", reason=str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheScope:
    """A part of a cache with keys of its own."""

    parent: ContextCache | CacheScope
    cache: ContextCache
    prefix: str

    def get(self, key: str) -> bytes | None:
        """Returns what is remembered here, or above."""
        own = f"{self.prefix}{key}"
        value = self.cache.get(own) if self.cache.knows(own) else None
        return self.parent.get(key) if value is None else value

    def put(self, key: str, value: bytes, seconds: float | None = None) -> None:
        """Remembers a value here alone."""
        self.cache.put(f"{self.prefix}{key}", value, seconds)

    def child(self, name: str) -> CacheScope:
        """Returns a part of this part."""
        return CacheScope(parent=self, cache=self.cache, prefix=f"{self.prefix}{name}:")

    def forget(self) -> int:
        """Forgets what was learned here and below; returns how many values."""
        return self.cache.invalidate(f"{_literal(self.prefix)}*")


def encoded(entries: Mapping[str, Entry]) -> bytes:
    """Returns values as a file holds them."""
    content = msgspec.msgpack.encode(entries)
    return msgspec.msgpack.encode(_File(format=_FORMAT, digest=hashlib.sha256(content).digest(), entries=content))


def decoded(content: bytes) -> dict[str, Entry]:
    """Returns the values of a file; raises ValueError, with what is wrong, where it holds none or is not as it was written."""
    try:
        file = msgspec.msgpack.decode(content, type=_File)
        if file.format > _FORMAT:
            raise ValueError("it was made by a newer Specthread")
        if file.format < _FORMAT or hashlib.sha256(file.entries).digest() != file.digest:
            raise ValueError("it is damaged")
        return msgspec.msgpack.decode(file.entries, type=dict[str, Entry])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("it is no exported cache, or not whole") from error


def _literal(text: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in text)
