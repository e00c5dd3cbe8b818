"""The verbs, and what happens to everything that goes wrong in one.

Only the file of the verb that was typed is loaded: `check` needs no client, the daemon no screen.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import typer
from typer.exceptions import TyperException

from specthread import shim
from specthread.cli.outcome import OUTSIDE, USAGE, Failure, fail, silence_stdout, sound_streams

_INTERRUPTED = 130

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
    "cost": "verbs_spectask:cost",
    "history": "verbs_spectask:history",
    "review": "verbs_review:review",
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
    "accept": "verbs_spectask:accept",
    "skip": "verbs_spectask:skip",
    "sync": "verbs_spectask:sync",
    "lsp": "verbs_daemon:lsp",
    "check": "documents:check",
    "inspect": "documents:inspect",
    "plan": "documents:plan",
}
"""Each verb and where it is written: file and name in this package."""


def run(arguments: list[str]) -> int:
    """Carries out one command line and returns its exit code; never raises."""
    sound_streams()
    try:
        status = _carried_out(arguments)
        sys.stdout.flush()
    except OSError as error:
        silence_stdout()
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"The output cannot be written: {error.strerror}.\n")
        return OUTSIDE
    return status


def _carried_out(arguments: list[str]) -> int:
    try:
        _require_folder()
        return int(build(_wanted(arguments))(arguments, prog_name="specthread", standalone_mode=False) or 0)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OUTSIDE
    except TyperException as wrong:
        if message := wrong.format_message():
            line = getattr(getattr(wrong, "ctx", None), "command_path", "specthread")
            fail(Failure("usage", message, f"`{line} --help` says what it takes.", status=USAGE), arguments)
        return USAGE
    except Failure as failure:
        fail(failure, arguments)
        return failure.status
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    except BrokenPipeError:
        silence_stdout()
        return OUTSIDE
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        fail(Failure("system", f"The system refused: {error.strerror or error}{place}.", "Put that right and try again."), arguments)
        return OUTSIDE
    except Exception as error:  # noqa: BLE001  the last resort: a person never sees a traceback
        fail(Failure("internal", f"This failed because of a mistake in Specthread: {error!r}", _kept(), status=OUTSIDE), arguments)
        return OUTSIDE


def _require_folder() -> None:
    try:
        os.getcwd()  # noqa: PTH109  only whether there is one
    except FileNotFoundError:
        raise Failure("no-folder", "The folder you are in was deleted.", "Go to another one and try again.", status=OUTSIDE) from None


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
        file, _, name = VERBS[verb].partition(":")
        found: typer.Typer | Callable[..., None] = getattr(import_module(f"specthread.cli.{file}"), name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            app.command(verb)(found)
    return app


def _version(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """Reached only where `--version` stands with a verb; `__main__` prints it otherwise."""
    del version


def _kept() -> str:
    """Returns where the details of a mistake were written."""
    file = Path(shim.state_folder(os.environ)) / "cli-error.log"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{sys.argv!r}\n{traceback.format_exc()}", encoding="utf-8", errors="replace")
    except OSError:
        return "The details could not be written down: the state folder cannot be written to."
    return f"The details are in {file}; please report them."
