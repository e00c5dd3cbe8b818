"""SpecTasks read back from the branches of a repository."""

from __future__ import annotations

from pathlib import Path

from specthread.domain.ids import SpecTaskId
from specthread.engine.rebuilding import Rebuilt
from specthread.protocol import wire_params
from specthread.protocol.request import Request
from specthread.protocol.wire_result import RebuildResult, RebuiltView


async def rebuild(request: Request, params: wire_params.RebuildParams) -> RebuildResult:
    """Takes up what only git knows, and tells of everything that was found; one that is known here is looked for in its own repository."""
    known = request.ports.engine.visible.spectasks.get(SpecTaskId(params.id))
    path = known.repository if known else params.path
    found = await request.ports.rebuild(Path(path), await request.client.actor(path), params.id)
    states: dict[str, str] = {name: spectask.state for name, spectask in request.ports.engine.visible.spectasks.items()}
    views = [
        RebuiltView(spectask=each.spectask, outcome=each.outcome, state=states.get(each.spectask, ""), reason=each.reason) for each in found
    ]
    waits = any(each.outcome == "rebuilt" and states.get(each.spectask) in _STOPPED for each in found)
    hint = " Nothing goes on by itself: `specthread resume ID` lets one go on." if waits else ""
    return RebuildResult(spectasks=views, text=f"{_told(found, params.id)}{hint}")


_STOPPED = {"implementing", "failed", "cancelled"}


def _told(found: tuple[Rebuilt, ...], only: str) -> str:
    if not found:
        return f"No branch of this repository holds {f'the SpecTask {only}' if only else 'a SpecTask'}."
    counts = {outcome: sum(each.outcome == outcome for each in found) for outcome in ("rebuilt", "known", "damaged")}
    parts = [f"{counts['rebuilt']} read back"] if counts["rebuilt"] else []
    parts += [f"{counts['known']} known already"] if counts["known"] else []
    parts += [f"{counts['damaged']} not readable"] if counts["damaged"] else []
    return f"{', '.join(parts)}."
