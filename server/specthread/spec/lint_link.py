"""Rules about what refers to what: ids that do not exist, and requirements and tasks that nothing refers to."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Final

from specthread.spec.condition import read_condition
from specthread.spec.document import Change, DocumentName, Fix, Problem, Span, whole_line
from specthread.spec.links import owner_of, required_by, short_id
from specthread.spec.references import Reference
from specthread.spec.rules import problem_at
from specthread.spec.spec import Spec
from specthread.spec.symbols import meanings, meant
from specthread.spec.tasks import Task

_Found = Iterator[tuple[DocumentName, Problem]]


def _unreadable(spec: Spec) -> _Found:
    for task in spec.tasks:
        block = task.block
        if all(reference.ids or reference.is_all for reference in block.references):
            continue
        for reference in block.references:
            # Elsewhere people write words where an id could stand (“NFR Security”); only what looks like a number is a slip there.
            is_slip = spec.dialect == "specthread" or (reference.written[:1].isdigit() and "*" not in reference.written)
            if not reference.ids and not reference.is_all and is_slip and spec.tasks_name:
                message = f"“{reference.written}” is not an id. Write ids such as “1.2” or a range such as “1.2-1.4”, separated by commas."
                yield spec.tasks_name, problem_at("link/unreadable-reference", message, reference.span.below(task.base))


def _unknown_requirement(spec: Spec) -> _Found:
    if not spec.all_requirements:
        return
    known = frozenset(meanings(spec))
    schemes = {_scheme(name) for name in known}
    owners = {short_id(requirement.id) for _, requirement in spec.all_requirements}
    without_criteria = {short_id(requirement.id) for _, requirement in spec.all_requirements if not requirement.criteria}
    for task in spec.tasks:
        if known.issuperset(task.block.requires):
            continue
        for reference in task.block.references:
            missing = [
                name
                for name in (reference.ids if reference.kind == "requires" else ())
                if known.isdisjoint({name, short_id(name)}) and _scheme(name) in schemes and owner_of(name, owners) not in without_criteria
            ]
            if missing and spec.tasks_name:
                message = f"{_home(spec)} holds no {', '.join(missing)}. Correct the number, or add it there."
                span = reference.span.below(task.base)
                yield spec.tasks_name, problem_at("link/unknown-requirement", message, span, _nearest(spec, reference, span, known))


def _unknown_task(spec: Spec) -> _Found:
    known = frozenset(task.block.id for task in spec.tasks)
    for task in spec.tasks:
        if not task.block.depends or known.issuperset(task.block.depends):
            continue
        for reference in task.block.references:
            missing = [name for name in reference.ids if name not in known] if reference.kind == "depends" else []
            if missing and spec.tasks_name:
                message = f"There is no task {', '.join(missing)} to wait for. Correct the number, or remove it."
                span = reference.span.below(task.base)
                yield spec.tasks_name, problem_at("link/unknown-task", message, span, _nearest(spec, reference, span, known))


def _unknown_condition(spec: Spec) -> _Found:
    """Only our own dialect has conditions."""
    if spec.tasks_name is None or spec.dialect != "specthread":
        return
    conditional = [(task, condition) for task in spec.tasks if task.block.when and (condition := read_condition(task.block.when))]
    known = {task.block.id for task in spec.tasks} if conditional else frozenset()
    for task, condition in conditional:
        if condition.task not in known:
            place = next((meta.span for meta in task.meta if meta.label == "when"), whole_line(task.line))
            message = f"There is no task {condition.task} that could be {condition.outcome}. Correct the number, or remove the condition."
            yield spec.tasks_name, problem_at("link/unknown-task", message, place)


def _unknown_wave_task(spec: Spec) -> _Found:
    graph = spec.tasks_read.graph if spec.tasks_read else None
    if graph is None or spec.tasks_name is None or not spec.tasks:
        return
    known = {task.block.id for task in spec.tasks}
    named = dict.fromkeys(name for wave in (*graph.waves, *graph.edges) for name in wave)
    if missing := [name for name in named if name not in known]:
        message = f"The dependency graph names tasks that are not there: {', '.join(missing)}. Correct the numbers, or remove them."
        yield spec.tasks_name, problem_at("link/unknown-wave-task", message, whole_line(graph.line))


def _requirement_coverage(spec: Spec) -> _Found:
    if spec.dialect == "openspec" or not spec.tasks or any(task.block.requires_all for task in spec.tasks):
        return
    meaning = meanings(spec)
    covered = {meant(meaning, "requires", name).id for task in spec.tasks for name in task.block.requires}
    if spec.dialect != "specthread" and not covered & spec.ids:
        return  # tasks that refer to nothing here, or to ids of another scheme, do not trace at all
    owners = {short_id(requirement.id) for _, requirement in spec.all_requirements}
    touched = {owner_of(name, owners) for name in covered}
    for name, requirement in spec.all_requirements:
        if not requirement.is_traced:
            continue
        if short_id(requirement.id) not in touched:
            how = (
                f"“[{requirement.id}]” behind the number of"
                if spec.dialect == "spec-kit"
                else f"“_Requirements: {requirement.id}.1_” under"
            )
            message = f"No task refers to requirement {requirement.id}. Add {how} the task that builds it."
            yield name, problem_at("coverage/requirement", message, whole_line(requirement.line))
        elif spec.dialect != "spec-kit" and requirement.id not in covered:
            for criterion in requirement.criteria:
                if criterion.id not in covered:
                    message = f"No task refers to criterion {criterion.id}. Add it to the task that builds it."
                    yield name, problem_at("coverage/criterion", message, whole_line(criterion.line))


def _task_coverage(spec: Spec) -> _Found:
    if spec.tasks_name is None or not spec.all_requirements or spec.dialect in {"spec-kit", "openspec"}:
        return
    if not any(task.block.references for task in spec.tasks) and spec.dialect != "specthread":
        return
    required = required_by(spec.tasks)
    for task in spec.tasks:
        if task.leaf and not required[task.block.id] and not _is_excused(task, spec):
            message = f"Task {task.id} refers to no requirement. Add “_Requirements: …_” with the criteria it fulfils."
            yield spec.tasks_name, problem_at("coverage/task", message, whole_line(task.line))


def _is_excused(task: Task, spec: Spec) -> bool:
    """A checkpoint builds nothing, and `All` or words are references too."""
    return task.block.is_checkpoint or task.block.requires_all or (spec.dialect != "specthread" and bool(task.block.requires_written))


def _scheme(name: str) -> str:
    return name.rstrip("0123456789.abcdefghijklmnopqrstuvwxyz").rstrip("0123456789.")


def _home(spec: Spec) -> str:
    return f"{next(iter(spec.requirements))}.md"


def _nearest(spec: Spec, reference: Reference, span: Span, known: frozenset[str]) -> Fix | None:
    """The one id that is written nearly like this one."""
    if len(reference.ids) != 1 or len(known) > _MOST_COMPARED:
        return None
    written = reference.written
    near = spec.recall((get_close_matches, written, known), lambda: get_close_matches(written, known, n=2, cutoff=0.75))
    if len(near) != 1:
        return None
    return Fix(f"Change to {near[0]}", (Change((span.line, span.start), (span.line, span.end), near[0]),))


_MOST_COMPARED: Final = 1_000
"""Ids above which no fix is looked for: it takes milliseconds for each reference."""


LINK_RULES: Final[tuple[Callable[[Spec], _Found], ...]] = (
    _unreadable,
    _unknown_requirement,
    _unknown_task,
    _unknown_condition,
    _unknown_wave_task,
    _requirement_coverage,
    _task_coverage,
)
