"""Verbs about work under way: run, sessions, say, answer, pause, resume, cancel, retry."""

from __future__ import annotations

from typing import Annotated

import typer

from specthread.cli import pages
from specthread.cli.ask import ask, ask_on, connect, make, new_key
from specthread.cli.dry_run_page import forecast_page
from specthread.cli.follow import answer_at_terminal, follow, until_needed
from specthread.cli.outcome import PROBLEM, USAGE, Failure
from specthread.cli.screen import Json, is_terminal, show, show_page
from specthread.cli.verbs_spectask import SpecTaskArgument, dollars, say
from specthread.protocol import wire
from specthread.protocol.wire_result import Done, RunResult, SessionsResult
from specthread.protocol.wire_view import SpecTaskView

RunArgument = Annotated[str, typer.Argument(metavar="WS", help="A run, such as add-json-7k3f/ws-1; bare ws-1 where that is unique.")]
TargetArgument = Annotated[str, typer.Argument(metavar="ID|WS", help="A SpecTask, or one of its runs.")]


def run(
    spectask: SpecTaskArgument,
    *,
    task: Annotated[
        list[str] | None, typer.Option("--task", metavar="N", help="Only this task and what it waits for; may be repeated.")
    ] = None,
    mode: Annotated[str, typer.Option(help="`parallel`, or `sequential`: one session at a time.")] = "parallel",
    max_parallel: Annotated[int | None, typer.Option(min=1, help="Sessions at once.")] = None,
    budget: Annotated[str | None, typer.Option(metavar="USD", help="Stop before more than this is spent.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done, how long and for how much; nothing starts.")
    ] = False,
    interactive: Annotated[bool, typer.Option("--interactive", help="Follow it and answer questions here.")] = False,
    as_json: Json = False,
) -> None:
    """Start the approved tasks."""
    if mode not in {"parallel", "sequential"}:
        raise Failure("bad-option", f"`--mode` is `parallel` or `sequential`, not `{mode}`.", status=USAGE)
    if interactive and (as_json or not is_terminal()):
        raise Failure(
            "no-terminal", "`--interactive` needs a terminal to ask on.", "Use `specthread watch` and `specthread answer`.", status=USAGE
        )
    limits = make(wire.LimitsParams, max_parallel=1 if mode == "sequential" else max_parallel, budget_usd=dollars(budget))
    client = connect()
    params = make(wire.RunParams, id=spectask, tasks=task or [], limits=limits, dry_run=dry_run, key=new_key())
    identifier = spectask
    try:
        result = ask_on(client, "run", params, RunResult)
    except Failure as failure:
        if not interactive or failure.code != "already-running":
            raise
    else:
        identifier = result.spectask
        show(as_json, result.model_dump(mode="json"), lambda: forecast_page(result) if result.forecast else pages.run_page(result))
        if result.forecast and not result.forecast.could_run:
            raise typer.Exit(PROBLEM)
    if interactive and not dry_run:
        identifier = ask_on(client, "show", make(wire.SpecTaskParams, id=identifier), SpecTaskView).id
        view = follow(client, identifier, until_needed())
        while answer_at_terminal(client, view):
            view = follow(client, identifier, until_needed())
        show_page(pages.spectask_page(view))
        if any(session.status in {"failed", "stuck"} for session in view.sessions):
            raise typer.Exit(PROBLEM)


def sessions(spectask: SpecTaskArgument, *, as_json: Json = False) -> None:
    """List the runs of a SpecTask. Planning first, then its sessions."""
    result = ask("sessions", make(wire.SpecTaskParams, id=spectask), SessionsResult)
    show(as_json, result.model_dump(mode="json"), lambda: pages.sessions_table(result.sessions))


def say_to(
    session: RunArgument, text: Annotated[str, typer.Argument(help="What the agent should know.")], *, as_json: Json = False
) -> None:
    """Say something to a running agent. It reads it before its next turn."""
    say(as_json, ask("say", make(wire.SayParams, target=session, text=text, key=new_key()), Done))


def answer(
    session: Annotated[str, typer.Argument(metavar="WS", help="The run that asks, or a SpecTask with one open question.")],
    text: Annotated[str, typer.Argument(help="Your answer.")],
    *,
    as_json: Json = False,
) -> None:
    """Answer a question an agent asked."""
    say(as_json, ask("answer", make(wire.AnswerParams, target=session, text=text, key=new_key()), Done))


def pause(target: TargetArgument, *, as_json: Json = False) -> None:
    """Let work rest where it is."""
    say(as_json, ask("pause", make(wire.TargetChange, target=target, key=new_key()), Done))


def resume(target: TargetArgument, *, as_json: Json = False) -> None:
    """Go on with paused, failed or cancelled work."""
    say(as_json, ask("resume", make(wire.TargetChange, target=target, key=new_key()), Done))


def cancel(target: TargetArgument, *, as_json: Json = False) -> None:
    """End work. Branches, commits and worktrees stay."""
    say(as_json, ask("cancel", make(wire.TargetChange, target=target, key=new_key()), Done))


def retry(
    target: TargetArgument,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="In a new worktree; the old work is archived first.")] = False,
    as_json: Json = False,
) -> None:
    """Try a session again. For a SpecTask, every task that stopped."""
    say(as_json, ask("retry", make(wire.RetryParams, target=target, fresh=fresh, key=new_key()), Done))
