"""Which models a server has, with their limits and how long they live: asked when a person or a first call wants to know, and kept for a day in the state folder.

Servers that are only compatible list little more than names, each in words of its own for how much fits into a model; what they do not say is not known.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from specthread.agents.backend import ModelError
from specthread.agents.capabilities import SMALL_CONTEXT

FRESH_FOR: Final = timedelta(hours=24)
_CONTEXT: Final = ("max_input_tokens", "max_model_len", "max_context_length", "context_length", "context_window", "n_ctx", "n_ctx_train")
_DATED: Final = re.compile(r"-\d{8}$|:latest$")


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Is what a server says of one of its models; `context` and `longest_reply` are tokens, None or empty is what it does not say."""

    id: str
    context: int | None = None
    longest_reply: int | None = None
    lifecycle: str = ""
    retires: date | None = None
    schemas: bool | None = None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Is what a server had at some time."""

    at: datetime
    models: tuple[ModelFacts, ...]

    def find(self, model: str) -> ModelFacts | None:
        """Returns the facts of a model; a name may leave out the date, or the tag, of the newest of its kind."""
        exact = [each for each in self.models if each.id == model]
        return next(iter(exact or [each for each in self.models if _DATED.sub("", each.id) == model]), None)


def facts_from(body: Any) -> tuple[ModelFacts, ...]:  # noqa: ANN401  any JSON value
    """Returns the models that an answer lists; what is not understood in it is left out."""
    data = body.get("data") if isinstance(body, dict) else None
    return (
        tuple(_facts(each) for each in data if isinstance(each, dict) and isinstance(each.get("id"), str)) if isinstance(data, list) else ()
    )


def _facts(given: Mapping[str, Any]) -> ModelFacts:
    capabilities = _table(given.get("capabilities"))
    schemas = _table(capabilities.get("structured_outputs")).get("supported")
    lifecycle = given.get("lifecycle")
    numbers = {**_table(given.get("meta")), **given}
    return ModelFacts(
        id=given["id"],
        context=next((found for name in _CONTEXT if (found := _count(numbers.get(name)))), None),
        longest_reply=_count(given.get("max_tokens")),
        lifecycle=lifecycle if isinstance(lifecycle, str) else "",
        retires=_day(given.get("retires_at")),
        schemas=schemas if isinstance(schemas, bool) else None,
    )


def complaints(listing: Listing, model: str) -> tuple[str, ...]:
    """Says what is wrong with using a model of a server, in sentences that go after its name."""
    facts = listing.find(model)
    if facts is None:
        names = [each.id for each in listing.models]
        near = difflib.get_close_matches(model, names, n=3, cutoff=0.3) or names[:3]
        return (
            f"does not exist there. It has {', '.join(near)}{' and others' if len(names) > len(near) else ''}."
            if near
            else "does not exist there: it has none.",
        )
    found = []
    until = f" on {facts.retires:%Y-%m-%d}" if facts.retires else ""
    if facts.lifecycle == "retired":
        found.append("is retired: no call to it succeeds any more.")
    elif facts.lifecycle == "deprecated":
        found.append(f"is deprecated and retires{until or ' some day'}. Choose a newer one.")
    if facts.context and facts.context < SMALL_CONTEXT:
        found.append(f"holds {facts.context:,} tokens at once, too few for most work: {SMALL_CONTEXT:,} are the least that make sense.")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Keeps what servers have in a file, by their address; one that cannot be read is asked for anew."""

    file: Path

    def known(self, url: str) -> Listing | None:
        """Returns what was last heard from a server, however long ago."""
        return self._read().get(url.rstrip("/"))

    async def of(self, url: str, ask: Callable[[], Awaitable[tuple[ModelFacts, ...]]], now: datetime) -> Listing:
        """Returns what a server has, asking where that was last heard more than a day ago; raises `ModelError` where it was never heard and cannot be."""
        known = self.known(url)
        if known and now - known.at < FRESH_FOR:
            return known
        try:
            listing = Listing(at=now, models=await ask())
        except ModelError:
            if known is None:
                raise
            return known
        self._write(url.rstrip("/"), listing)
        return listing

    def _read(self) -> dict[str, Listing]:
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=dict[str, Listing])
        except (OSError, msgspec.DecodeError):
            return {}

    def _write(self, url: str, listing: Listing) -> None:
        fresh = self.file.with_name(f"{self.file.name}.{os.getpid()}")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh.write_bytes(msgspec.json.encode({**self._read(), url: listing}))
            fresh.replace(self.file)
        except OSError:
            fresh.unlink(missing_ok=True)  # it is asked for again the next time


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _day(value: object) -> date | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC).date() if isinstance(value, str) else None
    except ValueError:
        return None
