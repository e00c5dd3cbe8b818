"""What is written behind a line without being part of it: how far a group of tasks is, whether tasks cover a requirement, who works on a task."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from specthread.spec.document import DocumentName
from specthread.spec.symbols import Symbol
from specthread.views.assist.index import Index


class Hint(NamedTuple):
    """A few words behind the end of a line, and the sentence that explains them."""

    line: int
    words: str
    tip: str


def hints(index: Index, name: DocumentName, notes: Mapping[str, str]) -> tuple[Hint, ...]:
    """The hints of a document, in order; `notes` hold what is known of tasks beyond it."""
    return (*_tasks(index, name, notes), *_requirements(index, name))


def _tasks(index: Index, name: DocumentName, notes: Mapping[str, str]) -> Iterator[Hint]:
    for position, task in enumerate(index.spec.tasks) if name == index.spec.tasks_name else ():
        done, leaves = index.progress[position]
        if leaves and not task.leaf:
            yield Hint(task.line, f"{done}/{leaves}", f"{done} of the {leaves} tasks under this one are done.")
        elif task.id in notes:
            yield Hint(task.line, notes[task.id], f"The work session of task {task.id}.")


def _requirements(index: Index, name: DocumentName) -> Iterator[Hint]:
    read = index.spec.requirements.get(name) if index.is_traced else None
    for requirement in read.requirements if read is not None else ():
        if requirement.is_traced:
            tasks = index.covering.get(Symbol("requirement", requirement.id), ())
            covered = sum(bool(index.covering.get(Symbol("criterion", each.id))) for each in requirement.criteria)
            count = f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}" if tasks else "no task"
            number = len(requirement.criteria)
            yield Hint(requirement.line, count, f"Tasks name {covered} of its {number} criteri{'on' if number == 1 else 'a'}.")
