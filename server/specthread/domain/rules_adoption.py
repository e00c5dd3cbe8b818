"""The rule for a SpecTask whose documents are there already, in whatever dialect: they are taken over where they stand, and reviewed."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain.ids import Digest
from specthread.domain.model import ENDED_TASK_STATES, Actor, Refusal, State
from specthread.domain.names import adopted_names
from specthread.domain.planned import parsed
from specthread.domain.rules_approval import obstacles_in
from specthread.domain.rules_spectask import created, not_creatable
from specthread.spec.digest import content_digest
from specthread.spec.document import REQUIREMENTS, DocumentName
from specthread.spec.spec import kind_of

Decision = tuple[e.Event, ...] | Refusal


def adopt(state: State, command: c.CreateSpecTask, actor: Actor) -> Decision:
    """Creates the SpecTask with its documents, and lets the review begin; approves them in advance where the human asked for that and nothing is wrong."""
    refused = not_creatable(state.spectasks.get(command.spectask), command) or _not_adoptable(command) or _taken(state, command)
    if refused:
        return refused
    edits = tuple(
        e.DocumentEdited(
            document=each.name,
            path=each.path,
            content=each.content,
            digest=Digest(content_digest(each.content)),
            kind="adopted",
            author=actor.name,
            author_email=actor.email,
        )
        for each in command.adopted
    )
    events = (created(command), *edits, e.SpecAdopted(folder=_folder(command)))
    if not command.advance or obstacles_in({each.name: each.content for each in command.adopted}, command.dialect):
        return events
    documents = tuple((edit.document, edit.digest) for edit in edits)
    return (*events, e.SpecApproved(documents=documents, person=actor.name, in_advance=True, version=1))


def _folder(command: c.CreateSpecTask) -> str:
    """Returns the folder that holds all the documents: the deltas of a change lie below it."""
    return min((each.path.rpartition("/")[0] for each in command.adopted), key=len)


def _not_adoptable(command: c.CreateSpecTask) -> Refusal | None:
    contents = {each.name: each.content for each in command.adopted}
    folder = _folder(command)
    if not parsed(contents.get("tasks", b""), command.dialect):
        lack = "no task in its tasks document" if "tasks" in contents else "no tasks.md"
        return Refusal(
            code="nothing-to-do",
            message=f"{folder} has {lack}: there is nothing to carry out.",
            hint="Write its tasks first, then try again.",
        )
    names = adopted_names(contents, command.flow, command.dialect)
    if command.dialect == "openspec" and not any(kind_of(DocumentName(name)) == REQUIREMENTS for name in contents):
        return Refusal(
            code="documents-missing",
            message=f"{folder} holds {', '.join(sorted(contents))}, and lacks requirements: there is no specs/…/spec.md in it.",
            hint="Write what the change does to each capability, then try again.",
        )
    missing = [name for name in names if name not in contents]
    if missing or len(contents) > len(names):
        return Refusal(
            code="documents-missing",
            message=f"{folder} holds {', '.join(sorted(contents))}, and lacks {' and '.join(missing) or 'nothing'}: that is no whole spec.",
            hint="A spec has requirements and tasks, and mostly a design; that of a bug has bugfix, design and tasks.",
        )
    return None


def _taken(state: State, command: c.CreateSpecTask) -> Refusal | None:
    """Refuses documents that a SpecTask which is not over holds already: two would write the same files."""
    paths = {each.path for each in command.adopted}
    for other in state.spectasks.values():
        here = other.repository == command.repository and other.state not in ENDED_TASK_STATES
        if here and paths & {document.path for document in other.documents.values()}:
            return Refusal(
                code="already-adopted",
                message=f"{_folder(command)} belongs to the SpecTask {other.id} already.",
                hint=f"`specthread show {other.id}` says how far it is; `specthread cancel {other.id}` ends it.",
            )
    return None
