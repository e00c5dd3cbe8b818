"""The outline of a `design.md`: its sections, which is all that other documents and readers refer to."""

from dataclasses import dataclass

from specthread.spec.document import Problem, Range, headings, scan_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading and everything below it, up to the next heading of the same or a higher level."""

    title: str
    level: int
    line: int
    range: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The sections in document order, and what was found while reading them."""

    sections: tuple[Section, ...]
    problems: tuple[Problem, ...]


def parse_design(content: bytes) -> Design:
    """The sections of the document; never raises. Works for any markdown document."""
    found = headings(scan_lines(content))
    ends = [len(content)] * len(found)
    open_sections: list[int] = []
    for index, heading in enumerate(found):
        while open_sections and found[open_sections[-1]].level >= heading.level:
            ends[open_sections.pop()] = heading.line.range.start
        open_sections.append(index)
    sections = tuple(
        Section(title=heading.title, level=heading.level, line=heading.line.number, range=Range(heading.line.range.start, end))
        for heading, end in zip(found, ends, strict=True)
    )
    return Design(sections=sections, problems=())
