"""What a SpecTask knows of its tasks beyond the document: who works on each, and which commit holds it."""

from collections.abc import Mapping

from specthread.domain.model import ImplementationTask, SpecTask


def task_notes(spectask: SpecTask) -> Mapping[str, str]:
    """A few words for each task that a session works or worked on, by number."""
    return {str(number): note for number, task in spectask.tasks.items() if (note := _note(spectask, task))}


def _note(spectask: SpecTask, task: ImplementationTask) -> str:
    session = spectask.sessions.get(task.session) if task.session else None
    name = session.id.rpartition("/")[2] if session is not None else ""
    if task.merged:
        return " · ".join(filter(None, (name, f"merged {task.merged[:7]}")))
    return f"{name} {session.state}" if session is not None else ""
