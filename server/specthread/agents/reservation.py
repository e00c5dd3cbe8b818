"""How many tokens a request can be at most, so that what is reserved for a call is never less than what it costs.

No tokeniser makes more tokens than there are bytes, which is three to four times too many for text. But what the last call of a run sent is known
to the token, and the next one mostly sends it again: only what is new since then is counted by its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import takewhile

from specthread.agents.backend import ModelRequest, Usage
from specthread.agents.compaction import encoded

ADDED = 1_000
"""Tokens that a server puts beside what it is sent: how tools are used, and who speaks."""

_Piece = tuple[bytes, int]
"""The digest and the length of a part of a request: what stands before the conversation, then message by message."""


@dataclass(slots=True)
class Meter:
    """Bounds the requests of one run from above; holds digests of the last one that was answered, not its words."""

    _pieces: tuple[_Piece, ...] = ()
    _tokens: int = 0
    _of: tuple[ModelRequest, tuple[_Piece, ...]] | None = field(default=None, repr=False)

    def most(self, request: ModelRequest) -> int:
        """Returns how many tokens the model can be given with this request, at most."""
        pieces = self._pieces_of(request)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(pieces, self._pieces, strict=False)))
        by_bytes = ADDED + sum(length for _, length in pieces)
        if not same:
            return by_bytes
        # The beginning that both have in common is no more than the whole of the last one was.
        return min(by_bytes, self._tokens + sum(length for _, length in pieces[same:]))

    def answered(self, request: ModelRequest, usage: Usage) -> None:
        """Takes down what a request has turned out to be; thinking is sent again and may be more than its words show."""
        if usage.sent:
            self._pieces, self._tokens = self._pieces_of(request), usage.sent + usage.output
        self._of = None

    def _pieces_of(self, request: ModelRequest) -> tuple[_Piece, ...]:
        if self._of is None or self._of[0] is not request:
            parts = ((request.model, request.system, request.tools, request.schema), *request.messages)
            self._of = (request, tuple(_piece(encoded(part)) for part in parts))
        return self._of[1]


def _piece(content: bytes) -> _Piece:
    return blake2b(content, digest_size=16).digest(), len(content)
