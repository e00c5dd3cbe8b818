"""The verbs, and what happens to everything that goes wrong in one.

Only the file of the verb that was typed is loaded: `check` needs no client, the daemon no screen.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module

import typer
from typer.exceptions import TyperException

from specthread.cli import documents
from specthread.cli.outcome import USAGE, Failure, carried_out

VERBS: dict[str, str] = {
    "demo": "demo:demo_command",
    "doctor": "doctor:doctor",
    "init": "verbs_daemon:init",
    "allow": "verbs_daemon:allow",
    "daemon": "verbs_daemon:daemon",
    "new": "verbs_spectask:new",
    "list": "verbs_spectask:list_spectasks",
    "show": "verbs_spectask:show_spectask",
    "watch": "verbs_spectask:watch",
    "report": "verbs_spectask:report",
    "trace": "verbs_trace:trace",
    "cost": "verbs_spectask:cost",
    "history": "verbs_spectask:history",
    "review": "verbs_review:review",
    "diff": "verbs_review:diff",
    "comment": "verbs_review:comment",
    "resolve": "verbs_review:resolve",
    "approve": "verbs_review:approve",
    "request-changes": "verbs_review:request_changes",
    "run": "verbs_run:run",
    "sessions": "verbs_run:sessions",
    "say": "verbs_run:say_to",
    "answer": "verbs_run:answer",
    "pause": "verbs_run:pause",
    "resume": "verbs_run:resume",
    "cancel": "verbs_run:cancel",
    "retry": "verbs_run:retry",
    "spawn": "verbs_run:spawn",
    "locks": "verbs_locks:locks",
    "accept": "verbs_spectask:accept",
    "land": "verbs_spectask:land",
    "pr": "verbs_pull_request:pr",
    "skip": "verbs_spectask:skip",
    "sync": "verbs_spectask:sync",
    "archive": "verbs_spectask:archive",
    "rebuild": "verbs_spectask:rebuild",
    "lsp": "verbs_daemon:lsp",
    "mcp": "verbs_mcp:mcp",
    **dict.fromkeys(documents.VERBS, "documents"),
}
"""Each verb and where it is written: file and name in this package, or the file alone where it reads its own arguments."""


def run(arguments: list[str]) -> int:
    """Carries out one command line and returns its exit code; never raises."""
    return carried_out(lambda: _carried_out(arguments), arguments)


def _carried_out(arguments: list[str]) -> int:
    if arguments and arguments[0] in documents.VERBS:
        return documents.run(arguments)
    try:
        return int(build(_wanted(arguments))(arguments, prog_name="specthread", standalone_mode=False) or 0)
    except TyperException as wrong:
        if message := wrong.format_message():
            line = getattr(getattr(wrong, "ctx", None), "command_path", "specthread")
            raise Failure("usage", message, f"`{line} --help` says what it takes.", status=USAGE) from wrong
        return USAGE
    except typer.Abort:
        raise KeyboardInterrupt from None


def _wanted(arguments: list[str]) -> list[str]:
    """Returns the verbs to load: the one that was typed, or all where none was."""
    verb = arguments[0] if arguments else ""
    if not verb or verb.startswith("-"):
        return list(VERBS)
    if verb not in VERBS:
        near = get_close_matches(verb, VERBS, n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise Failure("unknown-verb", f"There is no verb `{verb}`.", f"{hint}`specthread --help` lists them all.", status=USAGE)
    return [verb]


def build(verbs: list[str]) -> typer.Typer:
    """Returns the application with these verbs."""
    app = typer.Typer(
        name="specthread",
        help="From one sentence to an approved spec and merged, verified code.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_version)
    for verb in verbs:
        if verb in documents.VERBS:
            app.command(verb, help=documents.VERBS[verb].summary, add_help_option=False)(_listed)
            continue
        file, _, name = VERBS[verb].partition(":")
        found: typer.Typer | Callable[..., None] = getattr(import_module(f"specthread.cli.{file}"), name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            app.command(verb)(found)
    return app


def _listed() -> None:
    """Stands for a verb that has its own arguments, so that `--help` lists it; it is carried out before anything here is built."""


def _version(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """Reached only where `--version` stands with a verb; `__main__` prints it otherwise."""
    del version
