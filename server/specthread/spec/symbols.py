"""What has a name in a spec, where it is defined, and where it is spoken of: the one index behind go-to-definition, rename and trace."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from specthread.spec.document import DESIGN, DocumentName, Span
from specthread.spec.links import short_id
from specthread.spec.properties import properties_of, property_mentions, validates_in
from specthread.spec.references import Reference, ReferenceKind
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
    if name not in spec.sources:
        return ()
    found = [*_definitions(spec, name), *_mentions(spec, name)]
    meaning = meanings(spec)
    for reference, owner in references_in(spec, name):
        found += _references(meaning, name, reference, owner)
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


def references_in(spec: Spec, name: DocumentName) -> Iterator[tuple[Reference, Symbol | None]]:
    """Every entry of a list of ids in one document, with the task or property it stands under."""
    kind = kind_of(name)
    if kind == DESIGN:
        told: set[int] = set()
        for each in properties_of(spec.sources[name]):
            told.update(reference.span.line for reference in each.validates)
            yield from ((reference, Symbol("property", each.id)) for reference in each.validates)
        for reference in validates_in(spec.sources[name].lines, 1):
            if reference.span.line not in told:
                yield reference, None
    elif name == spec.tasks_name:
        for task in spec.tasks:
            yield from ((reference, Symbol("task", task.id)) for reference in task.references)


def meanings(spec: Spec) -> Mapping[str, Symbol]:
    """The requirement or criterion that an id in a reference means: `R1` also means 1, and 1 also R1."""
    found: dict[str, Symbol] = {}
    for _, requirement in spec.all_requirements:
        found.setdefault(requirement.id, Symbol("requirement", requirement.id))
    for _, _, criterion in spec.criteria:
        found.setdefault(criterion.id, Symbol("criterion", criterion.id))
    for symbol in tuple(found.values()):
        found.setdefault(short_id(symbol.id), symbol)
    return found


def meant(meaning: Mapping[str, Symbol], kind: ReferenceKind, written: str) -> Symbol:
    """What an id in a reference stands for; one that nothing carries stands for itself."""
    if kind == "depends":
        return Symbol("task", written)
    dangling = Symbol("criterion" if "." in written else "requirement", written)
    return meaning.get(written) or meaning.get(short_id(written)) or dangling


def place_of(reference: Reference, written: str) -> Span | None:
    """Where the entry writes this one of its ids; None in the middle of a range."""
    text = reference.written
    at = text.find(written)
    while at >= 0:
        end = at + len(written)
        inside = (
            text[end : end + 1].isalnum()
            or text[end : end + 1] == "_"
            or (text[end : end + 1] == "." and text[end + 1 : end + 2].isdecimal())
        )
        if not inside and (at == 0 or text[at - 1] not in "0123456789."):
            return Span(reference.span.line, reference.span.start + at, reference.span.start + end)
        at = text.find(written, at + 1)
    return None


def _definitions(spec: Spec, name: DocumentName) -> Iterator[Occurrence]:
    for requirement in spec.requirements[name].requirements if name in spec.requirements else ():
        owner = Symbol("requirement", requirement.id)
        yield Occurrence(owner, name, requirement.id_span, is_definition=True, is_exact=True, owner=None)
        for criterion in requirement.criteria:
            yield Occurrence(Symbol("criterion", criterion.id), name, criterion.number_span, is_definition=True, is_exact=True, owner=owner)
    for each in properties_of(spec.sources[name]) if kind_of(name) == DESIGN else ():
        yield Occurrence(Symbol("property", each.id), name, each.id_span, is_definition=True, is_exact=True, owner=None)
    for task in spec.tasks if name == spec.tasks_name else ():
        yield Occurrence(Symbol("task", task.id), name, task.id_span, is_definition=True, is_exact=True, owner=None)


def _mentions(spec: Spec, name: DocumentName) -> Iterator[Occurrence]:
    lines = spec.sources[name].lines
    for task in spec.tasks if name == spec.tasks_name else ():
        for number, span in property_mentions(lines[task.line - 1 : task.last], task.line):
            owner = Symbol("task", task.id)
            yield Occurrence(Symbol("property", number), name, span, is_definition=False, is_exact=True, owner=owner)


def _references(meaning: Mapping[str, Symbol], name: DocumentName, reference: Reference, owner: Symbol | None) -> Iterator[Occurrence]:
    for written in reference.ids:
        span = place_of(reference, written)
        symbol = meant(meaning, reference.kind, written)
        yield Occurrence(symbol, name, span or reference.span, is_definition=False, is_exact=span is not None, owner=owner)
