"""The planner's documents as values: the tools that take them, and how they become Markdown.

Numbers are ours: requirements, criteria and tasks are counted in the order they are given, so that none is left out or there twice, and what
names a number that is not there is answered with the place and never written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specthread.agents.backend import ToolSpec, ToolUse
from specthread.agents.toolspecs import MOST_TOLD
from specthread.domain.model import Flow
from specthread.domain.names import document_names
from specthread.domain.planned import circle, excess
from specthread.domain.text import sound
from specthread.spec.bugfix import bugfix_of
from specthread.spec.changes import Cannot
from specthread.spec.document import squeezed
from specthread.spec.render import (
    BugText,
    RequirementText,
    SectionText,
    TaskText,
    render_bugfix,
    render_design,
    render_requirements,
    render_tasks,
)
from specthread.spec.requirements import parse_requirements
from specthread.spec.role import ROLES
from specthread.spec.source import scan

_OWN = "specthread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Is a document that was given as values, ready to be written."""

    document: str
    content: bytes


def document_tools(flow: Flow) -> tuple[ToolSpec, ...]:
    """Returns the tools for the documents of a flow, in the order they are written."""
    return tuple(_TOOLS[name] for name in document_names(flow))


def rendered(call: ToolUse, documents: Mapping[str, bytes]) -> Rendered | str | None:
    """Returns the document that a call of one of these tools gives, or in words for the model what keeps it from being written; None for any other tool.

    `documents` are the present ones, by which what tasks refer to is judged.
    """
    name = next((name for name, tool in _TOOLS.items() if tool.name == call.name), None)
    if name is None:
        return None
    value = sound(call.input)
    found = list(_problems(name, value, documents))
    content = Cannot("") if found else _RENDERERS[name](value)
    if isinstance(content, Cannot):
        found = found or [content.reason]
    elif name == "tasks":
        found = [*_waiting(content)]
    if found or isinstance(content, Cannot):
        more = [f"- and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
        return "\n".join([f"{name} is not written:", *(f"- {problem}" for problem in found[:MOST_TOLD]), *more])
    return Rendered(document=name, content=content)


# --- the schemas ----------------------------------------------------------------------------------------------------------


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _texts(description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "description": description}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required), "additionalProperties": False}


def _objects(description: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": entry, "description": description}


def _tool(document: str, what: str, required: dict[str, Any], optional: dict[str, Any] | None = None) -> ToolSpec:
    description = (
        f"Writes {what} as a whole and returns what the linter finds. Give plain values: headings, numbers and layout are made for you."
    )
    return ToolSpec(name=f"write_{document}", description=description, schema=_object(required, optional))


_INTRODUCTION = _text("What is to be achieved, for whom, and what is left out on purpose.")
_QUESTIONS = _texts("What you decided without being sure, as questions for the reviewer, each with what you decided.")
_LEAF = _object(
    {
        "title": _text("What is done, in a few words."),
        "requirements": _texts("Numbers of the criteria it fulfils, such as 1.2; empty where its subtasks say so."),
        "depends": _texts(
            "Numbers of the tasks whose result it needs: tasks are counted from 1 in your order, subtasks as 2.1. Empty: none."
        ),
        "files": _texts("Paths it may change. Tasks that do not wait for each other should share none."),
        "check": _text("Command that fails before the work and succeeds after it, or `regression`; empty for a task with subtasks."),
    },
    {
        "detail": _text("Markdown: what to do, exactly."),
        "uses": _texts("Resources it must not share, such as database:test."),
        "role": {"type": "string", "enum": list(ROLES), "description": "Who does it."},
        "when": _text("Makes it one for a case only, such as `task 2 failed`."),
        "optional": {"type": "boolean", "description": "True where it may be left out."},
    },
)
_TASK = {**_LEAF, "properties": {**_LEAF["properties"], "subtasks": _objects("Then only these are worked on.", _LEAF)}}

_TOOLS: dict[str, ToolSpec] = {
    "requirements": _tool(
        "requirements",
        "the requirements",
        {
            "introduction": _INTRODUCTION,
            "requirements": _objects(
                "In their order; they are numbered from 1, and so are the criteria of each.",
                _object(
                    {
                        "title": _text("Short title, without a number."),
                        "story": _text("As a role, I want a capability, so that there is a benefit."),
                        "criteria": _texts("Sentences in EARS form, without numbers."),
                    }
                ),
            ),
        },
        {"open_questions": _QUESTIONS},
    ),
    "bugfix": _tool(
        "bugfix",
        "the report of the bug",
        {
            "introduction": _INTRODUCTION,
            "current": _texts(
                "How it is: sentences such as WHEN a caller passes [], THEN the parser raises IndexError. They become 1.1, 1.2 …"
            ),
            "expected": _texts("How it should be, in EARS form with SHALL. They become 2.1, 2.2 …"),
            "unchanged": _texts("What must stay, in EARS form with SHALL CONTINUE TO. They become 3.1, 3.2 …"),
        },
        {"open_questions": _QUESTIONS},
    ),
    "design": _tool(
        "design",
        "the design",
        {
            "sections": _objects(
                "In their order.",
                _object(
                    {
                        "title": _text("Heading, such as Components and Interfaces."),
                        "text": _text("Markdown below it; headings in it begin with ###."),
                    }
                ),
            ),
        },
        {"open_questions": _QUESTIONS},
    ),
    "tasks": _tool("tasks", "the tasks", {"tasks": _objects("In their order; they are numbered from 1.", _TASK)}),
}


# --- from values to Markdown ----------------------------------------------------------------------------------------------


def _requirements(value: dict[str, Any]) -> bytes | Cannot:
    found = [RequirementText(title=each["title"], story=each["story"], criteria=tuple(each["criteria"])) for each in value["requirements"]]
    return render_requirements("Requirements Document", value["introduction"], found, value.get("open_questions", ()))


def _bugfix(value: dict[str, Any]) -> bytes | Cannot:
    bug = BugText(**{part: tuple(value[part]) for part in ("current", "expected", "unchanged")})
    return render_bugfix("Bugfix Requirements Document", value["introduction"], bug, value.get("open_questions", ()))


def _design(value: dict[str, Any]) -> bytes | Cannot:
    sections = [section for each in value["sections"] for section in _sections(each["title"], each["text"])]
    return render_design("Design Document", sections, value.get("open_questions", ()))


def _sections(title: str, text: str) -> Iterator[SectionText]:
    """A section of the second level, and those below it that its text holds."""
    level, told = 2, list[str]()
    for line in scan(text.encode()).lines:
        if line.heading is None:
            told.append(line.text)
            continue
        yield SectionText(title=title, level=level, text="\n".join(told))
        title, level, told = line.heading.title, line.heading.level, []
    yield SectionText(title=title, level=level, text="\n".join(told))


def _tasks(value: dict[str, Any]) -> bytes | Cannot:
    return render_tasks("Implementation Plan", [_task(each) for each in value["tasks"]])


def _task(value: dict[str, Any]) -> TaskText:
    return TaskText(
        title=value["title"],
        detail=value.get("detail", ""),
        requires=tuple(value["requirements"]),
        depends=tuple(value["depends"]),
        when=value.get("when", ""),
        role=value.get("role", ""),
        files=tuple(value["files"]),
        uses=tuple(value.get("uses", ())),
        check=value["check"],
        optional=value.get("optional", False),
        subtasks=tuple(_task(each) for each in value.get("subtasks", ())),
    )


_RENDERERS: dict[str, Callable[[dict[str, Any]], bytes | Cannot]] = {
    "requirements": _requirements,
    "bugfix": _bugfix,
    "design": _design,
    "tasks": _tasks,
}


# --- what is wrong with values --------------------------------------------------------------------------------------------


def _problems(name: str, value: dict[str, Any], documents: Mapping[str, bytes]) -> Iterator[str]:
    if name == "requirements":
        if not value["requirements"]:
            yield "`requirements` is empty: give at least one."
        for index, each in enumerate(value["requirements"]):
            yield from _blank([("title", each["title"]), *_each("criteria", each["criteria"])], f"requirements[{index}].")
            if not each["criteria"]:
                yield f"`requirements[{index}].criteria` is empty: say what can be observed when it is done."
    elif name == "bugfix":
        for part in ("current", "expected", "unchanged"):
            yield from _blank(_each(part, value[part]), "")
            if not value[part]:
                yield f"`{part}` is empty: it needs at least one sentence."
    elif name == "design":
        yield from _problems_of_sections(value["sections"])
    else:
        yield from _problems_of_tasks(value["tasks"], documents)
    yield from _blank(_each("open_questions", value.get("open_questions", ())), "")


def _each(name: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"{name}[{index}]", text) for index, text in enumerate(texts)]


