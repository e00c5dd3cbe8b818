"""The desk: the folder on disk where people edit the live documents of a SpecTask, in any editor.

What a human saves becomes an edit of that human, merged with what changed meanwhile; what the daemon changes appears in the files, unless
an editor holds unsaved text. Nothing that was ever saved is lost: it is in the live document, in git, or set aside in the desk's history.
Files the desk did not make are left alone.

Layout below the state directory: `desk/<repository>/<id>/` is the desk; `desk-history/<repository>/<id>/<document>/` keeps what its files
have held; `desk/.held/…` is where files are prepared and, once swapped out, watched for late writes. All are on one file system.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from specgit.errors import GitError
from specthread.domain.ids import CommentId, SpecTaskId
from specthread.domain.model import DAEMON, Actor, Refusal, SpecTask
from specthread.domain.react import DESK
from specthread.domain.reports import ReportTrouble
from specthread.engine.buffers import Buffers
from specthread.engine.desk_draft import DeskDrafts
from specthread.engine.desk_file import DeskFolders, Exchange, exchange_files, make_folder
from specthread.engine.desk_page import RETRY, DeskPage
from specthread.engine.desk_port import Cancellable, Clock, DeskPorts, MergedText, Patience, Submit
from specthread.engine.desk_watch import DeskWatch

_TROUBLE = "Desk: "


class Desk:
    """One SpecTask's desk; `run` does all the work, the other methods only tell it what happened.

    All methods belong to the thread of the event loop in which `run` runs; `merge` is called in a thread.
    """

    def __init__(
        self,
        *,
        spectask: SpecTaskId,
        folder: Path,
        watch: DeskWatch,
        submit: Submit,
        snapshot: Callable[[], SpecTask],
        merge: Callable[[str, bytes, bytes, bytes], MergedText],
        keep_conflict: Callable[[str, bytes, bytes], Awaitable[None]],
        person: Callable[[], Actor],
        new_comment_id: Callable[[], CommentId],
        buffers: Buffers,
        clock: Clock | None = None,
        exchange: Exchange = exchange_files,
    ) -> None:
        self._folders = DeskFolders.of(folder)
        self._watch = watch
        self._ports = DeskPorts(
            spectask=spectask,
            submit=submit,
            snapshot=snapshot,
            merge=merge,
            keep_conflict=keep_conflict,
            person=person,
            new_comment_id=new_comment_id,
            exchange=exchange,
        )
        self._clock = clock
        self._buffers = buffers
        self._buffers.changed = self._touch
        self._patience = Patience(lambda: self._time.time(), self._wake_in)  # noqa: PLW0108  the loop is not running yet
        self._pages: dict[str, DeskPage] = {}
        self._drafts = DeskDrafts(folders=self._folders, ports=self._ports, patience=self._patience)
        self._rest: dict[DeskPage | DeskDrafts, float] = {}
        self._wake = asyncio.Event()
        self._touched = True
        self._timer: tuple[float, Cancellable] | None = None
        self._reported = ""

    def changed(self) -> None:
        """Tells that the SpecTask has a new visible state."""
        self._wake.set()

    def unsettled(self) -> tuple[str, ...]:
        """Returns the documents whose file holds a save that was not taken: they read otherwise on the desk than they are."""
        return tuple(name for name, page in self._pages.items() if page.is_stuck)

    async def open_draft(self, name: str, what: str, template: str = "") -> Path:
        """Puts a draft file onto the desk and returns its path; saved without its marker line, it is sent as the human's."""
        path = await self._drafts.open(name, what, template)
        self._touch()
        return path

    async def run(self) -> None:
        """Keeps disk and live documents together until it is cancelled."""
        loop = asyncio.get_running_loop()
        folders = (self._folders.desk, self._folders.held)
        ends = [self._watch.register(folder, lambda: loop.call_soon_threadsafe(self._touch)) for folder in folders]
        try:
            await self._start()
            while True:
                self._wake.clear()
                await self._pass()
                await self._wake.wait()
        finally:
            for end in ends:
                end()
            self._stop_timer()

    async def _start(self) -> None:
        for folder in (self._folders.desk, self._folders.held):
            await asyncio.to_thread(make_folder, folder, outside=self._folders.history)
        self._reported = self._ports.snapshot().troubles.get(DESK, "")
        await self._drafts.start()
        self._touched = True

    async def _pass(self) -> None:
        """Looks at everything after something touched the disk, else only at documents whose live text moved."""
        touched, self._touched = self._touched, False
        if touched:
            self._stop_timer()
        if touched or self._drafts.has_superfluous:
            await self._guarded(self._drafts)
        for name in sorted(self._ports.snapshot().documents):
            page = self._pages.get(name) or await self._new_page(name)
            if touched or page.is_behind():
                await self._guarded(page)
        await self._report()

    async def _new_page(self, name: str) -> DeskPage:
        page = DeskPage(
            name=name,
            path=self._folders.desk / self._ports.snapshot().documents[name].path,
            folders=self._folders,
            ports=self._ports,
            buffers=self._buffers,
            patience=self._patience,
        )
        await page.open()
        self._pages[name] = page
        return page

    async def _guarded(self, part: DeskPage | DeskDrafts) -> None:
        # What failed rests for a while, since each attempt touches the disk and would wake the desk again.
        rest = self._rest.get(part, 0.0) - self._time.time()
        if rest > 0:
            self._wake_in(rest)
            return
        try:
            await part.visit()
        except (OSError, GitError) as fault:
            part.note = f"The desk {self._folders.desk} cannot be kept up to date: {fault} It is tried again every few seconds."
            self._rest[part] = self._time.time() + RETRY
            self._wake_in(RETRY)

    async def _report(self) -> None:
        notes = " ".join(note for note in (*(page.note for page in self._pages.values()), self._drafts.notes) if note)
        reason = f"{_TROUBLE}{notes}" if notes else ""
        if reason != self._reported:
            answer = await self._ports.submit(ReportTrouble(spectask=self._ports.spectask, effect=DESK, reason=reason), DAEMON)
            if not isinstance(answer, Refusal):
                self._reported = reason

    # --- waking ---

    @property
    def _time(self) -> Clock:
        return self._clock or asyncio.get_running_loop()

    def _touch(self) -> None:
        self._touched = True
        self._wake.set()

    def _wake_in(self, delay: float) -> None:
        """Has everything looked at again after `delay` seconds at the latest."""
        due = self._time.time() + delay
        if self._timer is None or due < self._timer[0]:
            self._stop_timer()
            self._timer = (due, self._time.call_later(delay, self._touch))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer[1].cancel()
            self._timer = None
