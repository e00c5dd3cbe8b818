"""A spec with what its symbols mean to each other, worked out at most once for each version of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from specthread.spec.document import DESIGN, DocumentName, Span
from specthread.spec.properties import Property, properties_of
from specthread.spec.requirement import Criterion, Requirement
from specthread.spec.source import Line, Lines
from specthread.spec.spec import Spec, kind_of
from specthread.spec.symbols import Occurrence, Symbol, occurrences_in
from specthread.spec.tasks import Task


@dataclass(frozen=True, eq=False)
class Index:
    """One version of a spec, and the answers to what is asked of it again and again. Of what stands there twice, the first counts."""

    spec: Spec
    _occurrences: dict[DocumentName, tuple[Occurrence, ...]] = field(default_factory=dict, repr=False)

    def lines(self, name: DocumentName) -> Lines:
        """The lines of a document; none where there is no such document."""
        source = self.spec.sources.get(name)
        return source.lines if source is not None else ()

    def occurrences_in(self, name: DocumentName) -> tuple[Occurrence, ...]:
        """Every occurrence in a document, in order."""
        if name not in self._occurrences:
            self._occurrences[name] = occurrences_in(self.spec, name)
        return self._occurrences[name]

    @cached_property
    def by_symbol(self) -> Mapping[Symbol, tuple[Occurrence, ...]]:
        """Every place of each symbol."""
        found: dict[Symbol, list[Occurrence]] = {}
        for name in self.spec.sources:
            for each in self.occurrences_in(name):
                found.setdefault(each.symbol, []).append(each)
        return {symbol: tuple(places) for symbol, places in found.items()}

    @cached_property
    def requirements(self) -> Mapping[str, Requirement]:
        """The requirements by id."""
        return {requirement.id: requirement for _, requirement in reversed(self.spec.all_requirements)}

    @cached_property
    def criteria(self) -> Mapping[str, tuple[Requirement, Criterion]]:
        """The criteria by id, each with its requirement."""
        return {criterion.id: (requirement, criterion) for _, requirement, criterion in reversed(tuple(self.spec.criteria))}

    @cached_property
    def properties(self) -> Mapping[str, Property]:
        """The correctness properties by id."""
        designs = [source for name, source in self.spec.sources.items() if kind_of(name) == DESIGN]
        return {each.id: each for source in reversed(designs) for each in reversed(properties_of(source))}

    @cached_property
    def tasks(self) -> Mapping[str, int]:
        """The position of each task by id."""
        return {task.id: position for position, task in reversed(tuple(enumerate(self.spec.tasks)))}

    @cached_property
    def parents(self) -> tuple[int | None, ...]:
        """The position of the task above each; always an earlier one, whatever is numbered twice."""
        latest: dict[str, int] = {}
        found: list[int | None] = []
        for position, task in enumerate(self.spec.tasks):
            found.append(latest.get(task.parent) if task.parent is not None else None)
            latest[task.id] = position
        return tuple(found)

    @cached_property
    def progress(self) -> tuple[tuple[int, int], ...]:
        """For each task how many of the leaves under it are done, and how many there are; a leaf counts itself."""
        counts = [(int(task.leaf and task.state == "done"), int(task.leaf)) for task in self.spec.tasks]
        for position in range(len(counts) - 1, -1, -1):
            above = self.parents[position]
            if above is not None:
                counts[above] = (counts[above][0] + counts[position][0], counts[above][1] + counts[position][1])
        return tuple(counts)

    @cached_property
    def is_traced(self) -> bool:
        """Whether tasks name requirements here at all; in some dialects they never do, and then nothing is missing."""
        return any(reference.kind == "requires" for task in self.spec.tasks for reference in task.references)

    @cached_property
    def covering(self) -> Mapping[Symbol, tuple[Task, ...]]:
        """The tasks that name a requirement, criterion or property, in order; whole requirements and “all” count for what is in them."""
        named: dict[Symbol, set[int]] = {}
        for symbol, places in self.by_symbol.items():
            owners = {each.owner.id for each in places if each.owner is not None and each.owner.kind == "task" and not each.is_definition}
            if symbol.kind != "task" and owners:
                named[symbol] = {self.tasks[owner] for owner in owners if owner in self.tasks}
        everything = {position for position, task in enumerate(self.spec.tasks) if any(each.is_all for each in task.references)}
        found: dict[Symbol, set[int]] = {symbol: positions for symbol, positions in named.items() if symbol.kind == "property"}
        for _, requirement in self.spec.all_requirements:
            whole = named.get(Symbol("requirement", requirement.id), set()) | everything
            parts = {each.id: named.get(Symbol("criterion", each.id), set()) for each in requirement.criteria}
            found[Symbol("requirement", requirement.id)] = whole.union(*parts.values())
            found.update({Symbol("criterion", part): whole | positions for part, positions in parts.items()})
        return {symbol: tuple(self.spec.tasks[position] for position in sorted(positions)) for symbol, positions in found.items()}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a document: a line (from 1) and the character on it that stands behind the cursor. It may lie outside of the document."""

    index: Index
    name: DocumentName
    line: int
    character: int

    @property
    def here(self) -> Line | None:
        """The line it is on; None outside of the document."""
        lines = self.index.lines(self.name)
        return lines[self.line - 1] if 0 < self.line <= len(lines) else None

    def touches(self, span: Span) -> bool:
        """Whether it stands in a place or directly behind it."""
        return span.line == self.line and span.start <= self.character <= span.end


def touched(cursor: Cursor) -> tuple[Occurrence, ...]:
    """What stands under the cursor: one symbol, or all those that one entry such as a range stands for."""
    found = [each for each in cursor.index.occurrences_in(cursor.name) if cursor.touches(each.span)]
    exact = [each for each in found if each.is_exact]
    return tuple(exact[:1] or found)


def meant(cursor: Cursor) -> tuple[Occurrence, ...]:
    """What a person at this place speaks of: what stands under the cursor, else what is defined by the words around it."""
    if (here := cursor.here) is None or here.hidden:
        return ()
    if found := touched(cursor):
        return found
    around = criterion_at(cursor) if cursor.name in cursor.index.spec.requirements else None
    for each in cursor.index.occurrences_in(cursor.name):
        if each.is_definition and (each.span.line == cursor.line or (around is not None and each.symbol == Symbol("criterion", around.id))):
            return (each,)
    return ()


def criterion_at(cursor: Cursor) -> Criterion | None:
    """The criterion whose words are on this line."""
    read = cursor.index.spec.requirements.get(cursor.name)
    for requirement in read.requirements if read is not None else ():
        if requirement.line <= cursor.line <= requirement.last:
            found = (each for each in requirement.criteria if each.line <= cursor.line <= (each.last if each.name else each.spoken))
            return next(found, None)
    return None


def task_at(cursor: Cursor) -> Task | None:
    """The task whose box or detail is on this line."""
    if cursor.name != cursor.index.spec.tasks_name:
        return None
    around = [task for task in cursor.index.spec.tasks if task.line <= cursor.line <= task.last]
    return around[-1] if around else None
