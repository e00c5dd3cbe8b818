"""A planner that is a program of its own: it has none of our tools, so it writes the documents as files, and they are taken over when its turn is over.

The files lie in a folder of the daemon's that its place shows: of what lies there nothing but plain files is read, and no link is followed. The project it reads is a copy
that is thrown away.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from specgit.folder import delete_tree
from specgit.trees import export_tree
from specgit.types import Oid as GitOid
from specthread.agents.backend import ToolUse
from specthread.agents.place import HOME, Place
from specthread.agents.sandbox import Mount
from specthread.agents.tools import ANSWER_COMMENT, WRITE_DOCUMENT
from specthread.bounded_file import bounded_bytes
from specthread.domain.model import SpecTask
from specthread.domain.names import documents_of
from specthread.domain.rules_planning import to_answer
from specthread.domain.run import PlanningRun
from specthread.engine.agent_place import make_place
from specthread.engine.environment import environment_for
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository

if TYPE_CHECKING:
    from specthread.engine.planning import PlannerTools

SHOWN = f"{HOME}/documents"
LONGEST = 4 * 1024 * 1024
Claim = Callable[[str], Awaitable[str | None]]
"""Says that the documents are ready, and returns what is to be done first, or None."""


def how_to_write(spectask: SpecTask) -> str:
    """Returns what such a planner is told in place of our tools."""
    names = ", ".join(f"`{SHOWN}/{name}.md`" for name in documents_of(spectask))
    return (
        "\n# How you write here\n\nYou have none of the tools named above, but your own. "
        f"Write the documents as Markdown files, in the form described above: {names}. "
        f"Answer a review comment with the id ID by a file `{SHOWN}/comment-ID.md`. The project is a copy for you to read: nothing that you change in it is kept. "
        "When the documents are complete, end your turn with two or three sentences for the reviewer; what is found in them then comes back to you.\n"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFiles:
    """The files in which a planner writes; `taken` holds each as it was last taken over, outside of what the planner sees."""

    ports: Ports
    spectask: SpecTask
    tools: PlannerTools
    files: Path
    taken: Path

    def lay_out(self) -> None:
        """Makes the folders, with the documents that are there already. Raises OSError."""
        for folder in (self.files, self.taken):
            folder.mkdir(parents=True, exist_ok=True)
        for name, document in self.spectask.documents.items():
            if not (self.taken / name).exists():
                self._put(name, document.content)

    def _put(self, name: str, content: bytes) -> None:
        """Replaces a file, whatever the planner made of it, and remembers it as taken."""
        fresh = self.taken / f"{name}.new"
        fresh.write_bytes(content)
        fresh.replace(self.files / f"{name}.md")
        (self.taken / name).write_bytes(content)

    def claim(self, claim: Claim) -> Claim:
        """Returns a claim that takes over the files first, and names what is wrong with them."""

        async def claimed(summary: str) -> str | None:
            wrong = await self.take()
            return "\n\n".join(wrong) if wrong else await claim(summary)

        return claimed

    async def take(self) -> list[str]:
        """Takes over what the planner has written, and returns why some of it could not be."""
        answers = {f"comment-{comment.id}": comment.id for comment in to_answer(self.spectask)}
        wrong = [await self._take_document(name) for name in documents_of(self.spectask)]
        for name, comment in answers.items():
            text = await in_thread(self._changed, name)
            if isinstance(text, bytes):
                wrong.append(await self._use(name, text, ANSWER_COMMENT.name, comment=comment, text=text.decode(errors="replace")))
        return [each for each in wrong if each]

    async def _take_document(self, name: str) -> str:
        text = await in_thread(self._changed, name)
        if not isinstance(text, bytes):
            return text
        before = self.taken / name
        if await in_thread(before.exists):
            self.tools.knows(name, await in_thread(before.read_bytes))
        said = await self._use(name, text, WRITE_DOCUMENT.name, document=name, text=text.decode(errors="replace"))
        live = self.ports.spectask(self.spectask.id).documents.get(name)
        if live is not None:  # as it was merged with what a person wrote meanwhile, or as theirs is where both wrote the same words
            await in_thread(self._put, name, live.content)
        return said

    async def _use(self, name: str, taken: bytes, tool: str, **given: str) -> str:
        result = await self.tools.use(ToolUse(id=f"file-{name}", name=tool, input=given))
        if not result.is_error:
            await in_thread((self.taken / name).write_bytes, taken)
        return result.content if result.is_error else ""

    def _changed(self, name: str) -> bytes | str:
        """Returns a file that was written since it was last taken over; else nothing, or why it cannot be taken over."""
        try:
            text = bounded_bytes(self.files / f"{name}.md", LONGEST)
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            return f"{SHOWN}/{name}.md cannot be read: {error}"
        before = self.taken / name
        return text if not before.exists() or before.read_bytes() != text else ""


@asynccontextmanager
async def planning_place(
    ports: Ports, opened: OpenRepository, tools: PlannerTools, plan: PlanningRun
) -> AsyncIterator[tuple[Place | None, DocumentFiles]]:
    """Gives the place of a planner with its files; the copy of the project is thrown away afterwards."""
    spectask = tools.spectask
    run = f"plan-{plan.number}"
    tree, private = opened.scratch(spectask.id, f"{run}-tree"), opened.scratch(spectask.id, f"{run}-git")
    folder = opened.scratch(spectask.id, f"{run}-documents")
    files = DocumentFiles(ports=ports, spectask=spectask, tools=tools, files=folder / "files", taken=folder / "taken")

    def lay_out() -> None:
        delete_tree(tree)
        tree.mkdir(parents=True)
        export_tree(opened.repository, GitOid(spectask.base), tree)
        files.lay_out()

    try:
        await in_thread(lay_out)
        environment = await environment_for(ports, opened, tree, head=spectask.base, tree=spectask.base, private=private)
        place = await in_thread(make_place, opened, environment, plan)
        if place is not None:
            mounts = (*place.profile.mounts, Mount(source=files.files, target=SHOWN, writable=True))
            place = replace(place, profile=replace(place.profile, mounts=mounts))
        yield place, files
    finally:
        await in_thread(delete_tree, tree)
        await in_thread(delete_tree, private)
