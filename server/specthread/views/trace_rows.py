"""The trace matrix: for each requirement and criterion of a spec its tasks, properties, sessions, commits, code and tests, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from specthread.spec.document import DocumentName
from specthread.spec.home import names_of
from specthread.spec.links import required_by
from specthread.spec.markers import id_key
from specthread.spec.requirement import Requirement
from specthread.spec.spec import Spec
from specthread.spec.symbols import Symbol, occurrences
from specthread.spec.tasks import Task
from specthread.views.trace import Mention, TraceCommit, TraceIndex, TraceSession

Gap = Literal["no-task", "no-test"]


class TraceTask(NamedTuple):
    """A task that builds something, with its state: of its box, or of the work on it where that is known."""

    id: str
    title: str
    state: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """What is known of one requirement or criterion, which stands at a line of a document.

    A criterion's row holds what names it or its whole requirement, a requirement's row what names it or any part of it. Gaps are those of a criterion, or of
    a requirement without criteria.
    """

    symbol: Symbol
    title: str
    document: DocumentName
    line: int
    tasks: tuple[TraceTask, ...]
    properties: tuple[str, ...]
    sessions: tuple[TraceSession, ...]
    commits: tuple[TraceCommit, ...]
    code: tuple[Mention, ...]
    tests: tuple[Mention, ...]
    gaps: tuple[Gap, ...]
    criteria: tuple[TraceRow, ...] = ()


def rows(index: TraceIndex, home: str) -> tuple[TraceRow, ...]:
    """A row for each requirement of the spec at a home, with the rows of its criteria; none where there is no such spec."""
    traced = index.specs.get(home)
    if traced is None:
        return ()
    reader = _Reader.of(index, home, traced.spec)
    return tuple(reader.requirement(name, each) for name, each in traced.spec.all_requirements)


def rows_named(found: Sequence[TraceRow], name: str) -> tuple[TraceRow, ...]:
    """The row of the requirement or criterion that a person named, in any of the ways to write its id."""
    return tuple(row for row in _all(found) if id_key(row.symbol.id) == id_key(name))[:1]


def row_of(index: TraceIndex, home: str, symbol: Symbol) -> TraceRow | None:
    """The row of one requirement or criterion."""
    return next((row for row in _all(rows(index, home)) if row.symbol == symbol), None)


def gaps_in(found: Iterable[TraceRow]) -> int:
    """How many gaps the rows and those of their criteria have."""
    return sum(len(row.gaps) for row in _all(found))


def _all(found: Iterable[TraceRow]) -> Iterator[TraceRow]:
    for row in found:
        yield row
        yield from row.criteria


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """What all rows of a spec are made from."""

    index: TraceIndex
    home: str
    spec: Spec
    tasks: tuple[tuple[TraceTask, frozenset[str] | None], ...]
    """Each leaf with the keys it requires, None for everything."""
    properties: tuple[tuple[str, str], ...]
    """Each property with a key it validates."""
    commits: tuple[TraceCommit, ...]
    tells_tasks: bool
    """Whether tasks of this spec say at all what they are for."""

    @classmethod
    def of(cls, index: TraceIndex, home: str, spec: Spec) -> _Reader:
        required = required_by(spec.tasks)
        names = names_of(home)
        states = index.specs[home].states
        tells = any(required.values()) or any(task.block.requires_all for task in spec.tasks)
        validated = {
            (each.owner.id, id_key(each.symbol.id))
            for each in occurrences(spec)
            if each.owner is not None and each.owner.kind == "property"
        }
        return cls(
            index=index,
            home=home,
            spec=spec,
            tasks=tuple((_task(task, states.get(task.id)), _keys_of(task, required[task.id])) for task in spec.tasks if task.leaf),
            properties=tuple(sorted(validated)),
            commits=tuple(commit for commit in index.commits if not commit.spec or commit.spec.casefold() in names),
            tells_tasks=spec.dialect != "openspec" and (tells or spec.dialect == "specthread"),
        )

    def requirement(self, name: DocumentName, requirement: Requirement) -> TraceRow:
        own = Symbol("requirement", requirement.id)
        parts = [Symbol("criterion", each.id) for each in requirement.criteria]
        criteria = tuple(
            self._row(part, name, each.line, each.name or each.text, (part, own), requirement)
            for part, each in zip(parts, requirement.criteria, strict=True)
        )
        return self._row(own, name, requirement.line, requirement.title, (own, *parts), requirement, criteria)

    def _row(
        self,
        symbol: Symbol,
        document: DocumentName,
        line: int,
        title: str,
        symbols: Sequence[Symbol],
        requirement: Requirement,
        criteria: tuple[TraceRow, ...] = (),
    ) -> TraceRow:
        keys = frozenset(id_key(each.id) for each in symbols)
        tasks = tuple(task for task, required in self.tasks if required is None or required & keys)
        numbers = {task.id for task in tasks}
        found = sorted({mention for each in symbols for mention in self.index.mentions(self.home, each)}, key=_place)
        tests = tuple(mention for mention in found if mention.is_test)
        return TraceRow(
            symbol=symbol,
            title=title,
            document=document,
            line=line,
            tasks=tasks,
            properties=tuple(dict.fromkeys(name for name, key in self.properties if key in keys)),
            sessions=tuple(session for session in self.index.sessions.get(self.home, ()) if session.task in numbers),
            commits=tuple(commit for commit in self.commits if self._is_for(commit, keys, numbers)),
            code=tuple(mention for mention in found if not mention.is_test),
            tests=tests,
            gaps=() if criteria else tuple(self._gaps(requirement, tasks, tests)),
            criteria=criteria,
        )

    def _is_for(self, commit: TraceCommit, keys: frozenset[str], tasks: set[str]) -> bool:
        if commit.requirements:
            # Without a spec, an id that other specs have too says nothing.
            is_own = bool(commit.spec) or len(self.index.specs) == 1
            return is_own and not keys.isdisjoint(map(id_key, commit.requirements))
        return bool(commit.spec) and commit.task in tasks

    def _gaps(self, requirement: Requirement, tasks: Sequence[TraceTask], tests: Sequence[Mention]) -> Iterator[Gap]:
        if not tasks and requirement.is_traced and self.tells_tasks:
            yield "no-task"
        if not any(mention.is_sure for mention in tests):
            yield "no-test"


def _task(task: Task, state: str | None) -> TraceTask:
    return TraceTask(task.id, task.title, state or task.state, task.line)


def _keys_of(task: Task, required: Iterable[str]) -> frozenset[str] | None:
    return None if task.block.requires_all else frozenset(map(id_key, required))


def _place(mention: Mention) -> tuple[str, int, int]:
    return mention.path, mention.marker.span.line, mention.marker.span.start
