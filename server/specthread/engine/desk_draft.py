"""Draft files: text that a human writes in the editor where the protocol has no input box. Saving one without its marker line sends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from specthread.domain.commands import AnswerQuestion, Command, RequestChanges, SayToRun, SpawnSession
from specthread.domain.commands_note import AnswerPut
from specthread.domain.ids import RunId
from specthread.domain.model import Refusal, SpecTask
from specthread.domain.names import OUTSIDE, answer_draft
from specthread.domain.runs import all_runs, find_run
from specthread.engine.desk_file import DeskFolders, look, place
from specthread.engine.desk_history import DeskHistory
from specthread.engine.desk_port import DeskPorts, Patience

_NAMES = ("request-changes", "answer-", "say-", "spawn")
_MARKER_START = b"<!-- specthread:draft"
Send = Callable[[str], Awaitable[Refusal | None]]
"""Gives the text away; returns why it was not taken, or None."""


def marker(what: str) -> str:
    """Returns the line that keeps a draft from being sent; `what` says what is to be written."""
    line = " ".join(what.replace("--", "—").split())
    return f"<!-- specthread:draft {line} Delete this line and save to send it; delete the file to send nothing. -->"


class Draft:
    """One draft file; `note` says what the human should know about it, empty when all is well."""

    def __init__(self, *, path: Path, folders: DeskFolders, patience: Patience, send: Send) -> None:
        self.note = ""
        self.path = path
        self.is_open = False
        self._folders = folders
        self._history = DeskHistory(folders.history / path.stem)
        self._patience = patience
        self._send = send
        self._refused: bytes | None = None

    async def start(self) -> None:
        """Finds out whether an earlier daemon left the draft open."""
        self.is_open = await asyncio.to_thread(self._history.standing) is not None

    async def write(self, what: str, template: str) -> None:
        """Puts the draft there, under the line that says `what` to write; one that is already there stays as the human has it."""
        content = f"{marker(what)}\n\n{template}".encode()
        await asyncio.to_thread(self._history.stand, content)
        try:
            await asyncio.to_thread(place, self.path, content, folders=self._folders)
        except FileExistsError:
            await asyncio.to_thread(self.path.touch)
        self.is_open = True

    async def visit(self) -> None:
        """Sends the draft where it was saved without its marker line, and puts it away once it is accepted."""
        if not self.is_open:
            return
        found = await asyncio.to_thread(look, self.path)
        if found.kind == "refused" or not self._patience.believes(self.path, found):
            return
        if found.kind == "absent":
            await self.put_away()
            return
        if found.content == self._refused:
            return
        self.note, self._refused = "", None
        if not found.content.strip() or _MARKER_START in found.content:
            return
        self._refused = found.content  # should sending it meet a fault, it is sent again once it is changed and saved, not by itself
        refusal = await self._send(found.content.decode(errors="replace").strip())
        if refusal is None:
            await self.put_away()
        else:
            self.note = (
                f"{self.path.name} was not sent: {refusal.message} {refusal.hint} It stays as you saved it; change and save it to send it."
            )

    async def put_away(self) -> None:
        """Takes the file off the desk; what it held is kept in the desk's history."""
        await asyncio.to_thread(self._history.move_in, "draft", self.path)
        await asyncio.to_thread(self._history.settle)
        self.is_open, self._refused, self.note = False, None, ""


class DeskDrafts:
    """The drafts of one desk, by name: `request-changes`, `spawn`, and for a run `answer-ws-1-3f2a` (the end tells the question), `say-ws-1` and `spawn-ws-1`."""

    def __init__(self, *, folders: DeskFolders, ports: DeskPorts, patience: Patience) -> None:
        self.note = ""
        self._folders = folders
        self._ports = ports
        self._patience = patience
        self._drafts: dict[str, Draft] = {}

    @property
    def notes(self) -> str:
        """What the human should know about the drafts, with the trouble that `note` tells of."""
        return " ".join(note for note in (self.note, *(draft.note for draft in self._drafts.values())) if note)

    async def start(self) -> None:
        """Finds the drafts that an earlier daemon left open."""
        for folder in await asyncio.to_thread(lambda: sorted(self._folders.history.glob("*"))):
            if folder.name.startswith(_NAMES):
                await self._draft(folder.name).start()

    async def open(self, name: str, what: str, template: str) -> Path:
        """Puts a draft onto the desk and returns its path."""
        draft = self._draft(name)
        await draft.write(what, template)
        return draft.path

    @property
    def has_superfluous(self) -> bool:
        """Whether a draft is open that nobody waits for any more."""
        return any(draft.is_open and command_from(self._ports.snapshot(), name, "") is None for name, draft in self._drafts.items())

    async def visit(self) -> None:
        """Sends what was saved; a draft that nobody waits for any more is put away."""
        self.note = ""
        for name, draft in self._drafts.items():
            if draft.is_open and command_from(self._ports.snapshot(), name, "") is None:
                await draft.put_away()
            await draft.visit()

    def _draft(self, name: str) -> Draft:
        known = self._drafts.get(name)
        if known is None:

            async def send(text: str) -> Refusal | None:
                command = command_from(self._ports.snapshot(), name, text)
                answer = await self._ports.submit(command, self._ports.person()) if command else None
                return answer if isinstance(answer, Refusal) else None

            path = self._folders.desk / f"{name}.md"
            known = self._drafts[name] = Draft(path=path, folders=self._folders, patience=self._patience, send=send)
        return known


def command_from(spectask: SpecTask, name: str, text: str) -> Command | None:
    """Returns what a draft asks for, or None where the name is no draft's or the question it answers is settled."""
    if name == "request-changes":
        return RequestChanges(spectask=spectask.id, message=text)
    if name.startswith("answer-"):
        asking = (run for run in all_runs(spectask) if run.question and not run.question.answer_seq and run.ended is None)
        for run in asking:
            if run.question and answer_draft(run.id, run.question.id) == name:
                return AnswerQuestion(spectask=spectask.id, run=run.id, answer=text, question=run.question.id)
        for note in spectask.notes:
            if note.is_open and answer_draft(RunId(OUTSIDE), note.id) == name:
                return AnswerPut(spectask=spectask.id, question=note.id, answer=text)
        return None
    if name.partition("-")[0] == "spawn":
        parent = RunId(f"{spectask.id}/{name.removeprefix('spawn-')}") if name != "spawn" else None
        return SpawnSession(spectask=spectask.id, parent=parent, work=text)
    told = find_run(spectask, RunId(f"{spectask.id}/{name.removeprefix('say-')}")) if name.startswith("say-") else None
    return SayToRun(spectask=spectask.id, run=told.id, text=text) if told else None
