"""The outline of a `design.md`: its sections, which is all that other documents and readers refer to."""

from dataclasses import dataclass

from specthread.spec.document import Problem
from specthread.spec.source import Lines, scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading and everything below it, up to the line before the next heading of the same or a higher level."""

    title: str
    level: int
    line: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The sections in document order, and what was found while reading them."""

    sections: tuple[Section, ...]
    problems: tuple[Problem, ...]


def parse_design(content: bytes) -> Design:
    """The sections of the document; never raises. Works for any markdown document."""
    return Design(sections=sections_of(scan(content).lines), problems=())


def sections_of(lines: Lines) -> tuple[Section, ...]:
    """The sections of a document already scanned."""
    found = [(index, line.heading) for index, line in enumerate(lines) if line.heading is not None]
    ends = [len(lines)] * len(found)
    open_sections: list[int] = []
    for position, (index, heading) in enumerate(found):
        while open_sections and found[open_sections[-1]][1].level >= heading.level:
            ends[open_sections.pop()] = index
        open_sections.append(position)
    return tuple(
        Section(title=heading.title, level=heading.level, line=index + 1, last=end)
        for (index, heading), end in zip(found, ends, strict=True)
    )
