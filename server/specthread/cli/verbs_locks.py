"""Verbs about resources: locks, locks release."""

from __future__ import annotations

from typing import Annotated

import typer

from specthread.cli.ask import ask, make, new_key
from specthread.cli.locks_page import locks_page
from specthread.cli.screen import Json, show
from specthread.cli.verbs_run import RunArgument
from specthread.cli.verbs_spectask import say
from specthread.protocol import wire_params
from specthread.protocol.wire_locks import LocksResult, ReleaseParams
from specthread.protocol.wire_result import Done

locks = typer.Typer(help="Show who holds which resource and who waits for it, with statistics; or take one back.")


@locks.callback(invoke_without_command=True)
def show_locks(context: typer.Context, *, as_json: Json = False) -> None:
    """Show who holds which resource and who waits for it, with statistics; or take one back."""
    if context.invoked_subcommand is None:
        result = ask("locks", wire_params.NoParams(), LocksResult)
        show(as_json, result.model_dump(mode="json"), lambda: locks_page(result))


@locks.command("release")
def release(
    resource: Annotated[str, typer.Argument(help="A resource, such as database:test.")],
    session: RunArgument,
    *,
    message: Annotated[str, typer.Option("-m", "--message", help="Why; its agent is told.")] = "",
    as_json: Json = False,
) -> None:
    """Take a resource from the session that holds it. Its agent is told, and the next in line gets it."""
    params = make(ReleaseParams, resource=resource, target=session, text=message, key=new_key())
    say(as_json, ask("release", params, Done))
