"""Drafts of what to ask for: `new-task.md`, one per repository, for editors whose protocol has no input box.

They stand in the tree of all desks, so that the same watcher wakes them: `desk/.new/<repository>/new-task.md`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from specthread.domain.model import Refusal
from specthread.engine.desk_draft import Draft, Send
from specthread.engine.desk_file import DeskFolders, make_folder
from specthread.engine.desk_port import Patience
from specthread.engine.desk_watch import DeskWatch

WHAT = "Say below, in a sentence or more, what should be built."
_ORIGIN = "origin"

Ask = Callable[[Path, str], Awaitable[Refusal | None]]
"""Asks for a SpecTask in the repository around a path; returns why there is none, or None."""
Told = Callable[[str], object]
"""Tells whoever opened the draft."""

_log = structlog.get_logger(__name__)


class NewTaskDrafts:
    """Keeps the drafts and sends what is saved in them; `run` does all the work."""

    def __init__(self, *, root: Path, watch: DeskWatch, ask: Ask) -> None:
        self._root = root / ".new"
        self._watch = watch
        self._ask = ask
        self._drafts: dict[Path, Draft] = {}
        self._told: dict[Path, Told] = {}
        self._wake = asyncio.Event()
        self._patience = Patience(lambda: asyncio.get_running_loop().time(), self._wake_in)

    async def open(self, repository: Path, told: Told = lambda _: None) -> Path:
        """Puts the draft of a repository onto the disk and returns its path; one that is there stays as it is. `told` hears why it was not sent."""
        folder = self._root / f"{repository.name}-{hashlib.sha256(str(repository).encode()).hexdigest()[:8]}"
        draft = await self._draft(folder, repository)
        self._told[folder] = told
        await draft.write(WHAT, "")
        return draft.path

    async def run(self) -> None:
        """Sends what is saved, until it is cancelled."""
        loop = asyncio.get_running_loop()
        end = self._watch.register(self._root, lambda: loop.call_soon_threadsafe(self._wake.set))
        try:
            await self._find()
            while True:
                self._wake.clear()
                for folder, draft in tuple(self._drafts.items()):
                    await self._visit(folder, draft)
                await self._wake.wait()
        finally:
            end()

    async def _visit(self, folder: Path, draft: Draft) -> None:
        before = draft.note
        try:
            await draft.visit()
        except Exception as error:  # noqa: BLE001  one draft keeps no other from being sent
            _log.exception("a draft could not be sent", draft=str(draft.path))
            self._tell(folder, f"{draft.path.name} was not sent: {error}. Change and save it to try again.")
            return
        if draft.note and draft.note != before:
            _log.info("a draft was not sent", draft=str(draft.path), reason=draft.note)
            self._tell(folder, draft.note)

    def _tell(self, folder: Path, text: str) -> None:
        told = self._told.get(folder)  # nobody, after a restart
        if told is not None:
            told(text)

    async def _find(self) -> None:
        """Takes up the drafts that an earlier daemon left."""
        for origin in await asyncio.to_thread(lambda: sorted(DeskFolders.of(self._root / "x").history.parent.glob(f"*/{_ORIGIN}"))):
            repository = Path(await asyncio.to_thread(origin.read_text, encoding="utf-8"))
            await (await self._draft(self._root / origin.parent.name, repository)).start()

    async def _draft(self, folder: Path, repository: Path) -> Draft:
        known = self._drafts.get(folder)
        if known is None:
            folders = DeskFolders.of(folder)
            await asyncio.to_thread(make_folder, folder, outside=folders.history)
            await asyncio.to_thread(_remember, folders.history / _ORIGIN, repository)
            path = folder / "new-task.md"
            known = self._drafts[folder] = Draft(path=path, folders=folders, patience=self._patience, send=self._sender(repository))
        return known

    def _sender(self, repository: Path) -> Send:
        return lambda text: self._ask(repository, text)

    def _wake_in(self, delay: float) -> None:
        asyncio.get_running_loop().call_later(delay, self._wake.set)


def _remember(file: Path, repository: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(repository), encoding="utf-8")
