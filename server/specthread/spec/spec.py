"""A spec as the documents of one folder read together: what is required, and what is to be done for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from specthread.spec.bugfix import bugfix_of
from specthread.spec.dialects import Dialect, document_of
from specthread.spec.document import BUGFIX, REQUIREMENTS, TASKS, DocumentName, Problem
from specthread.spec.near import Near, near_of
from specthread.spec.recall import Recall
from specthread.spec.requirement import Criterion, Requirement, Requirements
from specthread.spec.requirements import requirements_of
from specthread.spec.source import Source, scan
from specthread.spec.tasks import Task, Tasks, tasks_of


@dataclass(frozen=True, kw_only=True)
class Spec:
    """The documents by name (the path below the folder, without `.md`), and what was read from them; missing ones are not there."""

    dialect: Dialect
    sources: Mapping[DocumentName, Source]
    requirements: Mapping[DocumentName, Requirements]
    tasks_name: DocumentName | None
    tasks_read: Tasks | None
    near: Near
    shape: "Shape"
    around: "Around"
    recall: Recall

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks in document order."""
        return self.tasks_read.tasks if self.tasks_read else ()

    @cached_property
    def all_requirements(self) -> tuple[tuple[DocumentName, Requirement], ...]:
        """Every requirement with its document."""
        return tuple((name, requirement) for name, read in self.requirements.items() for requirement in read.requirements)

    @property
    def criteria(self) -> Iterator[tuple[DocumentName, Requirement, Criterion]]:
        """Every criterion with where it stands."""
        return ((name, requirement, each) for name, requirement in self.all_requirements for each in requirement.criteria)

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of requirements and criteria."""
        return frozenset().union(*(read.ids for read in self.requirements.values()))

    def problems_of_reading(self) -> Iterator[tuple[DocumentName, Problem]]:
        """What was found while reading."""
        for name, read in self.requirements.items():
            yield from ((name, problem) for problem in read.problems)
        if self.tasks_read and self.tasks_name:
            yield from ((self.tasks_name, problem) for problem in self.tasks_read.problems)


@dataclass(frozen=True, slots=True)
class Around:
    """What counts for a spec besides its documents: records of approvals by file name, and the names of the systems that SHALL do something."""

    records: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    systems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """All that one document of a spec can see of another, see `Tasks.shape`; the same object for two versions that differ in words alone."""

    parts: tuple[object, ...]


def kind_of(name: DocumentName) -> DocumentName | None:
    """What a document of a folder holds: requirements, bugfix, design, tasks, or None."""
    return document_of(f"{name}.md")


def read_spec(
    contents: Mapping[DocumentName, bytes],
    dialect: Dialect = "specthread",
    before: Spec | None = None,
    around: "Around | None" = None,
) -> Spec:
    """The documents read together; never raises. `before` makes it cheap, and changes nothing else."""
    known = before.sources if before is not None and before.dialect == dialect else {}
    return spec_of({name: scan(content, known.get(name)) for name, content in contents.items()}, dialect, before, around)


def spec_of(
    sources: Mapping[DocumentName, Source],
    dialect: Dialect = "specthread",
    before: Spec | None = None,
    around: "Around | None" = None,
) -> Spec:
    """The same of documents already scanned, each with its own version in `before` where it has one there."""
    known = before.sources if before is not None and before.dialect == dialect else {}
    tasks_name = next((name for name in sources if kind_of(name) == TASKS), None)
    requirements: dict[DocumentName, Requirements] = {}
    for name, source in sources.items():
        if kind_of(name) in {REQUIREMENTS, BUGFIX}:
            kept = before.requirements.get(name) if before is not None and known.get(name) is source else None
            requirements[name] = kept or (bugfix_of(source) if kind_of(name) == BUGFIX else requirements_of(source, dialect))
    tasks = tasks_of(sources[tasks_name], dialect, before.tasks_read if before and known else None) if tasks_name is not None else None
    requirement_shapes = tuple((name, read.shape) for name, read in requirements.items())
    shape = Shape((requirement_shapes, tasks.shape if tasks else None, tuple(sources)))
    return Spec(
        dialect=dialect,
        sources=MappingProxyType(dict(sources)),
        requirements=MappingProxyType(requirements),
        tasks_name=tasks_name,
        tasks_read=tasks,
        near=_near(requirements, before),
        shape=before.shape if before is not None and before.shape.parts == shape.parts else shape,
        around=around or Around(),
        recall=Recall(before.recall if before is not None and known else None),
    )


def _near(requirements: Mapping[DocumentName, Requirements], before: Spec | None) -> Near:
    if before is not None and all(before.requirements.get(name) is read for name, read in requirements.items()):
        return before.near
    texts = (criterion.text for read in requirements.values() for each in read.requirements for criterion in each.criteria)
    return near_of(texts, before.near if before is not None else None)
