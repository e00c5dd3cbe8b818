"""The linter of spec documents: each rule is one function over the parsed documents, each code a row of the table in `rules.py`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from specthread.spec import ears
from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, DocumentName, Line, Problem, scan_lines, unclosed_fence
from specthread.spec.links import required_by, requirement_of
from specthread.spec.requirements import Criterion, Requirement, requirements_of
from specthread.spec.rules import RULES, Rule, problem, problem_at
from specthread.spec.shell import always_succeeds
from specthread.spec.tasks import Task, tasks_of

__all__ = ["RULES", "Rule", "lint"]

_Item = TypeVar("_Item")


def lint(documents: Mapping[DocumentName, bytes]) -> tuple[Problem, ...]:
    """Everything found in these documents, sorted by document and line; rules about a document not given stay silent."""
    lines = {name: scan_lines(content) for name, content in documents.items()}
    found = [replace(found, document=name) for name in documents for rule in _DOCUMENT_RULES for found in rule(name, lines[name])]
    requirements = requirements_of(lines.get(REQUIREMENTS, ()))
    tasks = tasks_of(lines.get(TASKS, ()))
    for name, problems in ((REQUIREMENTS, requirements.problems), (TASKS, tasks.problems)):
        found += (replace(problem, document=name) for problem in problems)
    for name, rules in _RULES.items():
        if name in lines:
            spec = _Spec(
                requirements=requirements.requirements if REQUIREMENTS in lines else None,
                tasks=tasks.tasks if TASKS in lines else None,
                lines=lines[name] or scan_lines(b"\n"),
            )
            found += (replace(found, document=name) for rule in rules for found in rule(spec))
    return tuple(sorted(found, key=lambda found: (_ORDER.get(found.document, len(_ORDER)), found.line, found.range, found.code)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spec:
    """What the rules look at: both parsed documents (None where not given) and the lines of the one they report on."""

    requirements: tuple[Requirement, ...] | None
    tasks: tuple[Task, ...] | None
    lines: Sequence[Line]

    def line_of(self, item: Requirement | Criterion | Task) -> Line:
        return self.lines[item.line - 1]

    @property
    def criteria(self) -> Iterator[Criterion]:
        return (criterion for requirement in self.requirements or () for criterion in requirement.criteria)

    @property
    def leaves(self) -> Iterator[Task]:
        return (task for task in self.tasks or () if task.leaf)


def _not_utf8(_name: DocumentName, lines: Sequence[Line]) -> Iterator[Problem]:
    broken = next((line for line in lines if any("\udc80" <= char <= "\udcff" for char in line.text)), None)
    if broken is not None:
        yield problem("document/not-utf8", "This line holds bytes that are not UTF-8. Save the document as UTF-8.", broken)


def _too_long(name: DocumentName, lines: Sequence[Line]) -> Iterator[Problem]:
    limit = _LONGEST.get(name, _LONGEST[DESIGN])
    if len(lines) > limit:
        message = f"The document has {len(lines)} lines; hardly anybody reviews more than {limit} with care. Split the SpecTask."
        yield problem("document/too-long", message, lines[0])


def _unclosed_fence(_name: DocumentName, lines: Sequence[Line]) -> Iterator[Problem]:
    if (line := unclosed_fence(lines)) is not None:
        yield problem("document/unclosed-fence", "This code fence is never closed and read as text. Close it below the code.", line)


def _no_requirement(spec: _Spec) -> Iterator[Problem]:
    if not spec.requirements:
        message = "The document holds no requirement. Write a heading such as “### Requirement 1: title” with numbered criteria below it."
        yield problem("requirement/none", message, spec.lines[0])


def _requirement_gap(spec: _Spec) -> Iterator[Problem]:
    for requirement, left_out in _gaps((requirement.id, requirement) for requirement in spec.requirements or ()):
        yield problem("requirement/gap", f"Requirement {left_out} is left out. Renumber, or add it.", spec.line_of(requirement))


def _criterion_gap(spec: _Spec) -> Iterator[Problem]:
    for requirement in spec.requirements or ():
        for criterion, left_out in _gaps((criterion.number, criterion) for criterion in requirement.criteria):
            message = f"Criterion {requirement.id}.{left_out} is left out. Renumber, or add it."
            yield problem("criterion/gap", message, spec.line_of(criterion))


def _no_criteria(spec: _Spec) -> Iterator[Problem]:
    for requirement in spec.requirements or ():
        if not requirement.criteria:
            message = (
                f"Requirement {requirement.id} has no acceptance criterion. Add “#### Acceptance Criteria” with a numbered list below it."
            )
            yield problem("requirement/no-criteria", message, spec.line_of(requirement))


def _no_shall(spec: _Spec) -> Iterator[Problem]:
    for criterion, plain in _spoken(spec):
        if ears.is_english(plain) and not any(ears.shall_counts(plain)):
            message = f"Criterion {criterion.id} says nothing the system SHALL do. Write it as “WHEN …, THE … SHALL …”."
            yield problem("ears/no-shall", message, spec.line_of(criterion))


def _many_shall(spec: _Spec) -> Iterator[Problem]:
    for criterion, plain in _spoken(spec):
        if max(ears.shall_counts(plain)) > 1:
            message = f"Criterion {criterion.id} holds more than one SHALL in a sentence. Make each a criterion of its own."
            yield problem("ears/many-shall", message, spec.line_of(criterion))


def _ears_form(spec: _Spec) -> Iterator[Problem]:
    for criterion, plain in _spoken(spec):
        if criterion.pattern == "none" and any(ears.shall_counts(plain)):
            message = f"Criterion {criterion.id} follows no EARS form. Open it with WHEN, WHILE, WHERE, IF or the name of the system."
            yield problem("ears/form", message, spec.line_of(criterion))


def _separator(spec: _Spec) -> Iterator[Problem]:
    for criterion, plain in _spoken(spec):
        if ears.condition_words(plain) and any(ears.shall_counts(plain)) and not ears.has_separator(plain):
            message = f"The condition of criterion {criterion.id} is not closed. Put a comma or THEN in front of the system's name."
            yield problem("ears/separator", message, spec.line_of(criterion))


def _if_without_then(spec: _Spec) -> Iterator[Problem]:
    for criterion, plain in _spoken(spec):
        if "IF" in ears.condition_words(plain) and ears.has_separator(plain) and ears.is_english(plain) and not ears.has_then(plain):
            message = f"Criterion {criterion.id} has an IF without THEN. Write “IF …, THEN THE … SHALL …”."
            yield problem("ears/if-without-then", message, spec.line_of(criterion))


def _clause_order(spec: _Spec) -> Iterator[Problem]:
    for criterion, plain in _spoken(spec):
        if not ears.in_clause_order(ears.condition_words(plain)):
            message = f"The conditions of criterion {criterion.id} are out of order. Write WHERE first, then WHILE, then WHEN or IF."
            yield problem("ears/clause-order", message, spec.line_of(criterion))


def _requirement_coverage(spec: _Spec) -> Iterator[Problem]:
    if not (spec.requirements and spec.tasks):
        return
    covered = {name for task in spec.tasks for name in task.requires}
    touched = {requirement_of(name) for name in covered}
    for requirement in spec.requirements:
        if requirement.id not in touched:
            message = (
                f"No task refers to requirement {requirement.id}. Add “_Requirements: {requirement.id}.1_” under the task that builds it."
            )
            yield problem("coverage/requirement", message, spec.line_of(requirement))
            continue
        for criterion in requirement.criteria:
            if not covered & {criterion.id, requirement.id}:
                message = f"No task refers to criterion {criterion.id}. Add it to the task that builds it."
                yield problem("coverage/criterion", message, spec.line_of(criterion))


def _no_task(spec: _Spec) -> Iterator[Problem]:
    if not spec.tasks:
        yield problem("task/none", "The document holds no task. Write one as “- [ ] 1. title”.", spec.lines[0])


def _task_gap(spec: _Spec) -> Iterator[Problem]:
    families: dict[str, list[tuple[str, Task]]] = {}
    for task in spec.tasks or ():
        family, _, number = task.id.rpartition(".")
        families.setdefault(family, []).append((number, task))
    for family, numbered in families.items():
        for task, left_out in _gaps(numbered):
            name = f"{family}.{left_out}" if family else left_out
            yield problem("task/gap", f"Task {name} is left out.", spec.line_of(task))


def _no_check(spec: _Spec) -> Iterator[Problem]:
    for task in spec.leaves:
        if task.check is None:
            message = f"Task {task.id} names no check. Add “_Check: command_” with the command that fails until the task is done."
            yield problem("task/no-check", message, spec.line_of(task))


def _trivial_check(spec: _Spec) -> Iterator[Problem]:
    for task in spec.leaves:
        if task.check is not None and always_succeeds(task.check):
            where = next((meta for meta in task.meta if meta.label == "check" and meta.value), None)
            message = f"The check of task {task.id} succeeds whatever the code does. Name a command that fails until the task is done."
            yield problem_at("task/trivial-check", message, where.line if where else task.line, where.range if where else task.range)


def _unreadable_reference(spec: _Spec) -> Iterator[Problem]:
    for task in spec.tasks or ():
        for reference in task.references:
            if not reference.ids:
                message = f"“{reference.written}” is not an id. Write ids such as “1.2” or a range such as “1.2-1.4”, separated by commas."
                yield problem_at("link/unreadable-reference", message, reference.line, reference.range)


def _unknown_requirement(spec: _Spec) -> Iterator[Problem]:
    if spec.requirements:
        known = {requirement.id for requirement in spec.requirements} | {criterion.id for criterion in spec.criteria}
        yield from _dangling(
            spec, "requires", known, "link/unknown-requirement", "requirements.md holds no {}. Correct the number, or add it there."
        )


def _unknown_task(spec: _Spec) -> Iterator[Problem]:
    known = {task.id for task in spec.tasks or ()}
    yield from _dangling(spec, "depends", known, "link/unknown-task", "There is no task {} to wait for. Correct the number, or remove it.")


def _task_coverage(spec: _Spec) -> Iterator[Problem]:
    required = required_by(spec.tasks or ())
    for task in spec.leaves:
        if spec.requirements and not required[task.id]:
            message = f"Task {task.id} refers to no requirement. Add “_Requirements: …_” with the criteria it fulfils."
            yield problem("coverage/task", message, spec.line_of(task))


def _spoken(spec: _Spec) -> Iterator[tuple[Criterion, str]]:
    return ((criterion, ears.spoken(criterion.text)) for criterion in spec.criteria)


def _dangling(spec: _Spec, kind: str, known: set[str], code: str, message: str) -> Iterator[Problem]:
    for task in spec.tasks or ():
        for reference in task.references:
            missing = [name for name in reference.ids if name not in known] if reference.kind == kind else []
            if missing:
                yield problem_at(code, message.format(", ".join(missing)), reference.line, reference.range)


def _gaps(numbered: Iterable[tuple[str, _Item]]) -> Iterator[tuple[_Item, str]]:
    """Each item behind a gap with the first number left out before it, in numeric order; other ids than numbers are passed over."""
    before = 0
    for number, item in sorted(((int(number), item) for number, item in numbered if number.isdecimal()), key=lambda pair: pair[0]):
        if number > before + 1:
            yield item, str(before + 1)
        before = number


_DocumentRule = Callable[[DocumentName, Sequence[Line]], Iterator[Problem]]
_SpecRule = Callable[[_Spec], Iterator[Problem]]

_LONGEST: Final = {REQUIREMENTS: 1_000, DESIGN: 2_000, TASKS: 1_500, BUGFIX: 1_000}
_ORDER: Final[dict[str, int]] = {REQUIREMENTS: 0, BUGFIX: 1, DESIGN: 2, TASKS: 3}
_DOCUMENT_RULES: Final[tuple[_DocumentRule, ...]] = (_not_utf8, _too_long, _unclosed_fence)
_RULES: Final[dict[DocumentName, tuple[_SpecRule, ...]]] = {
    REQUIREMENTS: (
        _no_requirement,
        _requirement_gap,
        _criterion_gap,
        _no_criteria,
        _no_shall,
        _many_shall,
        _ears_form,
        _separator,
        _if_without_then,
        _clause_order,
        _requirement_coverage,
    ),
    TASKS: (
        _no_task,
        _task_gap,
        _no_check,
        _trivial_check,
        _unreadable_reference,
        _unknown_requirement,
        _unknown_task,
        _task_coverage,
    ),
}
