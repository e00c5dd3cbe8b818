"""Rules about tasks: their numbers, their boxes, and the commands that verify them."""

from collections.abc import Callable, Iterator
from typing import Final

from specthread.spec.condition import read_condition
from specthread.spec.document import DocumentName, Problem, Span, whole_line
from specthread.spec.duration import seconds_from
from specthread.spec.lint_requirement import gaps
from specthread.spec.resource import KINDS, MOST_USED, modes_of, use_of
from specthread.spec.rules import problem_at
from specthread.spec.shell import always_succeeds
from specthread.spec.spec import Spec
from specthread.spec.task_block import Run, TaskBlock
from specthread.spec.tasks import Task

_Found = Iterator[tuple[DocumentName, Problem]]


def _none(spec: Spec) -> _Found:
    if spec.tasks_name is not None and not spec.tasks:
        sample = "- [ ] T001 title" if spec.dialect == "spec-kit" else "- [ ] 1. title"
        message = f"The document holds no task. Write one as “{sample}”."
        yield spec.tasks_name, problem_at("task/none", message, whole_line(1))


def _gap(spec: Spec) -> _Found:
    if spec.tasks_name is None or spec.dialect == "spec-kit":
        return
    families: dict[str, list[tuple[str, Task]]] = {}
    for task in spec.tasks:
        family, _, number = task.block.id.rpartition(".")
        families.setdefault(family, []).append((number, task))
    for family, numbered in families.items():
        if [number for number, _ in numbered] == _NUMBERS[: len(numbered)]:
            continue
        for task, left_out in gaps(numbered):
            name = f"{family}.{left_out}" if family else left_out
            yield spec.tasks_name, problem_at("task/gap", f"Task {name} is left out.", whole_line(task.line))


_NUMBERS: Final = [str(number) for number in range(1, 200)]


def _state_conflict(spec: Spec) -> _Found:
    """A parent is ticked while a mandatory task below it is not."""
    if spec.tasks_name is None:
        return
    open_below = {task.parent for task in spec.tasks if task.parent and task.block.state != "done" and not task.block.optional}
    if not open_below:
        return
    for task in spec.tasks:
        if not task.leaf and task.block.state == "done" and task.block.id in open_below:
            message = f"Task {task.id} is ticked, but not all of its subtasks are. Tick it when they are done."
            yield spec.tasks_name, problem_at("task/state-conflict", message, task.box)


def by_itself(spec: Spec) -> _Found:
    """The rules that look at one task alone, asked once per text; only our own dialect has checks, and only leaves are checked."""
    if spec.tasks_name is None or spec.tasks_read is None or spec.dialect != "specthread":
        return
    source = spec.sources[spec.tasks_name]
    parents: set[str | None] | None = None
    runs = spec.tasks_read.runs
    for (base, _), judged in zip(runs, source.recall.each(_judged, [run for _, run in runs]), strict=True):
        for block, problem in judged:
            parents = {task.parent for task in spec.tasks} if parents is None else parents
            if problem.code not in _OF_LEAVES or block.id not in parents:
                yield spec.tasks_name, problem.below(base, "")


_OF_LEAVES: Final = frozenset({"task/no-check", "task/trivial-check"})
"""What a task above others says of conditions and resources binds those below it, so it must be readable."""


def _judged(run: Run) -> tuple[tuple[TaskBlock, Problem], ...]:
    """What the rules find in each task, on the lines its block counts."""
    return tuple((block, problem) for block in run.blocks for problem in _findings(block))


def _findings(block: TaskBlock) -> Iterator[Problem]:
    if block.when and read_condition(block.when) is None:
        message = f"“{block.when}” is not a condition. Write “_When: task 2 failed_”, or merged or skipped in its place."
        yield problem_at("task/unreadable-condition", message, _place_of(block, "when"))
    if block.check is None:
        message = f"Task {block.id} names no check. Add “_Check: command_” with the command that fails until the task is done."
        yield problem_at("task/no-check", message, whole_line(block.line))
    elif always_succeeds(block.check):
        message = f"The check of task {block.id} succeeds whatever the code does. Name a command that fails until the task is done."
        yield problem_at("task/trivial-check", message, _place_of(block, "check"))
    for meta in block.meta:
        if meta.label == "timeout" and (seconds_from(meta.value) or 0) <= 0:
            message = f"“{meta.value.strip()}” is no time that a task could be given. Write one above nothing, such as 30m, 90s or 1h 30m."
            yield problem_at("task/bad-timeout", message, meta.span if meta.value else whole_line(block.line))
    if len(modes_of(block.uses)) > MOST_USED:
        message = f"Task {block.id} uses {len(modes_of(block.uses))} resources, and a session holds {MOST_USED} at most. Name one that stands for many."
        yield problem_at("task/too-many-resources", message, _place_of(block, "uses"))
    for written in block.uses:
        if use_of(written) is None:
            message = f"“{written}” is no resource. Write a kind and a name, such as database:test or api:github (shared); the kinds are {', '.join(KINDS)}."
            yield problem_at("task/unknown-resource", message, _place_of(block, "uses"))


def _place_of(block: TaskBlock, label: str) -> Span:
    return next((meta.span for meta in block.meta if meta.label == label and meta.value), whole_line(block.line))


TASK_RULES: Final[tuple[Callable[[Spec], _Found], ...]] = (_none, _gap, _state_conflict)
