"""What has a name in a spec, where it is defined, and where it is spoken of: the one index behind go-to-definition, rename and trace."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, DocumentName, Span
from specthread.spec.lint_link import short_id
from specthread.spec.properties import properties_of, property_mentions, validates_in
from specthread.spec.references import Reference
from specthread.spec.spec import Spec, kind_of

SymbolKind = Literal["requirement", "criterion", "task", "property"]


class Symbol(NamedTuple):
    """Something with an id."""

    kind: SymbolKind
    id: str


class Occurrence(NamedTuple):
    """One place where a symbol stands.

    `span` holds exactly the id where `is_exact`, else the entry that stands for it (the middle of a range). `owner` is what a reference belongs to:
    the task or property it stands under.
    """

    symbol: Symbol
    document: DocumentName
    span: Span
    is_definition: bool
    is_exact: bool
    owner: Symbol | None


def occurrences_in(spec: Spec, name: DocumentName) -> tuple[Occurrence, ...]:
    """Every occurrence in one document, in order."""
    readers = {REQUIREMENTS: _in_requirements, BUGFIX: _in_requirements, DESIGN: _in_design, TASKS: _in_tasks}
    reader = readers.get(kind_of(name) or DocumentName(""))
    found = reader(spec, name) if reader is not None and name in spec.sources else ()
    return tuple(sorted(found, key=lambda each: (each.span, each.symbol)))


def occurrences(spec: Spec) -> tuple[Occurrence, ...]:
    """Every occurrence in all documents."""
    return tuple(each for name in spec.sources for each in occurrences_in(spec, name))


def occurrences_of(spec: Spec, symbol: Symbol) -> tuple[Occurrence, ...]:
    """Every place of a symbol, its definition among them."""
    return tuple(each for each in occurrences(spec) if each.symbol == symbol)


def occurrence_at(spec: Spec, name: DocumentName, line: int, character: int) -> Occurrence | None:
    """What stands at a place, the end of an id included; a place on a definition's own line, but on no reference, means the definition."""
    on_line = [each for each in occurrences_in(spec, name) if each.span.line == line]
    touching = [each for each in on_line if each.span.start <= character <= each.span.end]
    exact = [each for each in touching if each.is_exact]
    return next(iter((*exact, *touching, *(each for each in on_line if each.is_definition))), None)


def _in_requirements(spec: Spec, name: DocumentName) -> Iterator[Occurrence]:
    for requirement in spec.requirements[name].requirements:
        yield Occurrence(Symbol("requirement", requirement.id), name, requirement.id_span, is_definition=True, is_exact=True, owner=None)
        for criterion in requirement.criteria:
            owner = Symbol("requirement", requirement.id)
            yield Occurrence(Symbol("criterion", criterion.id), name, criterion.number_span, is_definition=True, is_exact=True, owner=owner)


def _in_design(spec: Spec, name: DocumentName) -> Iterator[Occurrence]:
    source = spec.sources[name]
    told: set[int] = set()
    for each in properties_of(source):
        symbol = Symbol("property", each.id)
        yield Occurrence(symbol, name, each.id_span, is_definition=True, is_exact=True, owner=None)
        for reference in each.validates:
            told.add(reference.span.line)
            yield from _references(spec, name, reference, symbol)
    for reference in validates_in(source.lines, 1):
        if reference.span.line not in told:
            yield from _references(spec, name, reference, None)


def _in_tasks(spec: Spec, name: DocumentName) -> Iterator[Occurrence]:
    if name != spec.tasks_name:
        return
    lines = spec.sources[name].lines
    for task in spec.tasks:
        owner = Symbol("task", task.id)
        yield Occurrence(owner, name, task.id_span, is_definition=True, is_exact=True, owner=None)
        for reference in task.references:
            yield from _references(spec, name, reference, owner)
        for number, span in property_mentions(lines[task.line - 1 : task.last], task.line):
            yield Occurrence(Symbol("property", number), name, span, is_definition=False, is_exact=True, owner=owner)


def _references(spec: Spec, name: DocumentName, reference: Reference, owner: Symbol | None) -> Iterator[Occurrence]:
    for written in reference.ids:
        symbol = _meant(spec, written) if reference.kind == "requires" else Symbol("task", written)
        found = re.search(rf"(?<![0-9.]){re.escape(written)}(?![\w]|\.[0-9])", reference.written)
        start = reference.span.start + found.start() if found else reference.span.start
        span = Span(reference.span.line, start, start + len(written)) if found else reference.span
        yield Occurrence(symbol, name, span, is_definition=False, is_exact=found is not None, owner=owner)


def _meant(spec: Spec, written: str) -> Symbol:
    """The requirement or criterion that an id in a reference means: `R1` also means 1, and 1 also R1."""
    requirements = {requirement.id for _, requirement in spec.all_requirements}
    if written in requirements:
        return Symbol("requirement", written)
    if written in spec.ids:
        return Symbol("criterion", written)
    other = next((name for name in requirements if short_id(name) == short_id(written)), None)
    if other is not None:
        return Symbol("requirement", other)
    return Symbol("criterion" if "." in written else "requirement", written)
