"""The requirements of a `requirements.md`: numbered headings, each with a user story and numbered acceptance criteria."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specthread.spec.document import Heading, Line, Problem, Range, heading_of, scan_lines, squeezed
from specthread.spec.ears import Pattern, pattern_of
from specthread.spec.rules import problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One numbered acceptance criterion; `id` is `<requirement>.<written number>`, `text` is unwrapped and without nested lists."""

    id: str
    number: str
    pattern: Pattern
    text: str
    line: int
    range: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One numbered requirement; `range` is the whole block from its heading on, `story` is empty where none is told."""

    id: str
    title: str
    story: str
    line: int
    range: Range
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """The requirements in document order, and what was found while reading them."""

    requirements: tuple[Requirement, ...]
    problems: tuple[Problem, ...]


def parse_requirements(content: bytes) -> Requirements:
    """The requirements of the document; never raises, and numbered lists outside requirements are not criteria."""
    return requirements_of(scan_lines(content))


def requirements_of(lines: Sequence[Line]) -> Requirements:
    """The requirements of a document already scanned."""
    requirements = tuple(_requirement(block) for block in _blocks(lines))
    return Requirements(requirements=requirements, problems=(*_unnumbered(lines), *_duplicates(requirements, lines)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A requirement's heading and the lines below it, up to the next heading of the same or a higher level."""

    id: str
    title: str
    head: Line
    body: Sequence[Line]


_HEADING = re.compile(
    r"Requirement[ \t]*#?(?P<id>[0-9]{1,6}[A-Za-z]?)(?![\w.])[ \t]*(?:[:\uff1a\u2014\u2013-]+[ \t]*)?(?P<title>.*)", re.IGNORECASE
)
_UNNUMBERED = re.compile(r"Requirement[ \t]*(?:[:\uff1a\u2014\u2013-]|$)", re.IGNORECASE)
_STORY = re.compile(r"[ \t]*(?:[-*+][ \t]+)?\**(?:User Story|Objective)\**[ \t]*[:\uff1a]\**[ \t]*(?P<story>.*)", re.IGNORECASE)
_CRITERIA = re.compile(r"[#* \t]*Acceptance Criteria\b[^.]*", re.IGNORECASE)
_ITEM = re.compile(r"(?P<indent>[ \t]*)(?:(?P<plain>[0-9]{1,6})[.)]|(?P<dotted>[0-9]{1,6}\.[0-9]{1,6})[.)]?)(?:[ \t]+(?P<text>.*)|$)")
_BULLET = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)")
_NESTED_INDENT = 2


def _blocks(lines: Sequence[Line]) -> Iterator[_Block]:
    start: tuple[int, Heading, re.Match[str]] | None = None
    for index, line in enumerate(lines):
        heading = heading_of(line)
        if heading is None or (start is not None and heading.level > start[1].level):
            continue
        if start is not None:
            yield _block(lines[start[0] : index], start[2])
        found = _HEADING.fullmatch(heading.title) if heading.level > 1 else None
        start = (index, heading, found) if found else None
    if start is not None:
        yield _block(lines[start[0] :], start[2])


def _block(lines: Sequence[Line], found: re.Match[str]) -> _Block:
    return _Block(id=found["id"], title=found["title"].strip(), head=lines[0], body=lines[1:])


def _requirement(block: _Block) -> Requirement:
    items = _items(_criteria_lines(block.body))
    end = next((line.range.end for line in reversed(block.body) if line.text.strip()), block.head.range.end)
    return Requirement(
        id=block.id,
        title=block.title,
        story=_story(block.body),
        line=block.head.number,
        range=Range(block.head.range.start, end),
        criteria=tuple(_criterion(block.id, item) for item in items),
    )


def _story(body: Sequence[Line]) -> str:
    for index, line in enumerate(body):
        if not line.hidden and (found := _STORY.match(line.text)):
            told = [found["story"]]
            for more in body[index + 1 :]:
                if more.hidden or not more.text.strip() or _CRITERIA.fullmatch(more.text) or heading_of(more) or _BULLET.match(more.text):
                    break
                told.append(more.text)
            return squeezed(" ".join(told)).removesuffix("**").strip()
    return ""


def _criteria_lines(body: Sequence[Line]) -> Sequence[Line]:
    """What follows the line “Acceptance Criteria”; the whole requirement where it has no such line."""
    for index, line in enumerate(body):
        if not line.hidden and _CRITERIA.fullmatch(line.text) and (heading_of(line) or line.text.lstrip().startswith("**")):
            return body[index + 1 :]
    return body


def _items(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The top-level numbered items, each with the lines that belong to it; a heading or a flush paragraph ends one."""
    item: list[Line] = []
    base: int | None = None
    for line in lines:
        found = None if line.hidden else _ITEM.match(line.text)
        indent = len(found["indent"].expandtabs(4)) if found else 0
        if found and (base is None or indent < base + _NESTED_INDENT):
            base = indent if base is None else min(base, indent)
            if item:
                yield item
            item = [line]
        elif item and (heading_of(line) is not None or _is_paragraph(item[-1], line)):
            yield item
            item = []
        elif item:
            item.append(line)
    if item:
        yield item


def _is_paragraph(before: Line, line: Line) -> bool:
    return not before.text.strip() and bool(line.text) and line.text[0] not in " \t" and not line.hidden


def _criterion(requirement: str, item: Sequence[Line]) -> Criterion:
    found = _ITEM.match(item[0].text)
    written = (found["plain"] or found["dotted"]) if found else ""
    owner, _, own = written.rpartition(".")
    told = [found["text"] or ""] if found else []
    for line in item[1:]:
        if line.hidden or not line.text.strip() or _BULLET.match(line.text) or line.text.lstrip().startswith("|"):
            break
        told.append(line.text)
    text = squeezed(" ".join(told))
    end = next(line.range.end for line in reversed(item) if line.text.strip())
    return Criterion(
        id=f"{requirement}.{own if owner == requirement else written}",
        number=own if owner == requirement else written,
        pattern=pattern_of(text),
        text=text,
        line=item[0].number,
        range=Range(item[0].range.start, end),
    )


def _unnumbered(lines: Sequence[Line]) -> Iterator[Problem]:
    for line in lines:
        heading = heading_of(line)
        if heading is not None and heading.level > 1 and _UNNUMBERED.match(heading.title):
            yield problem("requirement/no-id", "This requirement has no number. Write the heading as “### Requirement 4: title”.", line)


def _duplicates(requirements: Sequence[Requirement], lines: Sequence[Line]) -> Iterator[Problem]:
    seen: set[str] = set()
    for requirement in requirements:
        if requirement.id in seen:
            message = f"Requirement {requirement.id} exists twice. Give this one a number of its own."
            yield problem("requirement/duplicate-id", message, lines[requirement.line - 1])
        seen.add(requirement.id)
        numbers: set[str] = set()
        for criterion in requirement.criteria:
            if criterion.number in numbers:
                message = f"Criterion {criterion.id} exists twice. Give this one a number of its own."
                yield problem("criterion/duplicate-id", message, lines[criterion.line - 1])
            numbers.add(criterion.number)
