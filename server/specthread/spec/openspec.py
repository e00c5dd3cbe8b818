"""OpenSpec's requirements: a heading whose text is the identity, a body with SHALL or MUST, and scenarios; deltas add, modify, remove, rename."""

import re
from collections.abc import Iterator

from specthread.spec.document import Problem, Span, squeezed, whole_line
from specthread.spec.requirement import Criterion, Requirement, last_line, placed
from specthread.spec.rules import problem_at
from specthread.spec.source import Lines, Source
from specthread.spec.words import COLON

REQUIREMENT = re.compile(rf"(?:Requirement|要件|需求|요구사항|Requisito|Требование)[ \t]*{COLON}[ \t]*(?P<name>.*)", re.IGNORECASE)
_SCENARIO = re.compile(
    rf"(?:Scenario|シナリオ|场景|場景|시나리오|Escenario|Cenário|Сценарий)[ \t]*{COLON}[ \t]*(?P<name>.*)", re.IGNORECASE
)
_REMOVED = re.compile(r"(?:REMOVED|RENAMED)\b|(?:削除|移除)", re.IGNORECASE)
_WHEN = re.compile(r"[ \t]*(?:[-*+][ \t]+)?\**(?:WHEN|いつ|当|當)\b", re.IGNORECASE)
_LEVEL = 3
_SCENARIO_LEVEL = 4


def read_openspec(source: Source) -> tuple[list[Requirement], list[Problem]]:
    """The requirements of a capability or of a delta."""
    lines = source.lines
    heads = [(index, line.heading) for index, line in enumerate(lines) if line.heading is not None]
    found: list[Requirement] = []
    problems: list[Problem] = []
    start: int | None = None
    is_removed = False
    for index, heading in (*heads, (len(lines), None)):
        name = _SCENARIO.fullmatch(heading.title) if heading is not None else None
        if heading is not None and (name or heading.level > _LEVEL):
            if name and heading.level != _SCENARIO_LEVEL:
                message = f"The scenario “{name['name']}” has {heading.level} signs “#” where OpenSpec wants four, and is not read there."
                problems.append(problem_at("openspec/scenario-level", message, whole_line(index + 1)))
            continue
        if start is not None:
            found.append(placed(source, _read, start, index))
            problems += _without_scenario(found[-1], is_removed=is_removed)
        start = None
        if heading is not None and heading.level < _LEVEL:
            is_removed = _REMOVED.match(heading.title) is not None
        if heading is not None and heading.level == _LEVEL and REQUIREMENT.fullmatch(heading.title):
            start = index
    return found, problems


def takes_away(source: Source) -> bool:
    """Whether a delta removes or renames requirements, which it may do by naming them in a list."""
    return any(line.heading is not None and _REMOVED.match(line.heading.title) for line in source.lines)


def _without_scenario(requirement: Requirement, *, is_removed: bool) -> Iterator[Problem]:
    if not requirement.criteria and not is_removed:
        message = f"The requirement “{requirement.title}” has no scenario. Add “#### Scenario: …” with WHEN and THEN below it."
        yield problem_at("openspec/no-scenario", message, whole_line(requirement.line))


def _read(lines: Lines) -> Requirement:
    head = lines[0].heading
    found = REQUIREMENT.fullmatch(head.title) if head else None
    name = squeezed(found["name"]) if found else ""
    at = lines[0].text.find(found["name"]) if found else 0
    return Requirement(
        id=name,
        title=name,
        story="",
        line=1,
        last=last_line(lines),
        id_span=Span(1, at, at + (len(found["name"]) if found else 0)),
        criteria=tuple(_scenarios(name, lines)),
        run=lines,
    )


def _scenarios(requirement: str, lines: Lines) -> Iterator[Criterion]:
    starts = [
        index
        for index, line in enumerate(lines)
        if line.heading and line.heading.level == _SCENARIO_LEVEL and _SCENARIO.fullmatch(line.heading.title)
    ]
    for number, start in enumerate(starts, 1):
        end = next((index for index in range(start + 1, len(lines)) if lines[index].heading), len(lines))
        steps = [line for line in lines[start + 1 : end] if not line.hidden and line.text.strip()]
        heading = lines[start].heading
        found = _SCENARIO.fullmatch(heading.title) if heading else None
        name = found["name"] if found else ""
        at = lines[start].text.find(name) if name else len(lines[start].text)
        yield Criterion(
            id=f"{requirement}.{number}",
            number=str(number),
            pattern="event" if any(_WHEN.match(line.text) for line in steps) else "none",
            text=squeezed(" ".join(line.text.strip().lstrip("-*+ ").replace("**", "") for line in steps)),
            line=start + 1,
            last=max((index + 1 for index in range(start, end) if lines[index].text.strip()), default=start + 1),
            spoken=start + 1,
            number_span=Span(start + 1, at, at + len(name)),
            name=name,
        )
