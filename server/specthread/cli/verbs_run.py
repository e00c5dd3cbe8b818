"""Verbs about work under way: run, sessions, say, answer, pause, resume, cancel, retry, spawn."""

from __future__ import annotations

from typing import Annotated

import typer

from specthread.cli import pages
from specthread.cli.ask import ask, ask_on, connect, make, new_key
from specthread.cli.client import Client
from specthread.cli.dry_run_page import forecast_page
from specthread.cli.follow import answer_at_terminal, follow, until_needed
from specthread.cli.keys import Left
from specthread.cli.outcome import PROBLEM, USAGE, Failure
from specthread.cli.screen import Json, is_terminal, note, show, show_page
from specthread.cli.verbs_spectask import SpecTaskArgument, dollars, say
from specthread.protocol import wire_params
from specthread.protocol.wire_result import Done, RunResult, SessionsResult
from specthread.protocol.wire_view import SpecTaskView

RunArgument = Annotated[str, typer.Argument(metavar="WS", help="A run, such as add-json-7k3f/ws-1; bare ws-1 where that is unique.")]
MODES = ("parallel", "sequential")
PRIORITIES = ("low", "normal", "high")
TargetArgument = Annotated[str, typer.Argument(metavar="ID|WS", help="A SpecTask, or one of its runs.")]


