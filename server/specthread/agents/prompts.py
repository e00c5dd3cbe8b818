"""What agents are told at the start: a system prompt for each role, and the opening message of a run.

The same values give the same text. Whatever was written by others is wrapped in `<material>` tags, which the system prompts declare to be
material and not instructions; that it cannot break out of its tags is seen to here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from specthread.agents.role_file import own_roles
from specthread.domain.model import Flow
from specthread.domain.text import listed, material
from specthread.plan.findings import LONGEST

RECENT_RESULTS = 5
RESULT_CHARACTERS = 500
DEPENDENCY_CHARACTERS = 4_000
DEPENDENCIES_CHARACTERS = 40_000
"""How much of one dependency's summary, and of its files, a session is told, and of all of them together; so much is sent again at every turn."""
_FOREIGN = (
    "These documents were not written by you: they are in the form of {dialect}. Keep that form, not the one described to you: headings, numbering, lists, labels and "
    "markup stay as they are, and what you add looks like what is there. Leave every check box as it is; a new one is `[ ]`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewNote:
    """Is a review comment as the planner sees it; `quote` is the text it is anchored to."""

    comment: str
    document: str
    quote: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierResult:
    """Is what another task has left: its worker's summary and the files it changed."""

    number: str
    title: str
    summary: str
    files: tuple[str, ...] = ()


@cache
def system_prompt(role: str, told: str | None = None, worker: str = "_worker") -> str:
    """Returns the system prompt of a role: what every planner or worker is told, then what a role's file tells this one; `told` None is Specthread's own file.

    `worker` names the page for workers: one with tools of its own is told of none of ours (`_external`).
    """
    name = "_planner" if role == "planner" else worker
    text = files("specthread.agents").joinpath("roles", f"{name}.md").read_text(encoding="utf-8")
    own = own_roles().get(role)
    words = told if told is not None else own.prompt if own else ""
    if words:
        return f"{text}\n# Your role: {role}\n\n{words}\n"
    return text if own else f"{text}\nYour role in this task: {role}.\n"


def planner_opening(
    *,
    prompt: str,
    flow: Flow,
    wanted: Sequence[str],
    repository_map: str,
    documents: Mapping[str, str],
    background: Mapping[str, str] = MappingProxyType({}),
    notes: Sequence[ReviewNote] = (),
    revising: bool = False,
    dialect: str = "",
) -> str:
    """Returns the first message of a planning run, with what the documents say already; with `notes` it asks for answers too.

    A `dialect` says that the documents were written by another tool, in its form. `background` is what else is known of the project, by name.
    """
    if revising:
        task = "Revise the spec after its review."
    elif documents:
        task = "Go on with the spec for this request, from what is written below; what a person changed in it stays."
    else:
        task = "Write the spec for this request."
    parts = [
        f"{task} The flow is {flow}; its documents are: {', '.join(wanted)}.",
        f"# Their form\n\n{_FOREIGN.format(dialect=dialect)}" if dialect else f"# The flow\n\n{_flow(flow)}",
        f"# Request\n\n{prompt.strip()}",
        f"# The project\n\n{material('repository map', repository_map)}",
    ]
    parts += [material(name, text) for name, text in background.items()]
    parts += [f"# Now in `{name}`\n\n{material(name, text)}" for name, text in documents.items()]
    if notes:
        parts.append("# Review comments\n\n" + "\n\n".join(_note(note) for note in notes))
    return "\n\n".join(parts) + "\n"


@cache
def _flow(flow: Flow) -> str:
    text = files("specthread.agents").joinpath("roles", "flows", f"{flow}.md").read_text(encoding="utf-8")
    lengths = ", ".join(f"{name} {lines}" for name, lines in LONGEST[flow].items())
    return f"{text}\nLines that a document may have at most: {lengths}. A longer one comes back to you."


def implementer_opening(
    *,
    number: str,
    title: str,
    detail: str,
    criteria: Mapping[str, str],
    design: str,
    dependencies: Sequence[EarlierResult],
    others: Sequence[EarlierResult],
    may_change: Sequence[str],
    check: str | None,
    required: Mapping[str, str] | None = None,
    recent: int = RECENT_RESULTS,
    characters: int = RESULT_CHARACTERS,
) -> str:
    """Returns the first message of a WorkSession: what its dependencies left first, then the last `recent` of the `others`, cut to `characters` each.

    `required` are whole documents by name, where no criterion is known to belong to the task.
    """
    parts = [f"# Task {number}: {title}\n\n{detail.strip()}".rstrip()]
    if criteria:
        parts.append("# Criteria it fulfils\n\n" + "\n".join(f"- {name}: {text}" for name, text in criteria.items()))
    if required:
        parts.append("# What the change requires\n\n" + "\n\n".join(material(name, text) for name, text in required.items()))
    parts.append("# Files it may change\n\n" + ("\n".join(f"- {path}" for path in may_change) or "Those the work needs."))
    parts.append("# Its check\n\n" + (f"    {check}" if check else "None is named: the project's own check will be run."))
    if design.strip():
        parts.append(f"# From the design\n\n{material('design', design)}")
    if dependencies:
        each = min(DEPENDENCY_CHARACTERS, max(characters, DEPENDENCIES_CHARACTERS // len(dependencies)))
        near = dependencies[-(DEPENDENCIES_CHARACTERS // each) :]
        left_out = f"\n\n{len(dependencies) - len(near):,} more came before these." if len(near) < len(dependencies) else ""
        parts.append("# What it builds on\n\n" + "\n\n".join(_result(result, each) for result in near) + left_out)
    if shown := others[-recent:] if recent else ():
        parts.append("# Done before\n\n" + "\n\n".join(_result(result, characters) for result in shown))
    return "\n\n".join(parts) + "\n"


def _note(note: ReviewNote) -> str:
    return f"Comment {note.comment}, on `{note.document}`:\n{material('commented text', note.quote)}\n{note.text.strip()}"


def _result(result: EarlierResult, characters: int) -> str:
    changed = f"\nChanged: {listed(result.files, characters)}" if result.files else ""
    return f"Task {result.number}, {result.title}:\n{material('summary', cut(result.summary, characters) + changed)}"


def cut(text: str, characters: int) -> str:
    """Returns a text of at most so many characters, with a sign where it goes on."""
    return text if len(text) <= characters else f"{text[:characters].rstrip()} …"
