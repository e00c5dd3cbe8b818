"""A draft file: text that a human writes in the editor where the protocol has no input box. Saving it without its marker line sends it."""

from __future__ import annotations

import asyncio

from specthread.domain.commands import RequestChanges
from specthread.domain.model import Refusal
from specthread.engine.desk_file import DeskFolders, look, place
from specthread.engine.desk_history import DeskHistory
from specthread.engine.desk_port import DeskPorts, Patience

MARKER = "<!-- specthread:draft Say below what should change. Delete this line and save to send it; delete the file to send nothing. -->"
_MARKER_START = b"<!-- specthread:draft"


class RequestDraft:
    """The file `request-changes.md`; what is saved in it without the marker line becomes a request of the human."""

    def __init__(self, *, folders: DeskFolders, ports: DeskPorts, patience: Patience) -> None:
        self.note = ""
        self.path = folders.desk / "request-changes.md"
        self._folders = folders
        self._history = DeskHistory(folders.history / self.path.stem)
        self._ports = ports
        self._patience = patience
        self._open = False
        self._refused: bytes | None = None

    async def start(self) -> None:
        """Finds out whether an earlier daemon left the draft open."""
        self._open = await asyncio.to_thread(self._history.standing) is not None

    async def write(self, template: str) -> None:
        """Puts the draft there; one that is already there stays as the human has it."""
        content = f"{MARKER}\n\n{template}".encode()
        await asyncio.to_thread(self._history.stand, content)
        try:
            await asyncio.to_thread(place, self.path, content, folders=self._folders)
        except FileExistsError:
            await asyncio.to_thread(self.path.touch)
        self._open = True

    async def visit(self) -> None:
        """Sends the draft where it was saved without its marker line, and puts it away once it is accepted."""
        if not self._open:
            return
        found = await asyncio.to_thread(look, self.path)
        if found.kind == "refused" or not self._patience.believes(self.path, found):
            return
        if found.kind == "absent":
            await self._put_away()
            return
        if found.content == self._refused:
            return
        self.note, self._refused = "", None
        if not found.content.strip() or _MARKER_START in found.content:
            return
        message = found.content.decode(errors="replace").strip()
        answer = await self._ports.submit(RequestChanges(spectask=self._ports.spectask, message=message), self._ports.person())
        if isinstance(answer, Refusal):
            self._refused = found.content
            self.note = (
                f"{self.path.name} was not sent: {answer.message} {answer.hint} It stays as you saved it; change and save it to send it."
            )
        else:
            await self._put_away()

    async def _put_away(self) -> None:
        await asyncio.to_thread(self._history.move_in, "draft", self.path)
        await asyncio.to_thread(self._history.settle)
        self._open, self._refused, self.note = False, None, ""
