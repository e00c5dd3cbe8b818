"""Messages of the language server protocol on a byte stream: a header that says how long the body is, then the body.

Reading and writing are bounded. What may be left out (progress, streamed text, a diagnostic that a newer one replaces) waits in one place per
subject while the client does not read; a client that has not read `HARD_LIMIT` bytes is disconnected and starts afresh.
"""

from __future__ import annotations

import asyncio
import re

BODY_LIMIT = 64 * 1024 * 1024
"""Longest body that is read, in bytes."""
SOFT_LIMIT = 256 * 1024
HARD_LIMIT = 32 * 1024 * 1024
"""Bytes waiting for a client above which nothing that may wait is written, and above which the client is given up."""

_LENGTH = re.compile(rb"^content-length:\s*(\d+)\s*$", re.IGNORECASE)


class FrameError(Exception):
    """The stream is not a sequence of framed messages; the sentence says why."""


async def read_body(reader: asyncio.StreamReader) -> bytes | None:
    """Returns the next body, or None at the end of the stream; raises FrameError where it makes no sense to read on."""
    length: int | None = None
    while True:
        try:
            line = await reader.readline()
        except ValueError as error:
            raise FrameError("A header line is longer than any header.") from error
        if not line:
            return None
        if not line.strip():
            break
        found = _LENGTH.match(line.strip())
        length = int(found[1]) if found else length
    if length is None:
        raise FrameError("A message came without Content-Length.")
    if length > BODY_LIMIT:
        raise FrameError(f"A message of {length} bytes is more than {BODY_LIMIT // 1024 // 1024} MB.")
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None


def framed(body: bytes) -> bytes:
    """Returns a body with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class BoundedWriter:
    """The way to one client. `write` takes whole frames; `offer` takes bodies that a later one about the same subject replaces."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: dict[str, bytes] = {}
        self._flushing: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Whether the client does not keep up with what is written to it."""
        return self._size > SOFT_LIMIT

    @property
    def _size(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    def write(self, frame: bytes) -> None:
        """Writes a frame at once; gives the client up where too much waits for it already."""
        if self._size > HARD_LIMIT:
            self._writer.transport.abort()
        elif not self._writer.is_closing():
            self._writer.write(frame)

    def offer(self, subject: str, body: bytes) -> None:
        """Writes a body, or keeps it until the client reads; an older one about the same subject is dropped."""
        if not self.is_behind and not self._waiting:
            self.write(framed(body))
            return
        self._waiting.pop(subject, None)
        self._waiting[subject] = body
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())

    async def wait_room(self) -> None:
        """Returns when the client has read what was written, nearly; raises ConnectionError when it is gone."""
        await self._writer.drain()

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._writer.drain()
                subject = next(iter(self._waiting))
                self.write(framed(self._waiting.pop(subject)))
        except ConnectionError:
            self._waiting.clear()
        finally:
            self._flushing = None

    def close(self) -> None:
        """Ends the way; what was written is still sent."""
        if self._flushing:
            self._flushing.cancel()
        self._writer.close()