def _blank(texts: Iterable[tuple[str, str]], place: str) -> Iterator[str]:
    yield from (f"`{place}{name}` is empty." for name, text in texts if not text.strip())


def _problems_of_sections(sections: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not sections:
        yield "`sections` is empty: say how it is built."
    for index, each in enumerate(sections):
        yield from _blank([("title", each["title"])], f"sections[{index}].")
        high = [
            line.heading.title for line in scan(each["text"].encode()).lines if line.heading is not None and line.heading.level < _BELOW
        ]
        for title in high:
            yield f"`sections[{index}].text` holds the heading “{title}” of level 1 or 2: make it a section of its own, or begin it with ###."


_BELOW = 3


def _problems_of_tasks(tasks: Sequence[dict[str, Any]], documents: Mapping[str, bytes]) -> Iterator[str]:
    if not tasks:
        yield "`tasks` is empty: give at least one."
    placed = [
        (number, place, task)
        for index, each in enumerate(tasks)
        for number, place, task in (
            (str(index + 1), f"tasks[{index}]", each),
            *((f"{index + 1}.{sub + 1}", f"tasks[{index}].subtasks[{sub}]", task) for sub, task in enumerate(each.get("subtasks", ()))),
        )
    ]
    numbers = [number for number, _, _ in placed]
    known = _required(documents)
    for number, place, task in placed:
        yield from _blank([("title", task["title"])], f"{place}.")
        if known is not None and (unknown := [each for each in task["requirements"] if squeezed(each) not in known]):
            yield f"`{place}.requirements` names {', '.join(unknown)}, which is not there. There are: {', '.join(known)}."
        if unknown := [each for each in task["depends"] if each not in numbers]:
            yield f"`{place}.depends` names {', '.join(unknown)}, which is not there. The tasks are: {', '.join(numbers)}."
        if number in task["depends"]:
            yield f"`{place}.depends` names the task itself."


def _required(documents: Mapping[str, bytes]) -> list[str] | None:
    """The numbers that tasks may refer to; None where nothing says what is required."""
    if "bugfix" in documents:
        read = bugfix_of(scan(documents["bugfix"]))
    elif "requirements" in documents:
        read = parse_requirements(documents["requirements"])
    else:
        return None
    return [number for each in read.requirements for number in (each.id, *(criterion.id for criterion in each.criteria))]


def _waiting(tasks: bytes) -> Iterator[str]:
    if too_much := excess(tasks, _OWN):
        yield too_much
    elif waiting := circle(tasks, _OWN):
        yield f"The tasks wait for each other in a circle: {' → '.join(waiting)}. Take one of these out of `depends`."
