"""When the work of a SpecTask is over: what stands open, and whether only the last publication is missing."""

from __future__ import annotations

from specthread.domain.approval import is_approved, is_durable, open_records
from specthread.domain.model import ImplementationTask, SpecTask


def is_over(task: ImplementationTask) -> bool:
    """Tells whether nothing is left to do on the task: merged, skipped, or optional and not at work."""
    return task.state in {"merged", "skipped"} or (task.plan.optional and task.state in {"open", "blocked"})


def is_finished(spectask: SpecTask) -> bool:
    """Tells whether every task is over, in the approved words, and only the last publication is missing."""
    if spectask.state != "implementing" or spectask.final is not None or not spectask.tasks or spectask.syncing:
        return False
    if open_records(spectask, "decision") or not is_approved(spectask):
        return False
    # The last tick must be in git before the documents are copied from there.
    durable = all(is_durable(spectask, document.seq) for document in spectask.documents.values())
    return durable and all(is_over(task) for task in spectask.tasks.values())