def run(
    spectask: SpecTaskArgument,
    *,
    task: Annotated[
        list[str] | None, typer.Option("--task", metavar="N", help="Only this task and what it waits for; may be repeated.")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="`parallel`, or `sequential`: one task at a time.", show_default="parallel")] = None,
    max_parallel: Annotated[int | None, typer.Option(min=1, help="Sessions at once.")] = None,
    agents: Annotated[
        str | None, typer.Option(metavar="R,…", help="Only tasks of these roles, such as backend,tester; `all` for every role.")
    ] = None,
    priority: Annotated[str | None, typer.Option(help="`low`, `normal` or `high`: whose turn comes first.", show_default="normal")] = None,
    budget: Annotated[str | None, typer.Option(metavar="USD", help="Stop before more than this is spent.")] = None,
    task_budget: Annotated[str | None, typer.Option(metavar="USD", help="The same for the work on each task.")] = None,
    session_budget: Annotated[str | None, typer.Option(metavar="USD", help="The same for each session by itself.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done, how long and for how much; nothing starts.")
    ] = False,
    fail_fast: Annotated[
        bool | None, typer.Option("--fail-fast/--no-fail-fast", help="Begin no new task after one has failed.", show_default=False)
    ] = None,
    interactive: Annotated[
        bool | None,
        typer.Option("--interactive/--no-interactive", help="Ask before each task; follow it and answer here.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start the approved tasks. Again, while they run: say yes to a task, or change how they run."""
    _one_of("--mode", mode, MODES)
    _one_of("--priority", priority, PRIORITIES)
    if interactive and (as_json or not is_terminal()):
        raise Failure(
            "no-terminal", "`--interactive` needs a terminal to ask on.", "Use `specthread watch` and `specthread answer`.", status=USAGE
        )
    params = make(
        wire_params.RunParams,
        id=spectask,
        tasks=task or [],
        limits=_limits(max_parallel, budget, task_budget, session_budget),
        mode=mode,  # type: ignore[arg-type]  # one of them, as looked at above
        agents=_roles(agents),
        priority=priority,  # type: ignore[arg-type]  # the same
        interactive=interactive,
        fail_fast=fail_fast,
        dry_run=dry_run,
        key=new_key(),
    )
    client = connect()
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
        _stay_with(client, identifier)


def _stay_with(client: Client, identifier: str) -> None:
    """Follows a run and answers here, until nothing of it needs the person any more."""
    identifier = ask_on(client, "show", make(wire_params.SpecTaskParams, id=identifier), SpecTaskView).id
    try:
        view = follow(client, identifier, until_needed())
        while answer_at_terminal(client, view):
            view = follow(client, identifier, until_needed())
    except Left:
        note(f"The work goes on; `specthread run {identifier} --interactive` asks here again.")
        return
    show_page(pages.spectask_page(view))
    if any(session.status in {"failed", "stuck"} for session in view.sessions):
        raise typer.Exit(PROBLEM)


def _one_of(option: str, typed: str | None, words: tuple[str, ...]) -> None:
    if typed is not None and typed not in words:
        listed = f"{', '.join(f'`{word}`' for word in words[:-1])} or `{words[-1]}`"
        raise Failure("bad-option", f"`{option}` is {listed}, not `{typed}`.", status=USAGE)


def _limits(max_parallel: int | None, budget: str | None, task_budget: str | None, session_budget: str | None) -> wire_params.LimitsParams:
    return make(
        wire_params.LimitsParams,
        max_parallel=max_parallel,
        budget_usd=dollars(budget),
        task_usd=dollars(task_budget, "--task-budget"),
        run_usd=dollars(session_budget, "--session-budget"),
    )


def _roles(typed: str | None) -> list[str] | None:
    """Returns the roles a person listed; none of them stands for all."""
    if typed is None or typed.strip() == "all":
        return None if typed is None else []
    roles = [role.strip() for role in typed.split(",")]
    if not all(roles):
        raise Failure(
            "bad-option", "`--agents` names roles with commas between them.", "For example: --agents backend,tester.", status=USAGE
        )
    return roles


def sessions(spectask: SpecTaskArgument, *, as_json: Json = False) -> None:
    """List the runs of a SpecTask. Planning first, then its sessions."""
    result = ask("sessions", make(wire_params.SpecTaskParams, id=spectask), SessionsResult)
    show(as_json, result.model_dump(mode="json"), lambda: pages.sessions_table(result.sessions))


def say_to(
    session: RunArgument, text: Annotated[str, typer.Argument(help="What the agent should know.")], *, as_json: Json = False
) -> None:
    """Say something to a running agent. It reads it before its next turn."""
    say(as_json, ask("say", make(wire_params.SayParams, target=session, text=text, key=new_key()), Done))


def answer(
    session: Annotated[str, typer.Argument(metavar="WS", help="The run that asks, or a SpecTask with one open question.")],
    text: Annotated[str, typer.Argument(help="Your answer.")],
    *,
    as_json: Json = False,
) -> None:
    """Answer a question an agent asked."""
    say(as_json, ask("answer", make(wire_params.AnswerParams, target=session, text=text, key=new_key()), Done))


def pause(target: TargetArgument, *, as_json: Json = False) -> None:
    """Let work rest where it is."""
    say(as_json, ask("pause", make(wire_params.TargetChange, target=target, key=new_key()), Done))


def resume(target: TargetArgument, *, as_json: Json = False) -> None:
    """Go on with paused, failed or cancelled work."""
    say(as_json, ask("resume", make(wire_params.TargetChange, target=target, key=new_key()), Done))


def cancel(target: TargetArgument, *, as_json: Json = False) -> None:
    """End work. Branches, commits and worktrees stay."""
    say(as_json, ask("cancel", make(wire_params.TargetChange, target=target, key=new_key()), Done))


def retry(
    target: TargetArgument,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="In a new worktree; the old work is archived first.")] = False,
    as_json: Json = False,
) -> None:
    """Try a session again. For a SpecTask, all work that stopped."""
    say(as_json, ask("retry", make(wire_params.RetryParams, target=target, fresh=fresh, key=new_key()), Done))


def spawn(
    target: TargetArgument,
    text: Annotated[str, typer.Argument(help="What the session should do; the first line is its title.")],
    *,
    role: Annotated[str, typer.Option(metavar="R", help="Its role, such as backend or tester.")] = "",
    parent: Annotated[str, typer.Option(metavar="WS", help="The session it works for; a WS as target says the same.")] = "",
    budget: Annotated[str | None, typer.Option(metavar="USD", help="What it may spend of what its parent may.")] = None,
    as_json: Json = False,
) -> None:
    """Give work to a session of its own. Beside the plan, or under a session that gets its result."""
    params = make(wire_params.SpawnParams, target=target, text=text, role=role, parent=parent, budget_usd=dollars(budget), key=new_key())
    say(as_json, ask("spawn", params, Done))
