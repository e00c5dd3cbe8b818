"""What a dry run has to know of the world. Everything here only looks: no lock is taken, no call is made."""

from __future__ import annotations

from pathlib import Path

from specgit.errors import GitError
from specgit.repository import Repository
from specthread.domain.model import Refusal, SpecTask
from specthread.engine.ports import Ports, in_thread
from specthread.views.dry_run import Surroundings


async def surroundings_of(ports: Ports, spectask: SpecTask, hindrance: Refusal | None, unheard: str) -> Surroundings:
    """Returns what would keep agents of a SpecTask from working, or would be asked; a repository that cannot be looked at has nothing uncommitted."""
    unpriced, is_free = await in_thread(_prices, ports, spectask)
    return Surroundings(
        hindrance=hindrance,
        unpriced=unpriced,
        is_free=is_free,
        dirty=await in_thread(_dirty, Path(spectask.repository)),
        unheard=unheard,
        capacity=ports.settings.capacity,
    )


def _prices(ports: Ports, spectask: SpecTask) -> tuple[tuple[str, ...], bool]:
    """The models of the tasks whose price is unknown, and whether none of them costs anything."""
    backend = ports.backends.get(spectask.agent)
    if backend is None or backend.prices is None:
        return ((spectask.agent,) if backend else ()), False
    roles = {task.plan.role for task in spectask.tasks.values()} or {"implementer"}
    repository = ports.settings_of(Path(spectask.repository))
    reserve = backend.prices.reserve
    prices = {model: reserve(model, _SOME, _SOME) for model in {ports.settings.role(role, repository).model for role in roles}}
    return tuple(sorted(model for model, price in prices.items() if price is None)), not any(price != 0 for price in prices.values())


_SOME = 1000


def _dirty(path: Path) -> tuple[str, ...]:
    try:
        head = Repository.open(path).head()
    except (GitError, OSError):
        return ()
    return tuple(sorted((*head.dirty, *head.untracked)))
