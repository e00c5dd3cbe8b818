"""The linter of spec documents: each rule is one function over the documents of a folder, each code a row of the table in `rules.py`.

Rules about one requirement or one task by itself are asked once per text (`Source.recall`); the others look at ids alone.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, DocumentName, Problem
from specthread.spec.lint_document import DOCUMENT_RULES
from specthread.spec.lint_link import LINK_RULES
from specthread.spec.lint_requirement import REQUIREMENT_RULES
from specthread.spec.lint_task import TASK_RULES
from specthread.spec.rules import RULES, Rule
from specthread.spec.spec import Spec, kind_of, read_spec
from specthread.spec.suppression import suppressed

__all__ = ["RULES", "Rule", "lint", "lint_spec"]


def lint(documents: Mapping[DocumentName, bytes]) -> tuple[Problem, ...]:
    """Everything found in these documents of our own dialect, see `lint_spec`."""
    return lint_spec(read_spec(documents))


def lint_spec(spec: Spec) -> tuple[Problem, ...]:
    """Everything found in a spec, sorted by document and line; rules about a document that is not there stay silent."""
    by_document: dict[DocumentName, list[Problem]] = {name: [] for name in spec.sources}
    for name, problem in _found(spec):
        by_document[name].append(problem)
    found: list[Problem] = []
    for name in sorted(by_document, key=lambda name: (_ORDER.get(kind_of(name) or "", len(_ORDER)), name)):
        kept = suppressed(spec.sources[name], by_document[name])
        found += sorted((problem._replace(document=name) for problem in kept), key=lambda problem: (problem.span, problem.code))
    return tuple(found)


_SpecRule = Callable[[Spec], Iterator[tuple[DocumentName, Problem]]]

_ORDER: Final[Mapping[str, int]] = {REQUIREMENTS: 0, BUGFIX: 1, DESIGN: 2, TASKS: 3}
_SPEC_RULES: Final[tuple[_SpecRule, ...]] = (*REQUIREMENT_RULES, *TASK_RULES, *LINK_RULES)


def _found(spec: Spec) -> Iterator[tuple[DocumentName, Problem]]:
    for name, source in spec.sources.items():
        for rule in DOCUMENT_RULES:
            yield from ((name, problem) for problem in rule(name, source))
    yield from spec.problems_of_reading()
    for spec_rule in _SPEC_RULES:
        yield from spec_rule(spec)
