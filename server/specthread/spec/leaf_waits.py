"""Which leaves each leaf of a task list waits for, and how much of that is too much to be planned."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from specthread.spec.condition import read_condition
from specthread.spec.tasks import Task

MOST_TASKS: Final = 100_000
"""A plan of this many tasks is refused: nobody could read it, and memory would not hold what follows from it."""
MOST_EDGES: Final = 250_000


def too_large(tasks: int, edges: int) -> str:
    """Says why a plan with so many leaves and dependencies is refused; nothing where it is not."""
    if tasks >= MOST_TASKS:
        return f"The plan has {tasks:,} tasks; fewer than {MOST_TASKS:,} can be planned at once. Split the SpecTask."
    return f"The tasks have more than {MOST_EDGES:,} dependencies. Split the SpecTask." if edges > MOST_EDGES else ""


def first_of_each(tasks: Iterable[Task]) -> dict[str, Task]:
    """The tasks by id; the first of two with one id counts."""
    known: dict[str, Task] = {}
    for task in tasks:
        known.setdefault(task.id, task)
    return known


def leaf_waits(known: Mapping[str, Task]) -> list[tuple[int, ...]]:
    """Per leaf the positions of the leaves it waits for: those it depends on, and those that its conditions and the ones above it name.

    A dependency on a parent means all its leaves. From the edge on that is one too many, only so much is returned that the plan is refused.
    """
    leaf_tasks = [task for task in known.values() if task.leaf]
    if len(leaf_tasks) >= MOST_TASKS:
        return [()] * len(leaf_tasks)
    leaves: dict[str, list[int]] = {name: [] for name in known}
    for index, task in enumerate(leaf_tasks):
        for above in _with_ancestors(task, known) if task.parent is not None else (task,):
            leaves[above.id].append(index)
    conditional = {task.id for task in known.values() if task.block.when}
    # All of a wave share what they wait for, so that is looked up once.
    shared: dict[int, tuple[int, ...]] = {}
    found: list[tuple[int, ...]] = []
    edges = 0
    for task in leaf_tasks:
        names = task.depends
        if id(names) not in shared:
            shared[id(names)] = _leaves_of(names, leaves)
        waits = shared[id(names)]
        named = (
            [name for above in _with_ancestors(task, known) if above.id in conditional for name in _condition(above)] if conditional else ()
        )
        if named:
            waits = tuple(dict.fromkeys((*waits, *_leaves_of(named, leaves))))
        found.append(waits if edges <= MOST_EDGES else ())
        edges += len(found[-1])
    return found


def _leaves_of(names: Iterable[str], leaves: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(leaf for name in names for leaf in leaves.get(name, ())))


def _condition(task: Task) -> tuple[str, ...]:
    written = read_condition(task.block.when) if task.block.when else None
    return (written.task,) if written else ()


def _with_ancestors(task: Task, known: Mapping[str, Task]) -> Iterator[Task]:
    """The task and those above it; ends by itself even where hand-made parents form a circle."""
    yield task
    passed = {task.id}
    above = known.get(task.parent) if task.parent is not None else None
    while above is not None and above.id not in passed:
        yield above
        passed.add(above.id)
        above = known.get(above.parent) if above.parent is not None else None
