"""Kiro's `bugfix.md`: three headings say how it is, how it should be, and what must stay, each with clauses that begin with their id."""

import re
from typing import Final

from specthread.spec.criteria import clauses_of
from specthread.spec.document import Span
from specthread.spec.requirement import Requirement, Requirements, last_line, placed
from specthread.spec.source import Lines, Source


def bugfix_of(source: Source) -> Requirements:
    """The three parts as requirements 1, 2 and 3, with their clauses as criteria."""
    heads = [(index, line.heading) for index, line in enumerate(source.lines) if line.heading is not None]
    found = []
    for position, (index, heading) in enumerate(heads):
        if _PART.fullmatch(heading.title):
            below = (other for other, each in heads[position + 1 :] if each.level <= heading.level)
            found.append(placed(source, _read, index, next(below, len(source.lines))))
    return Requirements(requirements=tuple(found), problems=())


PARTS: Final = {"1": "Current Behavior (Defect)", "2": "Expected Behavior (Correct)", "3": "Unchanged Behavior (Regression Prevention)"}
"""The headings of the parts by the number of the requirement they are read as."""

_PART = re.compile(r"(?:(?P<one>Current)|(?P<two>Expected)|(?P<three>Unchanged))[ \t]+Behaviou?r\b.*", re.IGNORECASE)


def _read(lines: Lines) -> Requirement:
    head = lines[0].heading
    title = head.title if head else ""
    found = _PART.fullmatch(title)
    name = "1" if found and found["one"] else "2" if found and found["two"] else "3"
    at = lines[0].text.find(title)
    return Requirement(
        id=name,
        title=title,
        story="",
        line=1,
        last=last_line(lines),
        id_span=Span(1, at, at + len(title)),
        criteria=tuple(clauses_of(name, lines)),
        run=lines,
    )
