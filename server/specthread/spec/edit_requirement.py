"""A new acceptance criterion, in the style of the list it joins."""

import re

from specthread.spec.changes import Cannot, Changes, put_in, spec_with
from specthread.spec.document import BUGFIX, DocumentName, squeezed
from specthread.spec.requirement import Criterion, Requirement
from specthread.spec.source import Source
from specthread.spec.spec import Spec, kind_of


def add_criterion(spec: Spec, requirement_id: str, text: str) -> Changes | Cannot:
    """The change that adds a criterion with the next number of its requirement; in OpenSpec the text is the title of a new scenario."""
    found = next(((name, each) for name, each in spec.all_requirements if each.id == requirement_id), None)
    text = squeezed(text)
    if found is None or not text:
        return Cannot(f"There is no requirement {requirement_id}." if text else "A criterion needs words.")
    name, requirement = found
    if not requirement.is_traced:
        return Cannot(f"{requirement_id} is one sentence without criteria of its own. Add a requirement instead.")
    source = spec.sources[name]
    last = requirement.criteria[-1] if requirement.criteria else None
    written = _like(source, last, requirement, text) if last else _first(spec, name, requirement, text)
    line = last.last if last else _below(source, requirement)
    changes = {name: (put_in(line, len(source.lines[line - 1].text), written),)}
    known = [(each.id, each.text) for _, _, each in spec.criteria]
    made = [(each.id, each.text) for _, _, each in spec_with(spec, changes).criteria]
    if len(made) != len(known) + 1 or any(each not in made for each in known):
        return Cannot("These words would not be read as one criterion. Choose plainer ones.")
    return changes


_BEHIND = re.compile(r"\\?[.)\u3001:\uff1a]?(?:\*\*)?[:\uff1a]?(?:\*\*)?[ \t]*")


def _like(source: Source, model: Criterion, requirement: Requirement, text: str) -> str:
    """The criterion below its list's last one, with what that has around its number."""
    line = source.lines[model.line - 1].text
    if model.name:
        gap = "" if len(requirement.criteria) < 2 and source.lines[model.line - 2].text.strip() else "\n"  # noqa: PLR2004  two to stand apart
        return f"\n{gap}{line[: model.number_span.start]}{text}\n- **WHEN** …\n- **THEN** …"
    family, _, _ = line[model.number_span.start : model.number_span.end].rpartition(".")
    shown = [source.lines[each.line - 1].text[each.number_span.start : each.number_span.end] for each in requirement.criteria]
    numbers = [int(own) for above, _, own in (each.rpartition(".") for each in shown) if above == family and own.isdecimal()]
    number = f"{family}." * bool(family) + str(max(numbers, default=0) + 1)
    behind = _BEHIND.match(line, model.number_span.end)
    sign = behind[0] if behind else " "
    return (
        f"{_gap(source, requirement)}{line[: model.number_span.start]}{number}{sign if sign.endswith((' ', chr(9))) else sign + ' '}{text}"
    )


def _gap(source: Source, requirement: Requirement) -> str:
    """The line break between two criteria, with the blank line that stands between those there are."""
    apart = len(requirement.criteria) > 1 and not source.lines[requirement.criteria[-1].line - 2].text.strip()
    return "\n\n" if apart else "\n"


def _first(spec: Spec, name: DocumentName, requirement: Requirement, text: str) -> str:
    if spec.dialect == "openspec":
        return f"\n\n#### Scenario: {text}\n- **WHEN** …\n- **THEN** …"
    if kind_of(name) == BUGFIX:
        return f"\n\n{requirement.id}.1 {text}"
    heading = spec.sources[name].lines[requirement.line - 1].heading
    level = heading.level + 1 if heading else 4
    source = spec.sources[name]
    if _below(source, requirement) != requirement.last:
        return f"\n\n1. {text}"
    if spec.dialect == "spec-kit":
        return f"\n\n**Acceptance Scenarios**:\n\n1. {text}"
    is_empty = _CRITERIA_END.search(source.lines[requirement.last - 1].text) is not None
    return f"\n\n1. {text}" if is_empty else f"\n\n{'#' * level} Acceptance Criteria\n\n1. {text}"


_CRITERIA_END = re.compile(r"Acceptance[ \t]+(?:Criteria|Scenarios)\W*$", re.IGNORECASE)


def _below(source: Source, requirement: Requirement) -> int:
    """The line a first criterion comes to stand below: the heading of the criteria where there is one, else the requirement's last."""
    inside = range(requirement.line + 1, requirement.last + 1)
    return next((number for number in inside if _CRITERIA_END.search(source.lines[number - 1].text)), requirement.last)
