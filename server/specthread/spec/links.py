"""What refers to what: which requirements an edit touches, and which tasks trace to them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from specthread.spec.dialects import Dialect
from specthread.spec.digest import visible
from specthread.spec.document import squeezed
from specthread.spec.requirements import requirements_of
from specthread.spec.source import scan
from specthread.spec.tasks import Task


@lru_cache(maxsize=64)
def changed_requirements(old: bytes, new: bytes, dialect: Dialect = "specthread") -> frozenset[str]:
    """Ids of the requirements that were added, removed or changed in more than white space.

    Text outside every requirement (introduction, glossary) speaks about all of them: where it changed, all ids are returned.
    """
    before, after = _blocks(old, dialect), _blocks(new, dialect)
    if before[_OUTSIDE] != after[_OUTSIDE]:
        return frozenset((before.keys() | after.keys()) - {_OUTSIDE})
    return frozenset(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def tasks_tracing(tasks: Sequence[Task], requirement_ids: Collection[str]) -> frozenset[str]:
    """Ids of the tasks that refer, themselves or through a task above them, to one of the requirements.

    A leaf that refers to nothing traces to everything, since nobody can say what it does not depend on.
    """
    if not requirement_ids:
        return frozenset()
    required = required_by(tasks)
    return frozenset(
        task.id
        for task in tasks
        if (not required[task.id] and task.leaf) or any(requirement_of(name) in requirement_ids for name in required[task.id])
    )


def required_by(tasks: Iterable[Task]) -> Mapping[str, tuple[str, ...]]:
    """What each task requires, itself and through the tasks above it, by task id."""
    required: dict[str, tuple[str, ...]] = {}
    for task in tasks:
        inherited = required.get(task.parent, ()) if task.parent is not None else ()
        required[task.id] = tuple(dict.fromkeys((*required.get(task.id, ()), *task.requires, *inherited)))
    return required


def requirement_of(criterion_id: str) -> str:
    """The requirement a criterion id belongs to; the id of a requirement stays itself."""
    return criterion_id.partition(".")[0]


_OUTSIDE = ""


@lru_cache(maxsize=32)
def _blocks(content: bytes, dialect: Dialect) -> Mapping[str, str]:
    """The visible words of each requirement by id, and those outside all of them under the empty id."""
    source = scan(visible(content))
    texts = [line.text for line in source.lines]
    blocks: dict[str, str] = {}
    outside: list[str] = []
    done = 0
    for requirement in requirements_of(source, dialect).requirements:
        outside += texts[done : requirement.line - 1]
        words = squeezed(" ".join(texts[requirement.line - 1 : requirement.last]))
        blocks[requirement.id] = f"{blocks.get(requirement.id, '')}\n{words}"
        done = requirement.last
    outside += texts[done:]
    return {**blocks, _OUTSIDE: squeezed(" ".join(outside))}
