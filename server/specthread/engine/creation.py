"""From what a human asks for to the command that makes a SpecTask: on the repository's present commit, with a name that is free, if anything could work on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from specthread.domain.commands import CreateSpecTask
from specthread.domain.ids import Oid, SpecTaskId
from specthread.domain.model import Flow, Limits, Refusal, ReviewMode
from specthread.domain.planned import parsed
from specthread.domain.rules_approval import obstacles_in
from specthread.domain.run_options import Priority
from specthread.engine.adoption import Adoption, adoption
from specthread.engine.naming import spectask_id, warnings_about
from specthread.engine.ports import in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSpecTask:
    """What a human asks for; `path` is a folder inside the repository; None takes the default of the settings."""

    prompt: str
    path: Path
    adopt: Path | None = None
    """The spec folder whose documents are taken over; the flow follows from them, and the prompt may be empty."""
    flow: Flow = "feature"
    agent: str | None = None
    execute: bool = False
    advance: bool = False
    review_mode: ReviewMode = "together"
    limits: Limits | None = None
    priority: Priority = "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What the surroundings say before work begins.

    `hindrance` says why the named agent cannot work now; None where all is well.
    `cautions` are warnings about a checkout that do not keep anything from beginning.
    """

    hindrance: Callable[[str], Awaitable[Refusal | None]]
    cautions: Callable[[Path], Awaitable[tuple[str, ...]]]


async def _nothing(*_: object) -> None:
    return None


async def _no_words(_: Path) -> tuple[str, ...]:
    return ()


UNGUARDED = Guard(hindrance=_nothing, cautions=_no_words)


async def creation(opened: OpenRepository, new: NewSpecTask, settings: Settings, suffix: str, guard: Guard) -> CreateSpecTask | Refusal:
    """Returns the command, or why there is none; raises GitError where the repository cannot be used."""
    head = await in_thread(opened.repository.head)
    below = await in_thread(opened.repository.entries, head.oid, ".specs")
    agent = new.agent or settings.default_agent
    # What is wrong with the repository is the more basic trouble: it was raised first.
    refusal = await guard.hindrance(agent)
    # Nobody plans what is there already: without a key it can be read and approved.
    if refusal and not (refusal.code == "no-key" and new.adopt and not new.execute):
        return refusal
    found = await in_thread(adoption, opened, head, new.adopt) if new.adopt else None
    if isinstance(found, Refusal):
        return found
    identifier = spectask_id(new.prompt or (found.folder.rpartition("/")[2] if found else ""), suffix)
    await in_thread(opened.repository.require_room, identifier)
    if any(entry.path == ".specs" for entry in below):
        hint = "Rename it in a commit, then try again."
        return Refusal(code="specs-taken", message="A file named .specs is tracked; the documents need a folder of that name.", hint=hint)
    place = opened.repository.checkout or opened.repository.git_dir
    taken = [each.path for each in found.documents] if found else []
    command = CreateSpecTask(
        spectask=SpecTaskId(identifier),
        prompt=new.prompt,
        repository=str(place),
        base=Oid(head.oid),
        target=head.branch,
        agent=agent,
        limits=new.limits or settings.limits,
        warnings=(*warnings_about(head, taken), *await guard.cautions(place)),
        flow=new.flow,
        review_mode=new.review_mode,
        execute=new.execute,
        advance=new.advance,
        priority=new.priority,
    )
    return await in_thread(_adopting, command, found) if found else command


def _adopting(command: CreateSpecTask, found: Adoption) -> CreateSpecTask:
    """Returns the command with documents that are there already; long ones are read here, where nobody waits, before the rule asks for the same."""
    contents = {each.name: each.content for each in found.documents}
    obstacles_in(contents, found.dialect)
    leaves = [task for task in parsed(contents.get("tasks", b""), found.dialect) if task.leaf]
    over = "All its tasks are ticked: nothing is left to carry out until the spec changes."
    return replace(
        command,
        prompt=command.prompt.strip() or f"{found.title}: carry out the spec in {found.folder}",
        flow=found.flow,
        dialect=found.dialect,
        adopted=found.documents,
        warnings=(*command.warnings, *found.warnings, *([over] if leaves and all(task.state == "done" for task in leaves) else [])),
    )
