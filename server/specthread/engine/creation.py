"""From what a human asks for to the command that makes a SpecTask: on the repository's present commit, with a name that is free, if anything could work on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from specthread.domain.commands import CreateSpecTask
from specthread.domain.model import Flow, Limits, Oid, Refusal, ReviewMode, SpecTaskId
from specthread.engine.naming import spectask_id, warnings_about
from specthread.engine.ports import in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSpecTask:
    """What a human asks for; `path` is a folder inside the repository; None takes the default of the settings."""

    prompt: str
    path: Path
    flow: Flow = "feature"
    agent: str | None = None
    execute: bool = False
    advance: bool = False
    review_mode: ReviewMode = "together"
    limits: Limits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What the surroundings say before work begins.

    `hindrance` says why the named agent cannot work now, or, where the second is true, why no code can be run for it; None where all is well.
    `cautions` are warnings about a checkout that do not keep anything from beginning.
    """

    hindrance: Callable[[str, bool], Awaitable[Refusal | None]]
    cautions: Callable[[Path], Awaitable[tuple[str, ...]]]


async def _nothing(*_: object) -> None:
    return None


async def _no_words(_: Path) -> tuple[str, ...]:
    return ()


UNGUARDED = Guard(hindrance=_nothing, cautions=_no_words)


async def creation(opened: OpenRepository, new: NewSpecTask, settings: Settings, suffix: str, guard: Guard) -> CreateSpecTask | Refusal:
    """Returns the command, or why there is none; raises GitError where the repository cannot be used."""
    head = await in_thread(opened.repository.head)
    paths = await in_thread(opened.paths, head.oid)
    agent = new.agent or settings.default_agent
    # What is wrong with the repository is the more basic trouble: it was raised first.
    refusal = await guard.hindrance(agent, new.execute)
    if refusal:
        return refusal
    identifier = spectask_id(new.prompt, suffix)
    await in_thread(opened.repository.require_room, identifier)
    if ".specs" in paths:
        hint = "Rename it in a commit, then try again."
        return Refusal(code="specs-taken", message="A file named .specs is tracked; the documents need a folder of that name.", hint=hint)
    place = opened.repository.checkout or opened.repository.git_dir
    return CreateSpecTask(
        spectask=SpecTaskId(identifier),
        prompt=new.prompt,
        repository=str(place),
        base=Oid(head.oid),
        target=head.branch,
        agent=agent,
        limits=new.limits or settings.limits,
        warnings=(*warnings_about(head), *await guard.cautions(place)),
        flow=new.flow,
        review_mode=new.review_mode,
        execute=new.execute,
        advance=new.advance,
    )
