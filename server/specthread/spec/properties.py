"""Correctness properties: `### Property 3: title` in a design with the criteria it validates, and the tasks that test it (`**Property 3: …**`)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from specthread.spec.design import sections_of
from specthread.spec.document import Span
from specthread.spec.facts import listed_on, read_facts
from specthread.spec.references import Reference, read_references
from specthread.spec.source import Lines, Source

_PROPERTY = re.compile(
    r"(?:Property|性质|属性|プロパティ|속성|Propiedad|Propriedade|Свойство)[ \t]*(?P<id>[0-9]{1,4})\b[ \t]*[:\uff1a.\u2014-]*[ \t]*(?P<title>.*)",
    re.IGNORECASE,
)
_MENTION = re.compile(r"\*\*Property[ \t]*(?P<id>[0-9]{1,4})\b", re.IGNORECASE)


class Property(NamedTuple):
    """One property from its heading to its last line, and the ids it validates."""

    id: str
    title: str
    line: int
    last: int
    id_span: Span
    validates: tuple[Reference, ...]


def properties_of(source: Source) -> tuple[Property, ...]:
    """The properties of a design, in order."""
    found: list[Property] = []
    for section in sections_of(source.lines):
        named = _PROPERTY.fullmatch(section.title)
        if named is not None:
            text = source.lines[section.line - 1].text
            at = text.find(named["id"], text.find(section.title))
            span = Span(section.line, at, at + len(named["id"]))
            references = tuple(validates_in(source.lines[section.line - 1 : section.last], section.line))
            found.append(Property(named["id"], named["title"].strip(), section.line, section.last, span, references))
    return tuple(found)


def validates_in(lines: Lines, first: int) -> Iterator[Reference]:
    """The entries of `Validates: Requirements …` lines, where the first of the lines has this number."""
    for fact in read_facts(lines, first):
        if fact.label in {"validates", "requirements"}:
            yield from read_references("requires", fact.text, listed_on(fact))


def property_mentions(lines: Lines, first: int) -> Iterator[tuple[str, Span]]:
    """The properties that these lines of a task name, and where."""
    for index, line in enumerate(lines):
        if not line.hidden and "**" in line.text:
            for found in _MENTION.finditer(line.text):
                yield found["id"], Span(first + index, found.start("id"), found.end("id"))
