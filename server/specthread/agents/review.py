"""What a reviewer is told and by which tool it answers; how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from specthread.agents.backend import ToolSpec
from specthread.agents.structured import mismatch
from specthread.domain.run import Verdict
from specthread.domain.text import listed, material, sound_text

DIFF_CHARACTERS = 60_000
FILES_CHARACTERS = 4_000
VERDICT = "verdict"


@cache
def reviewer_prompt(told: str | None = None) -> str:
    """Returns the system prompt of a reviewer; `told` are a person's own words for the role."""
    text = files("specthread.agents").joinpath("roles", "_judge.md").read_text(encoding="utf-8")
    return f"{text}\n# Your role: reviewer\n\n{told}\n" if told else text


def verdict_tool(criteria: Sequence[str]) -> ToolSpec:
    """Returns the tool that ends a review: one verdict for each of these criteria."""
    entry = {
        "criterion": {"type": "string", "enum": list(criteria), "description": "The criterion."},
        "judgement": {"type": "string", "enum": ["met", "unmet", "unclear"], "description": "What you find."},
        "place": {"type": "string", "description": "Where it is seen, as `path:line`; empty where something is missing altogether."},
        "reason": {"type": "string", "description": "Why, in a sentence or two that the worker can act on."},
    }
    item = {"type": "object", "properties": entry, "required": list(entry), "additionalProperties": False}
    properties = {
        "verdicts": {"type": "array", "items": item, "description": "One entry for each criterion."},
        "summary": {"type": "string", "description": "What you looked at, and what the person should know, in a few sentences."},
    }
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return ToolSpec(name=VERDICT, description="Gives your verdict on each criterion and ends the review.", schema=schema, strict=True)


def verdicts_from(tool: ToolSpec, given: Mapping[str, Any], is_file: Callable[[str], bool]) -> tuple[Verdict, ...] | str:
    """Returns the verdicts that a reviewer gave, or in words for it what is wrong with them; `is_file` knows the files of the work."""
    if problem := mismatch(tool.schema, given):
        return f"That is no verdict: {problem}."
    criteria = tool.schema["properties"]["verdicts"]["items"]["properties"]["criterion"]["enum"]
    said = [{name: sound_text(value).strip() for name, value in entry.items()} for entry in given["verdicts"]]
    found = msgspec.convert(said, list[Verdict])
    if sorted(each.criterion for each in found) != sorted(criteria):
        return f"Judge each criterion once: {', '.join(criteria)}."
    for each in found:
        path = each.place.rpartition(":")[0] if each.place.rpartition(":")[2].isdigit() else each.place
        if path and not is_file(path):
            return f"There is no file {path}, which you name for {each.criterion}. Name the place as `path:line`, relative to the project's root."
        if each.judgement == "met" and not path:
            return f"You find {each.criterion} met: name the place where that is seen."
        if each.judgement == "unmet" and not each.reason:
            return f"You find {each.criterion} not met: say why, so that the worker can act on it."
    return tuple(found)


def review_opening(
    *,
    title: str,
    detail: str,
    criteria: Mapping[str, str],
    summary: str,
    check: str,
    changed: Sequence[str],
    diff: str,
    notes: Sequence[str],
) -> str:
    """Returns the first message of a review."""
    cut = f"{diff[:DIFF_CHARACTERS]}\n… the rest is left out: read the files." if len(diff) > DIFF_CHARACTERS else diff
    parts = [
        f"# The task: {title}\n\n{detail.strip()}".rstrip(),
        "# Criteria to judge\n\n" + "\n".join(f"- {name}: {text}" for name, text in criteria.items()),
        f"# What the worker says\n\n{material('summary', summary)}",
        f"# What was changed\n\n{listed(changed, FILES_CHARACTERS)}\n\n{material('diff', cut)}",
        f"# Its check, which is passed\n\n    {check}",
        *(["# Noted about it\n\n" + "\n".join(f"- {note}" for note in notes)] if notes else []),
    ]
    return "\n\n".join(parts) + "\n"
