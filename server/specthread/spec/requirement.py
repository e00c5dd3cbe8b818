"""Requirements and their acceptance criteria, whatever the dialect they are written in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from specthread.spec.document import Problem, Span
from specthread.spec.ears import Pattern
from specthread.spec.source import Lines, Source


class Criterion(NamedTuple):
    """One acceptance criterion; `id` is `<requirement>.<written number>`, `text` is unwrapped and without nested lists.

    `line` and `last` are its first and last line, nested lists included; `spoken` is the last line of `text`. `number_span` is where its number
    is written; `name` is the title of a scenario, empty for a numbered criterion.
    """

    id: str
    number: str
    pattern: Pattern
    text: str
    line: int
    last: int
    spoken: int
    number_span: Span
    name: str = ""

    def below(self, line: int) -> "Criterion":
        """The same criterion in a document where its line 1 is this line."""
        return self._replace(
            line=self.line + line - 1, last=self.last + line - 1, spoken=self.spoken + line - 1, number_span=self.number_span.below(line)
        )


class Requirement(NamedTuple):
    """One requirement from its heading to its last line; `story` is empty where none is told. `id_span` is where its id is written.

    `is_traced` tells whether tasks of its dialect refer to requirements of this kind.
    """

    id: str
    title: str
    story: str
    line: int
    last: int
    id_span: Span
    criteria: tuple[Criterion, ...]
    run: Lines
    """The lines it was read from."""
    is_traced: bool = True

    def below(self, line: int) -> "Requirement":
        """The same requirement in a document where its line 1 is this line."""
        if line == 1:
            return self
        return self._replace(
            line=self.line + line - 1,
            last=self.last + line - 1,
            id_span=self.id_span.below(line),
            criteria=tuple(criterion.below(line) for criterion in self.criteria),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Requirements:
    """The requirements in document order, and what was found while reading them."""

    requirements: tuple[Requirement, ...]
    problems: tuple[Problem, ...]

    @cached_property
    def shape(self) -> tuple[object, ...]:
        """All of them that tasks can see, and where it stands: while it stays the same, so does what is known of them together."""
        return tuple(
            (requirement.id, requirement.line, requirement.is_traced, tuple((each.id, each.line) for each in requirement.criteria))
            for requirement in self.requirements
        )

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of requirements and criteria."""
        names = {requirement.id for requirement in self.requirements}
        return frozenset(names.union(criterion.id for requirement in self.requirements for criterion in requirement.criteria))


def last_line(lines: Lines) -> int:
    """The last of these lines with text, from 1; the first where none has."""
    return next((index + 1 for index in range(len(lines) - 1, 0, -1) if lines[index].text.strip()), 1)


def placed(source: Source, reader: Callable[[Lines], Requirement], start: int, end: int) -> Requirement:
    """The requirement that the reader finds on these lines of the document, at its place."""
    run = source.lines[start:end]
    read = source.read(reader, run)
    return source.recall((placed, run, start), lambda: read.below(start + 1))
