"""spec-kit's `spec.md`: user stories with acceptance scenarios, functional requirements, success criteria, and open questions."""

import re
from collections.abc import Iterator

from specthread.spec.document import Problem, Span, squeezed
from specthread.spec.ears import pattern_of
from specthread.spec.requirement import Criterion, Requirement, last_line, placed
from specthread.spec.rules import problem_at
from specthread.spec.source import Line, Lines, Source
from specthread.spec.words import COLON

_STORY = re.compile(
    r"(?:User Story|ユーザーストーリー|使用者故事|用户故事|用戶故事|Historia de Usuario)[ \t]*(?P<id>[0-9]{1,4}[A-Za-z]?)[ \t]*[-\u2013\u2014:\uff1a]*[ \t]*(?P<title>.*)",
    re.IGNORECASE,
)
_PRIORITY = re.compile(r"[ \t]*[(\uff08](?:Priority|優先度|优先级|優先級)[^()\uff08\uff09]*[)\uff09].*", re.IGNORECASE)
_NUMBERED = re.compile(
    rf"(?P<indent>[ \t]*)[-*+][ \t]+\**(?P<id>(?:FR|NFR|SC)-[0-9]{{1,4}}[A-Za-z]?)\**[ \t]*{COLON}?\**[ \t]*(?P<text>.*)"
)
_SCENARIO = re.compile(r"(?P<indent>[ \t]{0,3})(?P<number>[0-9]{1,4})[.)][ \t]+(?P<text>.*)")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]|#|[ \t]*$")
_CLARIFY = re.compile(r"\[NEEDS CLARIFICATION[^\]\n]*\]?")


def read_speckit(source: Source) -> tuple[list[Requirement], list[Problem]]:
    """The stories as requirements with their scenarios as criteria, and the numbered requirements without."""
    lines = source.lines
    found: list[Requirement] = []
    start: tuple[int, int] | None = None
    level = 0
    problems: list[Problem] = []
    for index, line in enumerate(lines):
        if line.heading is not None and (start is None or line.heading.level <= level):
            if start is not None:
                found.append(placed(source, _story, start[0], index))
            start = (index, line.heading.level) if _STORY.fullmatch(line.heading.title) else None
            level = line.heading.level
        elif not line.hidden and "-" in line.text and "**" in line.text and (numbered := _NUMBERED.match(line.text)):
            found.append(_numbered(numbered, index, lines))
        if "[NEEDS" in line.text and not line.hidden:
            problems += _unclear(line, index + 1)
    if start is not None:
        found.append(placed(source, _story, start[0], len(lines)))
    return sorted(found, key=lambda requirement: requirement.line), problems


def _unclear(line: Line, number: int) -> Iterator[Problem]:
    for found in _CLARIFY.finditer(line.text):
        message = "This question is open. Answer it in the text, and take the mark away, before the plan is made."
        yield problem_at("spec/needs-clarification", message, Span(number, found.start(), found.end()))


def _story(lines: Lines) -> Requirement:
    head = lines[0]
    found = _STORY.fullmatch(head.heading.title) if head.heading else None
    number = found["id"] if found else ""
    at = head.text.find(number, head.text.find(found[0]) if found else 0)
    told = next((line.text for line in lines[1:] if line.text.strip()), "")
    return Requirement(
        id=f"US{number}",
        title=_PRIORITY.sub("", found["title"]).strip() if found else "",
        story="" if _ITEM.match(told) or told.lstrip().startswith(("**", "|")) else squeezed(told),
        line=1,
        last=last_line(lines),
        id_span=Span(1, at, at + len(number)),
        criteria=tuple(_scenarios(f"US{number}", lines)),
        run=lines,
    )


def _scenarios(story: str, lines: Lines) -> Iterator[Criterion]:
    for index, line in enumerate(lines):
        found = None if line.hidden else _SCENARIO.fullmatch(line.text)
        if found is None:
            continue
        text, last = _told(found["text"], index, lines)
        yield Criterion(
            id=f"{story}.{found['number']}",
            number=found["number"],
            pattern=pattern_of(text),
            text=text,
            line=index + 1,
            last=last,
            spoken=last,
            number_span=Span(index + 1, found.start("number"), found.end("number")),
        )


def _numbered(found: re.Match[str], index: int, lines: Lines) -> Requirement:
    text, last = _told(found["text"], index, lines)
    return Requirement(
        id=found["id"],
        title=text,
        story="",
        line=index + 1,
        last=last,
        id_span=Span(index + 1, found.start("id"), found.end("id")),
        criteria=(),
        run=lines[index:last],
        is_traced=False,
    )


def _told(text: str, index: int, lines: Lines) -> tuple[str, int]:
    """The text of a list item with the lines it goes on in, and the last of them, from 1."""
    told = [text]
    for line in lines[index + 1 :]:
        if line.hidden or _ITEM.match(line.text):
            break
        told.append(line.text)
    return squeezed(" ".join(told)), index + len(told)
