"""One live document on the desk: its file, what is known about it, and what is done when either side moves.

Theory of operation. `shared` is the text that both sides agree was last in the file. A visit first reads the file: text other than
`shared` is a human save and is offered as an edit; only a file that holds `shared` is written to. Writing swaps files, and the one swapped
out is *held* for a while: what a saver put into it meanwhile is a human save as well. A save that cannot be taken makes the page *stuck*:
the file stays as the human left it until the human, or a new live version, resolves it.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import structlog

from specthread.domain.model import SpecTaskState
from specthread.engine.buffers import Buffers
from specthread.engine.desk_file import DeskFolders, Look, held_of, look, place, swap
from specthread.engine.desk_history import DeskHistory, likely_base
from specthread.engine.desk_offer import Offer, offer
from specthread.engine.desk_port import DeskPorts, Patience

LINGER = 10.0
"""Seconds for which a swapped-out file is watched, and longer while a writer has it open."""
RETRY = 5.0
"""Seconds until something the outer world prevented is tried again."""
SOON = 0.2
"""Seconds until a save is merged again with a live document that is moving."""

_log = structlog.get_logger(__name__)
_MARKER = re.compile(rb"^(<{7}|>{7})( |\r?$)", re.MULTILINE)
_HEADER = re.compile(rb"^<!-- specthread:conflict .*-->\r?\n", re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class Held:
    """A swapped-out file: the text it is known to hold, and until when savers may still surprise."""

    path: Path
    known: bytes
    until: float


class DeskPage:
    """The file of one live document; `note` says what the human should know about it, empty when all is well."""

    def __init__(self, *, name: str, path: Path, folders: DeskFolders, ports: DeskPorts, buffers: Buffers, patience: Patience) -> None:
        self.note = ""
        self._name = name
        self._path = path
        self._question = path.with_name(f"{path.stem}.conflict{path.suffix}")
        self._folders = folders
        self._history = DeskHistory(folders.history / name)
        self._ports = ports
        self._buffers = buffers
        self._patience = patience
        self._held: list[Held] = []
        self._opened = False
        self._stands: bytes | None = None
        self._seen_live: bytes | None = None
        self._stuck: Look | None = None
        self._stuck_at: tuple[int, SpecTaskState] | None = None
        self._stuck_base: bytes | None = None
        """What the first save that was not taken was made from; later ones rest on it too, whatever an editor has shared with the disk."""
        self._retry_at: float | None = None
        self._conflict: bytes | None = None
        """The live text shown in the conflict file, where one stands."""
        self._asked: bytes | None = None
        """What the daemon wrote into the conflict file in this life."""

    async def open(self) -> None:
        """Reads what an earlier daemon left: the last text on disk, a standing conflict, files that were held when it ended."""
        last = await asyncio.to_thread(self._history.last)
        self._shared = last.content if last else None
        self._conflict = await asyncio.to_thread(self._history.standing)
        for path in await asyncio.to_thread(held_of, self._path, self._folders):
            found = await asyncio.to_thread(look, path)
            known = {version.content for version in await asyncio.to_thread(self._history.versions)}
            # A text that was never finished is the daemon's own: it died before it could swap.
            own = found.content in known or bool(last and last.content.startswith(found.content))
            self._held.append(Held(path=path, known=found.content if own else b"", until=self._patience.now() + (0.0 if own else LINGER)))

    def is_behind(self) -> bool:
        """Tells whether the live document moved since the last visit, or whether a save that was refused may be taken now."""
        return self._live != self._seen_live or (self._stuck is not None and self._stuck_at != self._moment)

    @property
    def is_stuck(self) -> bool:
        """Whether the file holds a save that was not taken."""
        return self._stuck is not None

    async def visit(self) -> None:
        """Takes what the human saved, then writes what the daemon has; raises OSError or GitError when the outer world does not let it."""
        if not self._opened:
            self._opened = await self._finish_offer()
            if not self._opened:
                return
        for held in list(self._held):
            await self._visit_held(held)
        told = self._buffers.told
        found = await asyncio.to_thread(look, self._path)
        if found.kind not in {"absent", "refused"} and found.content == self._shared:
            self._buffers.settle(self._name, told)
            self._patience.forget(self._path)
            await self._clear()
        elif self._shared is None and found.kind == "absent":
            await self._place()
            return
        elif not self._patience.believes(self._path, found):
            return
        elif found.kind == "absent":
            await self._write_back()
            return
        elif not await self._answered(found) and not await self._take(found):
            return
        await self._bring()

    # --- from the disk ---

    async def _take(self, found: Look) -> bool:
        """Offers what the file holds; returns whether it is part of the live document now."""
        found = found if found.kind == "refused" else Look(kind="settled", content=found.content)
        if self._is_known(found):
            return False
        if found.kind == "refused":
            await self._refuse_file(found)
            return False
        base = self._stuck_base if self._stuck_base is not None else await self._likely_base(found.content)
        came = await self._offer(found.content, base)
        if came.kind == "taken":
            self._shared = found.content
            await self._clear()
            return True
        if came.kind != "stale":
            self._stuck_base = base
        await self._stick(found, found.content, came)
        return False

    def _is_known(self, found: Look) -> bool:
        """Tells whether this very text was not taken before, and nothing has changed that could make it acceptable."""
        if self._stuck != found or self._stuck_at != self._moment:
            return False
        remaining = self._retry_at - self._patience.now() if self._retry_at else 0.0
        if remaining > 0:
            self._patience.wake_in(remaining)
        return remaining > 0 or self._retry_at is None

    async def _likely_base(self, content: bytes) -> bytes:
        return self._buffers.base(self._name, content, likely_base(await asyncio.to_thread(self._history.versions), content))

    async def _offer(self, content: bytes, base: bytes) -> Offer:
        await asyncio.to_thread(self._history.begin_offer, content)
        came = await offer(self._ports, self._name, content, base)
        if came.kind == "taken":
            await asyncio.to_thread(self._history.take_offer)
        else:
            await asyncio.to_thread(self._history.drop_offer)
        return came

    async def _finish_offer(self) -> bool:
        """Offers again what an earlier daemon was offering when it ended; returns False where that has to wait."""
        content = await asyncio.to_thread(self._history.offered)
        if content is not None:
            came = await self._offer(content, await self._likely_base(content))
            if came.kind == "stale":
                self._patience.wake_in(SOON)
                return False
            await self._record_shared()
        return True

    async def _record_shared(self) -> None:
        """Notes that the daemon's text stands in the file although a human save was taken last."""
        if self._shared is not None:
            await asyncio.to_thread(self._history.record, "daemon", self._shared)

    async def _stick(self, found: Look, text: bytes, came: Offer) -> None:
        if came.kind == "stale":
            self._patience.wake_in(SOON)
            return
        if came.kind == "conflict":
            await self._ask(text, came)
        else:
            if self._stuck != found:
                await asyncio.to_thread(self._history.keep, "refused", found.content)
            self.note = f"Your save of {self._shown} was not taken: {came.reason} The file stays as you saved it."
        self._stuck, self._stuck_at, self._retry_at = found, self._moment, None
        if came.code == "store-unavailable":
            self._retry_at = self._patience.now() + RETRY
            self._patience.wake_in(RETRY)

    async def _refuse_file(self, found: Look) -> None:
        if self._stuck != found:
            kept = await asyncio.to_thread(self._history.keep_file, self._path)
            copy = f" A copy is kept as {kept.name} in {kept.parent}." if kept else ""
            self.note = (
                f"{self._shown} {found.reason}, so it was not taken as an edit.{copy}"
                " Save a plain text file in its place, or delete it to get the live version back."
            )
        self._stuck, self._stuck_at = found, self._moment

    async def _visit_held(self, held: Held) -> None:
        found = await asyncio.to_thread(look, held.path)
        now = self._patience.now()
        if found.kind == "refused":
            await asyncio.to_thread(self._history.move_in, "refused", held.path)
            self._held.remove(held)
        elif found.kind == "absent":
            self._held.remove(held)
        elif found.content != held.known:
            if self._patience.believes(held.path, found):
                await self._take_held(held, found)
        elif now < held.until or found.kind == "open":
            self._patience.wake_in(held.until - now if now < held.until else LINGER)
        else:
            await asyncio.to_thread(held.path.unlink)
            self._held.remove(held)

    async def _take_held(self, held: Held, found: Look) -> None:
        base = await self._likely_base(found.content)
        came = await self._offer(found.content, base)
        if came.kind == "stale":
            self._patience.wake_in(SOON)
            return
        held.known = found.content
        held.until = self._patience.now() + LINGER
        self._patience.wake_in(LINGER)
        if came.kind != "taken" and self._shared is not None:
            # The human believes to have saved this: it goes where the human saved it, and is asked about there.
            self._stuck_base = base if self._stuck_base is None else self._stuck_base
            await self._swap(found.content)
        else:
            await self._record_shared()

    # --- to the disk ---

    async def _bring(self) -> None:
        live = self._live
        self._seen_live = live
        if live == self._shared:
            self._shared = live  # the same bytes, kept once
            return
        if self._is_unsaved or self._stuck:
            return
        await asyncio.to_thread(self._history.record, "daemon", live)
        # Before it is there: an editor may read it before this coroutine goes on.
        self._buffers.stand(self._name, live)
        if await self._swap(live):
            self._shared = live

    async def _swap(self, content: bytes) -> bool:
        try:
            old = await asyncio.to_thread(swap, self._path, content, folders=self._folders, exchange=self._ports.exchange)
        except FileNotFoundError:
            self._patience.wake_in(0.0)
            return False
        self._held.append(Held(path=old, known=self._shared or b"", until=self._patience.now() + LINGER))
        self._patience.wake_in(0.0)
        return True

    async def _place(self) -> None:
        live = self._live
        if self._is_unsaved:
            return
        await asyncio.to_thread(self._history.record, "daemon", live)
        try:
            await asyncio.to_thread(place, self._path, live, folders=self._folders)
        except FileExistsError:
            await asyncio.to_thread(self._history.forget_last)
            self._patience.wake_in(0.0)
            return
        self._shared = self._seen_live = live
        self.note = ""

    async def _write_back(self) -> None:
        if self._is_unsaved:
            return
        _log.info("A document was deleted from the desk and is written back.", spectask=self._ports.spectask, document=self._name)
        await self._clear()
        await self._place()

    # --- conflicts ---

    async def _ask(self, saved: bytes, came: Offer) -> None:
        """Keeps both sides, then shows them in a file beside the document; a question that the human is working on stays as it is."""
        await self._ports.keep_conflict(self._name, came.ours, saved)
        await asyncio.to_thread(self._history.keep, "conflict", saved)
        present = await asyncio.to_thread(look, self._question)
        if self._conflict is None or present.content == self._asked:
            self._asked = _question_text(self._shown, came)
            if present.kind == "absent":
                await asyncio.to_thread(place, self._question, self._asked, folders=self._folders)
            else:
                old = await asyncio.to_thread(swap, self._question, self._asked, folders=self._folders, exchange=self._ports.exchange)
                await asyncio.to_thread(self._history.move_in, "resolved", old)
            await asyncio.to_thread(self._history.stand, came.ours)
            self._conflict = came.ours
        self.note = (
            f"Your save of {self._shown} and the live version do not go together. {came.reason} Both are kept. {self._question.name} shows them"
            f" together: remove the marker lines and save it. Or edit {self._path.name} until it reads as you want and delete"
            f" {self._question.name}. Or delete {self._path.name} to go on with the live version."
        )

    async def _answered(self, found: Look) -> bool:
        """Looks whether the human settled the standing conflict; returns whether the answer is part of the live document now."""
        if self._conflict is None or found.kind == "refused":
            return False
        question = await asyncio.to_thread(look, self._question)
        if not self._patience.believes(self._question, question) or not _is_answer(question):
            return False
        text = found.content if question.kind == "absent" else _HEADER.sub(b"", question.content)
        came = await offer(self._ports, self._name, text, self._conflict)
        if came.kind != "taken":
            self._asked = question.content
            await self._stick(Look(kind="settled", content=found.content), text, came)
            return False
        # Whoever went on in the document itself after the question was put has saved once more.
        self._shared = self._stuck.content if self._stuck else found.content
        self._buffers.settle(self._name, self._buffers.told)
        await asyncio.to_thread(self._history.record, "human", self._shared)
        await self._clear()
        return self._shared == found.content or await self._take(found)

    async def _clear(self) -> None:
        """Forgets what kept the page from moving on."""
        self.note = ""
        self._stuck = self._stuck_at = self._stuck_base = None
        if self._conflict is not None:
            await asyncio.to_thread(self._history.move_in, "resolved", self._question)
            await asyncio.to_thread(self._history.settle)
            self._conflict = self._asked = None

    @property
    def _shared(self) -> bytes | None:
        """The text that both sides agree was last in the file."""
        return self._stands

    @_shared.setter
    def _shared(self, content: bytes | None) -> None:
        self._stands = content
        if content is not None:
            self._buffers.stand(self._name, content)

    @property
    def _shown(self) -> str:
        """What the document is called towards a person: by its file, or by its path in the spec where several files have one name."""
        return f"{self._name}.md" if "/" in self._name else self._path.name

    @property
    def _is_unsaved(self) -> bool:
        return self._name in self._buffers.unsaved()

    @property
    def _live(self) -> bytes:
        return self._ports.snapshot().documents[self._name].content

    @property
    def _moment(self) -> tuple[int, SpecTaskState]:
        spectask = self._ports.snapshot()
        return (spectask.documents[self._name].seq, spectask.state)


def _is_answer(question: Look) -> bool:
    return question.kind == "absent" or (
        question.kind != "refused" and bool(question.content.strip()) and not _MARKER.search(question.content)
    )


def _question_text(name: str, came: Offer) -> bytes:
    header = (
        f"<!-- specthread:conflict Your save and the live version do not go together. {came.reason.replace('--', '- -')} Keep what you want below,"
        f" remove the marker lines and save this file; or edit {name} until it reads as you want and delete this file. -->\n"
    )
    return header.encode("utf-8", "replace") + came.merged
