"""The commands of the palette: each answers at once, works without arguments, and tells by messages what came of it.

Everything that changes something goes the way of `wire.METHODS`, as from the command line. A client with faces of its own brings its own commands and is told of
none here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types as lsp

from specthread.domain.model import Refusal
from specthread.protocol.lsp import commands_review as review
from specthread.protocol.lsp import commands_run as run
from specthread.protocol.lsp.arguments import Arguments, arguments_from
from specthread.protocol.lsp.edit_actions import fix_all
from specthread.protocol.lsp.session import Session
from specthread.protocol.port import Fault

PREFIX = "specthread."
Outcome = str | Refusal | Fault | None
"""A sentence to show, why nothing happened, or nothing to say."""
Command = Callable[[Session, Arguments], Awaitable[Outcome]]

COMMANDS: dict[str, Command] = {
    "new-task": review.new_task,
    "open-document": review.open_document,
    "comment": review.comment,
    "approve": review.approve,
    "request-changes": review.request_changes,
    "bring-in": review.bring_newer_in,
    "fix-all": fix_all,
    "start": run.start,
    "start-task": run.start_task,
    "pause": run.pause,
    "resume": run.resume,
    "cancel": run.cancel,
    "retry": run.retry,
    "say": run.say,
    "answer": run.answer,
    "spawn-session": run.spawn,
    "sync": run.sync,
    "accept": run.accept,
    "land": run.land,
    "open-pull-request": run.open_pull_request,
    "open-session": run.open_session,
    "show-report": run.show_report,
    "trace": run.trace,
    "history": run.history,
}
"""The commands by the word behind `specthread.`."""


def command_id(verb: str) -> str:
    """Returns the id under which an editor knows a command."""
    return f"{PREFIX}{verb}"


def install(session: Session) -> None:
    """Has the commands announced where the client wants them from the server."""

    @session.editor.feature(lsp.INITIALIZE)
    def initialize(_: lsp.InitializeParams) -> None:
        if not session.editor.is_rich:
            for verb in COMMANDS:
                session.editor.command(command_id(verb))(_announced)


def _announced(*_: object) -> None:
    """Stands for a command in the announcement; `execute` carries it out."""


def execute(session: Session, name: str, given: list[Any]) -> None:
    """Begins a command; never raises, and tells by a message what came of it."""
    session.touch()
    command = COMMANDS.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
    arguments = arguments_from(given)
    if command is None:
        session.refuse(
            Refusal(code="unknown-command", message=f"There is no command {name[:100]}.", hint="Look at the palette for those there are.")
        )
    elif isinstance(arguments, Refusal):
        session.refuse(arguments)
    else:
        session.begin(session.tell(command(session, arguments), name))
