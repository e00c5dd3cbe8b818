"""What editors hold of one SpecTask's live documents: which text is unsaved, and what a saved one was made from.

The language server protocol has no word for “unsaved”, so it is told apart here: a buffer is unsaved while its text is neither the one it last
shared with the disk (its *base*) nor the one that stands there now. A save is merged from its base; an editor that saves while another one,
or the daemon, has gone on loses nothing by it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from specthread.spec.source import BYTE_ORDER_MARK

_STOOD = 8
"""Texts that stood on the disk last, from which an editor that opens a document may have read it."""
_SAVES = 20
"""Saves of a document that are remembered until the desk has seen them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """What one editor shows of a document; `base` is None where nobody knows what its text was made from."""

    text: bytes
    base: bytes | None
    is_unseen: bool = False
    """Whether `base` was saved, and the desk has not seen it."""

    @property
    def unsaved(self) -> bool:
        """Whether it holds something that was not on the disk when editor and disk last agreed."""
        return self.base is None or not same_text(self.text, self.base)


def same_text(one: bytes, other: bytes) -> bool:
    """Tells whether two contents read the same in an editor, which shows no byte order mark and, some of them, one kind of line end."""
    return one == other or _shown(one) == _shown(other)


def _shown(content: bytes) -> bytes:
    return content.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n")


def _trimmed(content: bytes) -> list[bytes]:
    return [line.rstrip() for line in _shown(content).rstrip().split(b"\n")]


class Buffers:
    """The open buffers by document and holder; a holder is one connected editor. `changed` is called when a desk should look again."""

    def __init__(self) -> None:
        self.changed: Callable[[], object] = lambda: None
        self._open: defaultdict[str, dict[str, Buffer]] = defaultdict(dict)
        self._standing: dict[str, bytes] = {}
        self._stood: defaultdict[str, deque[bytes]] = defaultdict(lambda: deque(maxlen=_STOOD))
        self._saves: defaultdict[str, deque[tuple[int, Buffer]]] = defaultdict(lambda: deque(maxlen=_SAVES))
        self._told = 0

    # --- what editors tell ----------------------------------------------------------------------------------------------

    def hold(self, document: str, holder: str, text: bytes) -> None:
        """Notes what an editor shows now: it opened the document, changed it, or read it anew from the disk."""
        known = self._open[document].get(holder)
        standing = self._standing.get(document)
        if standing is not None and same_text(text, standing):
            self._put(document, holder, Buffer(text=text, base=standing))
        elif known is not None and known.base is not None:
            self._put(document, holder, replace(known, text=text))
        else:
            base = next((each for each in reversed(self._stood[document]) if same_text(text, each)), None)
            self._put(document, holder, Buffer(text=text, base=base))

    def save(self, document: str, holder: str) -> None:
        """Notes that an editor wrote what it shows to the disk."""
        known = self._open[document].get(holder)
        if known is not None and known.unsaved:
            self._remember(document, known)
            self._put(document, holder, Buffer(text=known.text, base=known.text, is_unseen=True))

    def rebase(self, document: str, holder: str, base: bytes) -> None:
        """Notes that an editor merged `base` into what it shows; that stays unsaved until it is saved."""
        known = self._open[document].get(holder)
        if known is not None:
            # Even where it now reads just like the live version, the disk does not: writing there would surprise the editor.
            self._open[document][holder] = Buffer(text=known.text, base=None if same_text(known.text, base) else base)

    def drop(self, document: str, holder: str) -> None:
        """Notes that an editor closed the document, or went away."""
        known = self._open[document].pop(holder, None)
        if known is not None and known.unsaved:
            self._remember(document, known)  # it may have been saved by a word that never came
            self.changed()

    def _remember(self, document: str, buffer: Buffer) -> None:
        self._told += 1
        self._saves[document].append((self._told, buffer))

    def _put(self, document: str, holder: str, buffer: Buffer) -> None:
        known = self._open[document].get(holder)
        self._open[document][holder] = buffer
        if known is not None and known.unsaved and not buffer.unsaved:
            self.changed()

    # --- what the desk asks and tells -----------------------------------------------------------------------------------

    def unsaved(self) -> dict[str, tuple[str, ...]]:
        """Returns the documents with unsaved text, and who holds it."""
        holders = {name: tuple(sorted(holder for holder, buffer in held.items() if buffer.unsaved)) for name, held in self._open.items()}
        return {name: who for name, who in holders.items() if who}

    def shown(self, document: str, holder: str) -> Buffer | None:
        """Returns what an editor shows of a document."""
        return self._open[document].get(holder)

    def base(self, document: str, saved: bytes, otherwise: bytes) -> bytes:
        """Returns what a text found on the disk was made from: as an editor told it, else `otherwise`."""
        # A save that the desk has not seen is no base of itself.
        told = [buffer for buffer in self._known(document) if buffer.unsaved or not buffer.is_unseen]
        same = next((buffer for buffer in told if same_text(buffer.text, saved)), None)
        # Some savers take blanks off the ends of lines and of the file before they write.
        same = same or next((buffer for buffer in told if _trimmed(buffer.text) == _trimmed(saved)), None)
        return otherwise if same is None or same.base is None else same.base

    def _known(self, document: str) -> Iterator[Buffer]:
        yield from (buffer for _, buffer in reversed(self._saves[document]))
        yield from self._open[document].values()

    def stand(self, document: str, content: bytes) -> None:
        """Notes what stands on the disk: a save that was taken, or what the daemon wrote or is just about to."""
        self._standing[document] = content
        self._stood[document].append(content)
        for holder, buffer in self._open[document].items():
            if same_text(buffer.text, content):
                self._open[document][holder] = Buffer(text=content, base=content)
        seen = max((number for number, buffer in self._saves[document] if same_text(buffer.text, content)), default=0)
        self.settle(document, seen)

    @property
    def told(self) -> int:
        """Counts the saves that editors told of, of any document."""
        return self._told

    def settle(self, document: str, told: int) -> None:
        """Forgets the saves of a document among the first `told`: the desk has seen all of them."""
        saves = self._saves[document]
        while saves and saves[0][0] <= told:
            saves.popleft()
