"""New documents in our own dialect from plain values, in the normal form of `format.py` as far as the texts that are given have it.

What is rendered is read again before it is given: it holds the same values, or there is a sentence that says which one cannot be written down.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from specthread.spec.bugfix import PARTS, bugfix_of
from specthread.spec.changes import Cannot
from specthread.spec.design import parse_design
from specthread.spec.document import squeezed
from specthread.spec.questions import open_questions
from specthread.spec.requirements import parse_requirements
from specthread.spec.source import scan
from specthread.spec.tasks import Task, parse_tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementText:
    """A requirement without its number; story and criteria are sentences on one line."""

    title: str
    story: str = ""
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionText:
    """A section of a design: its title, the level of its heading, and markdown below it."""

    title: str
    level: int = 2
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskText:
    """A task without its number; `depends` is None where nothing is said, and empty for `_Depends: none_`. `detail` is markdown."""

    title: str
    detail: str = ""
    requires: tuple[str, ...] = ()
    depends: tuple[str, ...] | None = None
    when: str = ""
    role: str = ""
    files: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    check: str = ""
    optional: bool = False
    subtasks: tuple["TaskText", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BugText:
    """What a bug report says in its three parts, as sentences on one line each, without their numbers."""

    current: tuple[str, ...]
    expected: tuple[str, ...]
    unchanged: tuple[str, ...]


def render_requirements(
    title: str, introduction: str, requirements: Sequence[RequirementText], questions: Sequence[str] = ()
) -> bytes | Cannot:
    """A `requirements.md`; requirements and criteria are numbered in their order, and open questions come last."""
    parts = [f"# {squeezed(title)}", "## Introduction", introduction.strip(), "## Requirements"]
    for number, requirement in enumerate(requirements, 1):
        parts += [
            f"### Requirement {number}: {squeezed(requirement.title)}",
            f"**User Story:** {squeezed(requirement.story)}" if requirement.story else "",
            "#### Acceptance Criteria",
            "\n".join(f"{place}. {squeezed(text)}" for place, text in enumerate(requirement.criteria, 1)),
        ]
    content = _document([*parts, *_questions(questions)])
    read = [
        RequirementText(title=each.title, story=each.story, criteria=tuple(criterion.text for criterion in each.criteria))
        for each in parse_requirements(content).requirements
    ]
    wanted = [
        RequirementText(title=squeezed(each.title), story=squeezed(each.story), criteria=tuple(squeezed(text) for text in each.criteria))
        for each in requirements
    ]
    if read != wanted:
        return _cannot("requirement", _first_other([each.title for each in wanted], read, wanted))
    return _asking(content, questions)


def render_bugfix(title: str, introduction: str, bug: BugText, questions: Sequence[str] = ()) -> bytes | Cannot:
    """A `bugfix.md` as Kiro lays it out; the clauses of each part are numbered in their order."""
    clauses = dict(zip(PARTS, (bug.current, bug.expected, bug.unchanged), strict=True))
    parts = [f"# {squeezed(title)}", "## Introduction", introduction.strip(), "## Bug Analysis"]
    for number, texts in clauses.items():
        parts += [f"### {PARTS[number]}", *(f"{number}.{place} {squeezed(text)}" for place, text in enumerate(texts, 1))]
    content = _document([*parts, *_questions(questions)])
    read = [(each.title, *(clause.text for clause in each.criteria)) for each in bugfix_of(scan(content)).requirements]
    wanted = [(PARTS[number], *map(squeezed, texts)) for number, texts in clauses.items()]
    return _asking(content, questions) if read == wanted else _cannot("part", _first_other(list(PARTS.values()), read, wanted))


def render_design(title: str, sections: Sequence[SectionText], questions: Sequence[str] = ()) -> bytes | Cannot:
    """A `design.md`, with open questions last."""
    parts = [f"# {squeezed(title)}"]
    for section in sections:
        parts += [f"{'#' * section.level} {squeezed(section.title)}", section.text.strip("\n")]
    asking = _questions(questions)
    content = _document([*parts, *asking])
    read = [(each.title, each.level) for each in parse_design(content).sections]
    wanted = [(squeezed(title), 1), *((squeezed(each.title), each.level) for each in sections), *([(_QUESTIONS, 2)] if asking else [])]
    return _asking(content, questions) if read == wanted else _cannot("section", _first_other([name for name, _ in wanted], read, wanted))


def render_tasks(title: str, tasks: Sequence[TaskText]) -> bytes | Cannot:
    """A `tasks.md`; tasks are numbered in their order, subtasks below their parent, and every box is open."""
    content = _document([f"# {squeezed(title)}", *("\n".join(_lines(task, str(number))) for number, task in enumerate(tasks, 1))])
    read = [_read(each) for each in parse_tasks(content).tasks]
    wanted = list(_values(tasks, ""))
    return content if read == wanted else _cannot("task", _first_other([str(each[1]) for each in wanted], read, wanted))


_QUESTIONS: Final = "Open Questions"


def _questions(questions: Sequence[str]) -> list[str]:
    return [f"## {_QUESTIONS}", "\n".join(f"- {squeezed(question)}" for question in questions)] if questions else []


def _asking(content: bytes, questions: Sequence[str]) -> bytes | Cannot:
    """The document, if it holds these questions and no others."""
    read = [question.text for question in open_questions(scan(content))]
    wanted = [squeezed(question) for question in questions]
    return content if read == wanted else _cannot("question", _first_other(wanted, read, wanted))


def _document(parts: Sequence[str]) -> bytes:
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8", "surrogateescape")


def _lines(task: TaskText, number: str) -> Iterator[str]:
    dot = "" if "." in number else "."
    yield f"- [ ]{'*' if task.optional else ''} {number}{dot} {squeezed(task.title)}".rstrip()
    below = [*_detail(task.detail).splitlines(), *_facts(task)]
    for place, subtask in enumerate(task.subtasks, 1):
        below += _lines(subtask, f"{number}.{place}")
    yield from (f"  {line}" if line else "" for line in below)


def _detail(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def _facts(task: TaskText) -> Iterator[str]:
    depends = None if task.depends is None else ", ".join(task.depends) or "none"
    facts = {
        "Requirements": ", ".join(task.requires),
        "Depends": depends,
        "When": squeezed(task.when),
        "Role": task.role,
        "Files": ", ".join(task.files),
        "Uses": ", ".join(task.uses),
        "Check": squeezed(task.check),
    }
    yield from (f"- _{label}: {value}_" for label, value in facts.items() if value)


def _values(tasks: Sequence[TaskText], family: str) -> Iterator[tuple[object, ...]]:
    for place, task in enumerate(tasks, 1):
        number = f"{family}.{place}" if family else str(place)
        facts = (squeezed(task.when), task.role, task.files, task.uses, squeezed(task.check), task.optional)
        yield (number, squeezed(task.title), _detail(task.detail), task.requires, task.depends, *facts)
        yield from _values(task.subtasks, number)


def _read(task: Task) -> tuple[object, ...]:
    """What `_values` gives for a task, as it was read."""
    depends = task.block.depends if task.block.names_depends else None
    facts = (task.when or "", task.role or "", task.files, task.uses, task.check or "", task.optional)
    return (task.id, task.title, task.detail, task.requires, depends, *facts)


def _first_other(titles: Sequence[str], read: Sequence[object], wanted: Sequence[object]) -> str:
    """The title of the first value that is read otherwise than it is meant."""
    return next(
        (title for index, title in enumerate(titles) if read[index : index + 1] != wanted[index : index + 1]), titles[-1] if titles else ""
    )


def _cannot(kind: str, title: str) -> Cannot:
    return Cannot(f"The {kind} “{title}” would be read otherwise than it is meant: a part of it looks like the form of the document.")
