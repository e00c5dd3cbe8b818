"""What may be typed in a requirements document: sentences in EARS form, the next criterion, the next requirement."""

import re
from collections.abc import Iterator
from typing import Final

from specthread.spec.document import BUGFIX
from specthread.spec.requirement import Criterion, Requirement
from specthread.spec.source import Lines
from specthread.spec.spec import kind_of
from specthread.spec.words import CRITERIA, any_of
from specthread.views.assist.explained import KEYWORDS
from specthread.views.assist.index import criterion_at
from specthread.views.assist.keywords import KeywordKind
from specthread.views.assist.typed import Completion, Typing, escaped


def in_requirements(typing: Typing) -> Iterator[Completion]:
    """What may be typed at a place of a requirements document."""
    if typing.after.strip():
        return
    dialect = typing.cursor.index.spec.dialect
    if dialect == "openspec":
        yield from _openspec(typing)
    elif found := _EMPTY.fullmatch(typing.before):
        criterion = criterion_at(typing.cursor)
        if criterion is not None and criterion.line == typing.cursor.line:
            yield from _sentences(typing, "", found.start("typed"))
    elif _HEADING.fullmatch(typing.before):
        above = _requirement_above(typing)
        if above is not None and not typing.before and (number := _next_criterion(typing, above)):
            yield from _sentences(typing, number, 0)
        yield from _speckit(typing) if dialect == "spec-kit" else _requirement(typing, above)


def _sentences(typing: Typing, number: str, start: int) -> Iterator[Completion]:
    scenario = typing.cursor.index.spec.dialect == "spec-kit"
    system = _system(typing)
    for keyword, form in _SCENARIOS if scenario else _FORMS:
        text = number + form.replace("SYSTEM", system)
        yield Completion(f"{number}{_plain(form)}", KEYWORDS[keyword].paragraphs[0], "template", text, typing.span(start), is_template=True)


def _plain(form: str) -> str:
    return _PLACE.sub(r"\1", form.replace("SYSTEM", "${1:system}").replace("**", "")).rstrip(".")


def _system(typing: Typing) -> str:
    """What the criterion above calls the system."""
    read = typing.cursor.index.spec.requirements[typing.cursor.name]
    above = [each.text for one in read.requirements for each in one.criteria if each.line < typing.cursor.line]
    named = next((found for text in reversed(above) if (found := _SUBJECT.search(text))), None)
    return f"${{9:{escaped(named[1])}}}" if named else "${9:system}"


def _requirement_above(typing: Typing) -> Requirement | None:
    read = typing.cursor.index.spec.requirements[typing.cursor.name]
    return next((each for each in reversed(read.requirements) if each.line < typing.cursor.line), None)


def _next_criterion(typing: Typing, requirement: Requirement) -> str:
    """How the next criterion of the requirement begins; empty where none can stand on this line."""
    lines = typing.cursor.index.lines(typing.cursor.name)
    above = next((number for number in range(typing.cursor.line - 1, 0, -1) if lines[number - 1].text.strip()), 1)
    before = next((each for each in reversed(requirement.criteria) if each.line <= above), None)
    if before is None:
        is_below_heading = not lines[above - 1].hidden and _CRITERIA.fullmatch(lines[above - 1].text) is not None
        if requirement.criteria or not (is_below_heading or (above == requirement.line and _is_bug(typing))):
            return ""
        return f"{requirement.id}.1 " if _is_bug(typing) else "1. "
    if before.last != above or before.name:
        return ""
    text, span = lines[before.line - 1].text, before.number_span
    sign = _LIST_SIGN.match(text, span.end)
    return f"{text[: span.start]}{_free_number(requirement, before, lines)}{sign[0] if sign else ''} "


def _free_number(requirement: Requirement, before: Criterion, lines: Lines) -> str:
    """The number behind that of a criterion which no other has, written as numbers are written here."""
    spans = [each.number_span for each in requirement.criteria]
    taken = {lines[span.line - 1].text[span.start : span.end] for span in spans}
    span = before.number_span
    stem, dot, digits = lines[span.line - 1].text[span.start : span.end].rpartition(".")
    number = int(digits) + 1 if digits.isdecimal() else 1
    while f"{stem}{dot}{number}" in taken:
        number += 1
    return f"{stem}{dot}{number}"


def _is_bug(typing: Typing) -> bool:
    return kind_of(typing.cursor.name) == BUGFIX


