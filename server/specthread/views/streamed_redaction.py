"""Keeps keys out of words that arrive in pieces: what may yet become one is held back until it is known not to be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from specthread.views.redaction import redacted, secret_spans

_LEAST_HELD: Final = 256
"""Characters of one unbroken word that are held back at most, where no secret is longer: no key in a known shape is."""
_BEGIN: Final = "-----BEGIN"
_END: Final = re.compile(r"-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----")
_WORD: Final = re.compile(r"[!-~]*\Z")


@dataclass(slots=True)
class StreamedRedaction:
    """Takes in pieces of one text and gives them out without secrets; `secrets` are the values known at each moment."""

    secrets: Sequence[str]
    _held: str = field(default="", init=False)

    def fed(self, text: str) -> str:
        """Returns what may be shown by now."""
        whole = self._held + text
        at = self._safe(whole)
        self._held = whole[at:]
        return redacted(whole[:at], self.secrets) if at else ""

    def rest(self) -> str:
        """Returns what was held back, when nothing comes any more."""
        held, self._held = self._held, ""
        return redacted(held, self.secrets) if held else ""

    def _safe(self, whole: str) -> int:
        """Returns up to where nothing can become a part of a secret."""
        word = _WORD.search(whole)
        at = word.start() if word else len(whole)
        most = max([_LEAST_HELD, *map(len, self.secrets)])
        if len(whole) - at > most and redacted(whole[at:], self.secrets) == whole[at:]:
            at = len(whole) - most
        begun = whole.rfind(_BEGIN)
        if begun >= 0 and not _END.search(whole, begun):
            at = min(at, begun)
        at = min([at, *(len(whole) - _begun(whole, secret) for secret in self.secrets)])
        # What is shown never ends in the middle of a secret that is there as a whole.
        spans = sorted(secret_spans(whole, self.secrets), reverse=True)
        for first, last in spans:
            at = first if first < at < last else at
        return at


def _begun(whole: str, secret: str) -> int:
    """Returns how many of the last characters may be the beginning of a secret."""
    return next((size for size in range(min(len(secret) - 1, len(whole)), 0, -1) if whole.endswith(secret[:size])), 0)
