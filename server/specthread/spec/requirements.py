"""The requirements of a document, read as its dialect writes them; `read_kiro` is our own and Kiro's way.

There a requirement is a numbered heading with a user story and numbered acceptance criteria, in any of the languages of `words.py`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from specthread.spec.criteria import criteria_of
from specthread.spec.dialects import Dialect
from specthread.spec.document import Problem, Span, squeezed, whole_line
from specthread.spec.openspec import read_openspec
from specthread.spec.requirement import Criterion, Requirement, Requirements, last_line, placed
from specthread.spec.rules import problem_at
from specthread.spec.source import Heading, Line, Lines, Source, scan
from specthread.spec.speckit import read_speckit
from specthread.spec.words import COLON, CRITERIA, REQUIREMENT, REQUIREMENTS, STORY, any_of

__all__ = ["Criterion", "Requirement", "Requirements", "parse_requirements", "requirements_of"]


def parse_requirements(content: bytes, dialect: Dialect = "specthread") -> Requirements:
    """The requirements of the document; never raises, and numbered lists outside requirements are not criteria."""
    return requirements_of(scan(content), dialect)


def requirements_of(source: Source, dialect: Dialect = "specthread") -> Requirements:
    """The requirements of a document already scanned."""
    read = _READERS.get(dialect, read_kiro)
    found, problems = read(source)
    return Requirements(requirements=tuple(found), problems=(*problems, *_duplicates(found)))


def read_kiro(source: Source) -> tuple[list[Requirement], list[Problem]]:
    """The requirements of Kiro, cc-sdd, spec-workflow and our own documents."""
    lines = source.lines
    heads = [(index, line.heading) for index, line in enumerate(lines) if line.heading is not None]
    found = [placed(source, _read, start, end) for start, end in _blocks(heads, len(lines))]
    problems = [_no_id(index + 1) for index, heading in heads if heading.level > 1 and _UNNUMBERED.fullmatch(heading.title)]
    return found, problems


_READERS: Final[Mapping[Dialect, Callable[[Source], tuple[list[Requirement], list[Problem]]]]] = {
    "spec-kit": read_speckit,
    "openspec": read_openspec,
}
_NUMBER = r"[A-Za-z]{0,3}[0-9]{1,6}(?:\.[0-9]{1,6})*[A-Za-z]?(?![\w])"
_AFTER = r"[ \t]*(?:(?:[:\uff1a\u2014\u2013-]|\.(?=[ \t]|$))+[ \t]*)?"
_WORD = re.compile(rf"(?:{any_of(REQUIREMENT)})[ \t]*#?(?P<id>{_NUMBER})(?!\.\w){_AFTER}(?P<title>.*)", re.IGNORECASE)
_SCHEME = re.compile(
    rf"(?P<id>(?:(?:REQ|FR|NFR|BR|TR|UR|SR|US|UC|DR|CA|AC|R)(?:[ -][A-Z]{{1,3}})?[ -]?){_NUMBER})(?:(?=[ \t]*[:\uff1a\u2014\u2013-])|(?=[. \t]|$)){_AFTER}(?P<title>.*)"
)
_BARE = re.compile(r"(?P<id>[0-9]{1,4}(?:\.[0-9]{1,4}){0,3})(?:[.:\uff1a\u3001)]+(?=[ \t])|(?=[ \t]))[ \t]+(?P<title>.*)")
_UNNUMBERED = re.compile(rf"Requirement(?:[ \t]*{COLON}.*)?", re.IGNORECASE)
_SECTION = re.compile(rf"(?:[0-9]+\.?[ \t]*)?(?:{any_of(REQUIREMENTS)})(?:[ \t]*\(.*\))?", re.IGNORECASE)
_STORY = re.compile(
    rf"[ \t]*(?:[-*+>][ \t]+)?\**(?:{any_of(STORY)})\**[ \t]*{COLON}\**[ \t]*(?P<story>.*)|[ \t]*\*\*(?:{any_of(STORY)})\*\*[ \t]*(?P<bare>.*)",
    re.IGNORECASE,
)
_CRITERIA_LINE = re.compile(rf"[#* \t]*(?:{any_of(CRITERIA)}).*", re.IGNORECASE)
_BULLET = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)")


def _blocks(heads: Sequence[tuple[int, Heading]], end: int) -> Iterator[tuple[int, int]]:
    """First line and end of every requirement: from its heading to the next one of the same or a higher level."""
    start: tuple[int, int] | None = None
    section = 0
    for index, heading in heads:
        if start is not None and heading.level > start[1]:
            continue
        if start is not None:
            yield start[0], index
        start = None
        if heading.level <= section:
            section = 0
        if heading.level > 1 and (_titled(heading.title) or (heading.level == section + 1 and _BARE.fullmatch(heading.title))):
            start = (index, heading.level)
        elif _SECTION.fullmatch(heading.title):
            section = heading.level
    if start is not None:
        yield start[0], end


def _titled(title: str) -> re.Match[str] | None:
    return _WORD.fullmatch(title) or _SCHEME.fullmatch(title)


def _read(lines: Lines) -> Requirement:
    """The requirement whose heading is the first of these lines."""
    head = lines[0].heading
    title = head.title if head else ""
    found = _titled(title) or _BARE.fullmatch(title)
    name = found["id"] if found else ""
    at = lines[0].text.find(title) + (found.start("id") if found else 0)
    return Requirement(
        id=name,
        title=found["title"].strip() if found else "",
        story=_story(lines[1:]),
        line=1,
        last=last_line(lines),
        id_span=Span(1, at, at + len(name)),
        criteria=tuple(criteria_of(name, lines)),
        run=lines,
    )


def _story(body: Sequence[Line]) -> str:
    for index, line in enumerate(body):
        if not line.hidden and (found := _STORY.match(line.text)):
            told = [found["story"] or found["bare"] or ""]
            for more in body[index + 1 :]:
                if more.hidden or not more.text.strip() or _CRITERIA_LINE.fullmatch(more.text) or more.heading or _BULLET.match(more.text):
                    break
                told.append(more.text)
            return squeezed(" ".join(told)).removesuffix("**").strip()
    return ""


def _no_id(number: int) -> Problem:
    message = "This requirement has no number. Write the heading as “### Requirement 4: title”."
    return problem_at("requirement/no-id", message, whole_line(number))


def _duplicates(requirements: Sequence[Requirement]) -> Iterator[Problem]:
    seen: set[str] = set()
    for requirement in requirements:
        if requirement.id in seen:
            message = f"Requirement {requirement.id} exists twice. Give this one a number of its own."
            yield problem_at("requirement/duplicate-id", message, whole_line(requirement.line))
        seen.add(requirement.id)
        if len({criterion.id for criterion in requirement.criteria}) == len(requirement.criteria):
            continue
        numbers: set[str] = set()
        for criterion in requirement.criteria:
            if criterion.id in numbers:
                message = f"Criterion {criterion.id} exists twice. Give this one a number of its own."
                yield problem_at("criterion/duplicate-id", message, whole_line(criterion.line))
            numbers.add(criterion.id)
