"""What keeps a person from judging documents: editors hold other words than those they would judge."""

from __future__ import annotations

from collections.abc import Mapping

from specthread.domain.commands import ApproveDocuments, Command, RequestChanges
from specthread.domain.ids import SpecTaskId
from specthread.domain.model import Refusal
from specthread.engine.buffers import Buffers
from specthread.engine.desk import Desk


def unsaved(command: Command, buffers: Mapping[SpecTaskId, Buffers], desks: Mapping[SpecTaskId, Desk]) -> Refusal | None:
    """Refuses a judgement of documents that editors hold unsaved, or whose last save is not part of the live document."""
    if not isinstance(command, ApproveDocuments | RequestChanges):
        return None
    held = buffers[command.spectask].unsaved() if command.spectask in buffers else {}
    if held:
        editors = ", ".join(sorted({holder for holders in held.values() for holder in holders}))
        return Refusal(
            code="unsaved-changes",
            message=f"{', '.join(sorted(held))} has unsaved changes in an editor ({editors}).",
            hint="Save or discard them, then try again.",
        )
    return _unsettled(command, desks.get(command.spectask)) if isinstance(command, ApproveDocuments) else None


def _unsettled(command: ApproveDocuments, desk: Desk | None) -> Refusal | None:
    """Refuses to approve other words than those the human saved last."""
    named = sorted(set(desk.unsettled() if desk else ()) & {name for name, _ in command.documents})
    if not named:
        return None
    return Refusal(
        code="unsettled-save",
        message=f"Your last save of {', '.join(named)} is not part of the live document, so you would approve other words.",
        hint=f"`specthread show {command.spectask}` says why and how to settle it.",
    )
