"""The linter of spec documents: each rule is one function over the documents of a folder, each code a row of the table in `rules.py`.

Rules about one requirement or one task by itself are asked once per text (`Source.recall`); the others look at ids alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from specthread.spec.dialects import Dialect
from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, DocumentName, Problem
from specthread.spec.lint_approval import APPROVAL_RULES
from specthread.spec.lint_document import DOCUMENT_RULES
from specthread.spec.lint_link import LINK_RULES
from specthread.spec.lint_requirement import REQUIREMENT_RULES
from specthread.spec.lint_task import TASK_RULES, by_itself
from specthread.spec.rules import RULES, Rule
from specthread.spec.source import Source
from specthread.spec.spec import Spec, kind_of, read_spec
from specthread.spec.suppression import suppressed

__all__ = ["RULES", "Rule", "lint", "lint_spec"]


def lint(documents: Mapping[DocumentName, bytes], dialect: Dialect = "specthread") -> tuple[Problem, ...]:
    """Everything found in these documents, see `lint_spec`."""
    return lint_spec(read_spec(documents, dialect))


def lint_spec(spec: Spec, more: Iterable[Problem] = ()) -> tuple[Problem, ...]:
    """Everything found in a spec, sorted by document and line; rules about a document that is not there stay silent.

    `more` is what somebody else found: comments silence it too.
    """
    by_document: dict[DocumentName, list[Problem]] = {name: [] for name in spec.sources}
    for name, problem in _found(spec):
        by_document[name].append(problem)
    for problem in more:
        by_document[DocumentName(problem.document)].append(problem)
    found: list[Problem] = []
    for name in sorted(by_document, key=lambda name: (_ORDER.get(kind_of(name) or "", len(_ORDER)), name)):
        source = spec.sources[name]
        kept = suppressed(source, by_document[name])
        found += sorted((_told(problem, name, source) for problem in kept), key=lambda problem: (problem.span, problem.code))
    return tuple(found)


_Found = Iterator[tuple[DocumentName, Problem]]

_ORDER: Final[Mapping[str, int]] = {REQUIREMENTS: 0, BUGFIX: 1, DESIGN: 2, TASKS: 3}


def _told(problem: Problem, name: DocumentName, source: Source) -> Problem:
    length = len(source.lines[problem.line - 1].text) if problem.line <= len(source.lines) else 0
    return Problem(problem.code, problem.severity, problem.message, problem.span.clipped(length), name, problem.fix)


def _found(spec: Spec) -> _Found:
    for name, source in spec.sources.items():
        for rule in DOCUMENT_RULES:
            yield from ((name, problem) for problem in rule(name, source))
    yield from spec.problems_of_reading()
    for requirement_rule in REQUIREMENT_RULES:
        yield from _recalled(spec, requirement_rule, spec.around.systems, *spec.requirements.values())
    for spec_rule in (*TASK_RULES, *LINK_RULES):
        yield from _recalled(spec, spec_rule, spec.shape)
    if spec.around.records:
        for approval_rule in APPROVAL_RULES:
            yield from approval_rule(spec)
    yield from by_itself(spec)


def _recalled(spec: Spec, rule: Callable[[Spec], _Found], *on: object) -> tuple[tuple[DocumentName, Problem], ...]:
    """What a rule finds, asked anew only where something is another one than in the version before."""
    return spec.recall((rule, *on), lambda: tuple(rule(spec)))