def _requirement(typing: Typing, above: Requirement | None) -> Iterator[Completion]:
    if _is_bug(typing):
        return
    lines = typing.cursor.index.lines(typing.cursor.name)
    head = lines[above.line - 1].text[: above.id_span.start] if above is not None else "### Requirement "
    number = _free_id(typing, above.id) if above is not None else "1"
    body = (
        f"{escaped(head)}{number}: ${{1:title}}\n\n"
        "**User Story:** As a ${2:role}, I want ${3:goal}, so that ${4:benefit}.\n\n"
        f"#### Acceptance Criteria\n\n1. WHEN ${{5:event}}, THE {_system(typing)} SHALL ${{6:response}}.\n"
    )
    yield Completion(f"{head}{number}", "a requirement with its first criterion", "template", body, typing.span(0), is_template=True)


def _free_id(typing: Typing, before: str) -> str:
    taken = typing.cursor.index.requirements
    found = _LAST_DIGITS.search(before)
    number = int(found[0]) + 1 if found else 1
    stem, width = (before[: found.start()], len(found[0])) if found else (before, 1)
    while f"{stem}{number:0{width}}" in taken:
        number += 1
    return f"{stem}{number:0{width}}"


def _speckit(typing: Typing) -> Iterator[Completion]:
    read = typing.cursor.index.spec.requirements[typing.cursor.name]
    numbered = [each for each in read.requirements if not each.is_traced and each.line < typing.cursor.line]
    if numbered and not typing.before:
        number = _free_id(typing, numbered[-1].id)
        text = f"- **{number}**: System MUST ${{1:capability}}"
        yield Completion(f"- **{number}**", "a requirement", "template", text, typing.span(0), is_template=True)


def _openspec(typing: Typing) -> Iterator[Completion]:
    if _HEADING.fullmatch(typing.before):
        span = typing.span(0)
        scenario = "#### Scenario: ${2:name}\n- **WHEN** ${3:event}\n- **THEN** ${4:outcome}\n"
        body = f"### Requirement: ${{1:name}}\nThe system SHALL ${{5:capability}}.\n\n{scenario}"
        yield Completion("### Requirement:", "a requirement with a scenario", "template", body, span, is_template=True)
        yield Completion("#### Scenario:", "a scenario", "template", scenario, span, is_template=True)
    elif (found := _STEP.fullmatch(typing.before)) and criterion_at(typing.cursor) is not None:
        for word in ("WHEN", "THEN", "AND"):
            keyword: KeywordKind = word
            yield Completion(word, KEYWORDS[keyword].paragraphs[0], "value", f"**{word}** ", typing.span(found.start("typed")))


_FORMS: Final[tuple[tuple[KeywordKind, str], ...]] = (
    ("WHEN", "WHEN ${1:event}, THE SYSTEM SHALL ${2:response}."),
    ("SHALL", "THE SYSTEM SHALL ${2:response}."),
    ("IF", "IF ${1:trouble}, THEN THE SYSTEM SHALL ${2:response}."),
    ("WHILE", "WHILE ${1:state}, THE SYSTEM SHALL ${2:response}."),
    ("WHERE", "WHERE ${1:feature}, THE SYSTEM SHALL ${2:response}."),
)
_SCENARIOS: Final[tuple[tuple[KeywordKind, str], ...]] = (("GIVEN", "**Given** ${1:state}, **When** ${2:event}, **Then** ${3:outcome}"),)
_PLACE = re.compile(r"\$\{[0-9]+:([^}]*)\}")
_EMPTY = re.compile(r"[ \t]*(?:[-*+][ \t]+)?\**[0-9]{1,6}(?:\.[0-9]{1,6})*[.):]?\**[ \t]+(?P<typed>[A-Za-z]*)")
_HEADING = re.compile(r"(?:#{1,4}[ \t]*[A-Za-z]{0,11}:?)?")
_STEP = re.compile(r"[ \t]*[-*+][ \t]+\**(?P<typed>[A-Za-z]*)")
_SUBJECT = re.compile(r"\bTHE ([^,.]{1,40}?) SHALL\b", re.IGNORECASE)
_CRITERIA = re.compile(rf"[#* \t]*(?:{any_of(CRITERIA)})[:* \t]*", re.IGNORECASE)
_LIST_SIGN = re.compile(r"[.):\uff1a\u3001*]+")
_LAST_DIGITS = re.compile(r"[0-9]+(?=[A-Za-z]?$)")
