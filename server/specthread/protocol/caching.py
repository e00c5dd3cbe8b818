"""Requests about the cache of what was worked out before: how it does, and a person who copies or empties it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from specthread.domain.model import Refusal
from specthread.engine.cache_file import read_export, write_export
from specthread.protocol.request import Answer, Request
from specthread.protocol.wire_locks import CacheParams, CacheResult


async def cache(request: Request, params: CacheParams) -> Answer:
    """Shows how the cache does, after it was exported, imported or emptied."""
    if params.action == "show":
        return _result(request, 0, "")
    if params.action == "clear":
        count = request.ports.engine.cache.invalidate(params.pattern)
        return _result(request, count, f"{_values(count)} {'is' if count == 1 else 'are'} forgotten.")
    if not params.file:
        return Refusal(code="no-file", message="No file is named.", hint="Name one; a relative path begins in your folder.")
    path = Path(request.client.cwd, params.file)
    return await (_export if params.action == "export" else _import)(request, path)


async def _export(request: Request, path: Path) -> Answer:
    entries = request.ports.engine.cache.living()
    try:
        await asyncio.to_thread(write_export, path, entries)
    except FileExistsError:
        return Refusal(code="exists", message=f"{path} is there already; nothing was written.", hint="Name a new file.")
    return _result(request, len(entries), f"{path} holds {_values(len(entries))}. `specthread daemon cache import {path}` takes them in.")


async def _import(request: Request, path: Path) -> Answer:
    known = request.ports.engine.cache
    try:
        entries = await asyncio.to_thread(read_export, path, known.most_bytes)
    except ValueError as error:
        hint = "Nothing was taken in. Name a file that `specthread daemon cache export` wrote."
        return Refusal(code="bad-cache-file", message=f"{path} cannot be taken in: {error}.", hint=hint)
    count = known.take_in(entries)
    rest = len(entries) - count
    left = f" {_values(rest)} {'was' if rest == 1 else 'were'} known already, too old or too large." if rest else ""
    return _result(request, count, f"{_values(count)} of {path} {'is' if count == 1 else 'are'} taken in.{left}")


def _values(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"


def _result(request: Request, concerned: int, text: str) -> CacheResult:
    known = request.ports.engine.cache
    metrics = known.metrics
    return CacheResult(
        hits=metrics.hits,
        misses=metrics.misses,
        hit_rate=metrics.hit_rate,
        evicted=metrics.evicted,
        expired=metrics.expired,
        entries=metrics.entries,
        bytes=metrics.bytes,
        most_bytes=known.most_bytes,
        concerned=concerned,
        text=text,
    )
