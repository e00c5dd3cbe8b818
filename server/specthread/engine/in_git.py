"""What only git can say of a SpecTask, and what is done there at once because a person asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

from specgit.errors import GitError
from specgit.types import spec_refs
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.engine.document_history import DocumentVersion, versions_of
from specthread.engine.landing import Landing, cautions_for, land
from specthread.engine.ports import Ports, in_thread
from specthread.engine.rebuilding import Rebuilt, rebuild
from specthread.engine.target import TargetMoved, look_at_target
from specthread.engine.trace import Traces
from specthread.views.trace import RootedTrace, TraceIndex


class InGit:
    """Asks the repositories of SpecTasks; every method raises GitError where it says so, and what is merely gone is told as such."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._traces = Traces(lambda path: ports.settings_of(path).trace, clock=lambda: asyncio.get_running_loop().time())

    async def feature_tip(self, spectask: SpecTask) -> str:
        """Returns where the feature branch stands in git, whoever moved it; empty where it is gone."""
        opened = await self._ports.repository(spectask.id)
        return await in_thread(opened.repository.resolve, spec_refs(spectask.id).feature) or ""

    async def target_moved(self, spectask: SpecTask) -> TargetMoved:
        """Returns how far the target has gone on without the feature branch; nothing where it cannot be looked at or no longer matters."""
        if spectask.target is None or spectask.state == "archived":
            return TargetMoved()
        try:
            return await in_thread(look_at_target, await self._ports.repository(spectask.id), spectask)
        except (GitError, OSError):
            return TargetMoved()

    async def cautions(self, spectask: SpecTask) -> tuple[str, ...]:
        """Returns what a person should know before they run git in the repository."""
        return await cautions_for(self._ports, spectask)

    async def land(self, spectask: SpecTask, person: str) -> Landing | Refusal:
        """Brings accepted work onto its target. Raises GitError."""
        opened = await self._ports.repository(spectask.id)
        return await in_thread(land, opened, spectask, person)

    async def versions_of(self, spectask: SpecTask, document: str) -> tuple[DocumentVersion, ...]:
        """Returns the texts a document had, newest first. Raises GitError."""
        return await in_thread(versions_of, await self._ports.repository(spectask.id), spectask, document)

    async def rebuild(self, path: Path, person: Actor, only: str = "") -> tuple[Rebuilt, ...]:
        """Takes up what only the branches of the repository around `path` know, or of that `only` one SpecTask. Raises GitError."""
        return await rebuild(self._ports, path, person, only)

    async def trace_of(self, spectask: SpecTask) -> TraceIndex:
        """Returns what is known of who built and tested which requirement of a SpecTask. Raises GitError."""
        opened = await self._ports.repository(spectask.id)
        return await self._traces.of(opened.repository, spectask)

    async def trace_at(self, path: Path) -> RootedTrace | None:
        """Returns the same for all specs of the checkout around a file; None where it has none."""
        return await self._traces.at(path)
