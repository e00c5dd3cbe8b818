"""What refers to what: which requirements an edit touches, and which tasks rest on them."""

import re
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


def tasks_resting_on_changes(tasks: Sequence[Task], old: bytes, new: bytes, dialect: Dialect = "specthread") -> frozenset[str]:
    """Ids of the tasks that refer, themselves or through a task above them, to a requirement which is not the same in both contents.

    Where nobody can say what a task does not depend on, it rests on every requirement: a leaf that refers to nothing, to everything or to what
    is in neither content or cannot be read, and each task where a requirement changed that none of them refers to.
    """
    changed = {short_id(name) for name in changed_requirements(old, new, dialect)}
    if not changed:  # words may have changed in a document that names no requirement
        return frozenset(task.id for task in tasks) if _blocks(old, dialect) != _blocks(new, dialect) else frozenset()
    before = {short_id(name) for name in _blocks(old, dialect)} - {_OUTSIDE}
    known = before | changed
    owners = {number: {owner_of(name, known) for name in names} for number, names in required_by(tasks).items()}
    if changed & before - set().union(*owners.values()):
        return frozenset(task.id for task in tasks)
    unbound = _unbound(tasks)
    return frozenset(
        task.id
        for task in tasks
        if changed & owners[task.id] or (task.leaf and (task.id in unbound or not owners[task.id] or None in owners[task.id]))
    )


def required_by(tasks: Iterable[Task]) -> Mapping[str, tuple[str, ...]]:
    """What each task requires, itself and through the tasks above it, by task id."""
    required: dict[str, tuple[str, ...]] = {}
    for task in tasks:
        inherited = required.get(task.parent, ()) if task.parent is not None else ()
        required[task.id] = tuple(dict.fromkeys((*required.get(task.id, ()), *task.requires, *inherited)))
    return required


def short_id(name: str) -> str:
    """The id without a word in front: `R1` and `REQ-1` are also 1."""
    found = _SHORT.fullmatch(name)
    return found[1] if found else name


def owner_of(name: str, requirement_ids: Collection[str]) -> str | None:
    """The one of these short ids that an id in a reference belongs to, or None; a requirement's own number may have dots."""
    owner = short_id(name)
    while owner and owner not in requirement_ids:
        owner = owner.rpartition(".")[0]
    return owner or None


_OUTSIDE = ""
_SHORT = re.compile(r"(?:REQ|R|Requirement)[ -]?([0-9]+(?:\.[0-9]+)*[A-Za-z]?)", re.IGNORECASE)


def _unbound(tasks: Iterable[Task]) -> frozenset[str]:
    """The tasks that refer, themselves or through a task above them, to everything, or to what cannot be read."""
    found: set[str] = set()
    for task in tasks:
        required = (reference for reference in task.block.references if reference.kind == "requires")
        if task.parent in found or any(reference.is_all or not reference.is_certain for reference in required):
            found.add(task.id)
    return frozenset(found)


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
