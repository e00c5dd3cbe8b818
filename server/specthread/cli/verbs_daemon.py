"""Verbs about the daemon and its settings: daemon start, stop, status, logs and run; allow; init.

Those about its event log stand in `verbs_log.py`, those about its cache in `verbs_cache.py`.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from rich.text import Text

from specgit.errors import GitError
from specgit.fingerprint import Fingerprint, fingerprint_of
from specgit.repository import Repository
from specthread import config, config_vocabulary, shim
from specthread.cli.outcome import OUTSIDE, USAGE, Failure, clean, print_json
from specthread.cli.screen import Json, console, is_terminal
from specthread.cli.verbs_cache import cache
from specthread.engine.repositories import known_settings_file
from specthread.engine.trust import take_in, unknown_changes

_TEMPLATE = """\
# Settings of Specthread for this repository. Every key is optional.
# What runs or permits something counts only after `specthread allow` in each checkout.

# [check]
# project = "make test"            # how the whole project is checked
# timeout = 600                    # seconds that a check may take
# lint = "make lint"               # beside the project: tests, lint, types, format; without a key it is detected, "" leaves it out
# formatter = "black -q --"        # gets the paths that changed, before they are committed
# detect = false                   # nothing is detected from pyproject.toml, package.json, Makefile, Cargo.toml, go.mod

# [environment]
# share = [".venv", "node_modules"]  # ignored folders that sessions may read; [] shares none, without the key dependencies are found
# setup = "npm ci"                 # done with network, and without secrets, before an agent works; counts only after `specthread allow`
# cleanup = "make clean"           # done without network when its work is merged, or it has ended otherwise
# timeout = 900                    # seconds that each of them may take

# [worktrees]
# sparse = ["src", "tests"]        # folders that sessions get beside the files at the top; without it they get everything. Checks always do.
# Ignored files that sessions need, such as .env, are named in .worktreeinclude, in the form of .gitignore; it counts only after `specthread allow`.

# [trace]
# exclude = ["vendor/"]            # files that are not searched for markers such as "Req 1.2"; paths = ["src/"] searches only those
# tests = ["checks/**"]            # which files are tests, in place of the usual names
# markers = ['@covers\\((?P<id>[\\d.]+)\\)']  # other ways to write a marker, beside the usual ones; counts only after `specthread allow`

# [limits]
# session_timeout = 1800           # seconds that a session's agent may work on a task, at most a week; waits do not count. A task may say _Timeout: 2h_ itself.
# [limits.roles.tester]
# session_timeout = 3600           # the same for one role

# What follows is for each person to choose. It works in ~/.config/specthread/config.toml, not in this file.

# agent = "messages"               # belongs above the first table

# [permissions]                    # the strictest that fits counts; what none fits is allowed in the sandbox, and asked about beyond it
# deny = ["write(migrations/)", "shell(git push *)"]
# ask = ["shell(rm *)"]            # network and unsandboxed stand for all that reaches further: allow = ["unsandboxed(pytest *)"]
# [sandbox]
# memory_mb = 8192                 # what one command of an agent may take with all it starts, and seconds of processor time of each process
# cpu_seconds = 3600
# quota_mb = 20480                 # what a session's files may take on the disk
# first_port = 42000               # from where on sessions get ten ports each; SPECTHREAD_PORT names the first

# [limits]
# max_parallel = 6                 # sessions of one SpecTask at once
# max_sessions = 64                # sessions of all SpecTasks at once
# warn_usd = 10
# stop_usd = 50
# run_usd = 5                      # and what one session or run of the planner may cost, the work on one task, and one day over all SpecTasks;
# task_usd = 8                     # reached, a session waits until you answer with a new limit
# day_usd = 40
# max_depth = 2                    # generations of sessions that a session may spawn, and how many of them each may
# max_children = 8
# [limits.roles.tester]            # any role
# max_sessions = 1                 # sessions of this role at once
# [review]
# mode = "gate"                    # a reviewer judges work that passed its checks: "advice" only tells what it finds, "off" asks none
# budget_usd = 2.0                 # what one review may cost; without it a tenth of what the SpecTask may

# [limits.agents.messages]
# max_sessions = 4                 # sessions of this agent at once

# [prices."qwen3-coder"]           # US dollars for a million tokens of a model that has no list price; 0 for one on your own machine
# input = 0
# output = 0                       # and, if they differ from input: cache_read, cache_write

# [agents.claude]                  # external agents that speak ACP: claude, codex, gemini, opencode, or any other with a command
# command = ["claude-agent-acp"]
# args = []
# env = ["ANTHROPIC_API_KEY"]      # the variables it is given, and no other; "NAME=value" for what is no secret

# [resources]                      # how many sessions may share one; a name that is not here is shared by any number
# "api:github" = 3

# [context]
# depth = 5                        # earlier results that a session is told, and characters of each; 0: nothing of other sessions
# characters = 500

# [messages]
# base_url = "http://localhost:8000"  # any server that speaks the Messages API
# remember = true  # a planner that reads the same again is answered from memory, at no cost
# tools = false  # for models that cannot call any: they write files by their words
# provider = "bedrock"  # or "vertex", with the credentials of its own tools; needs specthread[bedrock] or specthread[vertex]

# [messages.planner]
# model = "claude-opus-5-5"
# effort = "high"

# [messages.implementer]
# model = "claude-sonnet-5-5"
# effort = "medium"

# Roles: ~/.config/specthread/roles/tester.md says below its front matter (model, effort, tools, max_turns, max_tokens) what a tester is told, beside what all are told.
# A repository may bring such files in .specthread/roles/; they count only after `specthread allow`.

# [provider]                       # the server behind the model: calls at once adapt to what it takes
# max_calls = 64                   # never more at once, whatever it takes
# failures = 5                     # faults in a row after which nothing is sent for a while
# first_wait = 10                  # seconds of that while; it doubles up to longest_wait = 300

# [retry.model]                    # broken model calls; waits are a random part of what doubles from base to cap
# attempts = 3                     # tries after the first
# base = 8                         # seconds
# cap = 60
# [retry.effect]                   # work with git and disk, for as long as it is wanted: base = 2, cap = 60
# [retry.forge]                    # looks at a pull request that failed: base = 120, cap = 3600

# [forge]                          # hosts of your own, beside github.com and gitlab.com; a token for them comes from gh, glab or the environment
# github = ["git.example.org"]
# gitlab = ["gitlab.example.org"]
"""

daemon = typer.Typer(no_args_is_help=True, help="Start, stop and look at the daemon.")
daemon.add_typer(cache, name="cache")


@daemon.command("run")
def run_daemon(
    *,
    ready_fd: Annotated[int | None, typer.Option(hidden=True, help="Descriptor that is told when the socket listens.")] = None,
) -> None:
    """Run the daemon in the foreground."""
    from specthread.daemon import run  # noqa: PLC0415  only the daemon itself loads the engine

    raise typer.Exit(run(Path(shim.state_folder(os.environ)), os.environ, ready_fd))


@daemon.command("start")
def start(*, as_json: Json = False) -> None:
    """Start the daemon, if it does not run."""
    from specthread.cli.ask import ask  # noqa: PLC0415  foreground runs need no client
    from specthread.protocol import wire_params, wire_result  # noqa: PLC0415  the same

    result = ask("status", wire_params.NoParams(), wire_result.StatusResult)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        console().print(f"The daemon runs: process {result.pid}, state in {result.state_folder}.")


@daemon.command("stop")
def stop(*, as_json: Json = False) -> None:
    """Stop the daemon. Sessions resume with its next start."""
    from specthread.cli.ask import ask_on, running  # noqa: PLC0415  foreground runs need no client
    from specthread.protocol import wire_params, wire_result  # noqa: PLC0415  the same

    client = running()
    live = 0
    if client is not None:
        live = ask_on(client, "stop", wire_params.NoParams(), wire_result.StopResult).live
        client.wait_closed()
    was_running = _stop_other() or client is not None
    if as_json:
        print_json({"was_running": was_running, "live": live})
    elif not was_running:
        console().print("No daemon runs.")
    else:
        resumes = f" {live} session{'' if live == 1 else 's'} will resume with its next start." if live else ""
        console().print(f"The daemon has stopped.{resumes}")


def _stop_other() -> bool:
    """Returns when no daemon holds the state folder any more, and tells whether one had to be ended that does not speak our version."""
    file = Path(shim.state_folder(os.environ)) / "daemon.lock"
    if not file.exists():
        return False
    with file.open(encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = re.match(r"process (\d+),", lock.read())
            if owner:
                # The lock is held, so the number is still the daemon's.
                os.kill(int(owner[1]), signal.SIGTERM)
            fcntl.flock(lock, fcntl.LOCK_SH)
            return owner is not None
    return False


@daemon.command("status")
def status(*, as_json: Json = False) -> None:
    """Show how the daemon is. Exits with 1 when none runs."""
    from specthread.cli.ask import ask_on, running  # noqa: PLC0415  the same
    from specthread.cli.status_page import status_page  # noqa: PLC0415  the same
    from specthread.protocol import wire_params, wire_result  # noqa: PLC0415  the same

    client = running()
    if client is None:
        raise Failure("no-daemon", "No daemon runs.", "`specthread daemon start` starts it; so does every command that needs it.")
    result = ask_on(client, "status", wire_params.NoParams(), wire_result.StatusResult)
    if as_json:
        print_json({"running": True, **result.model_dump(mode="json")})
    else:
        console().print(status_page(result))


@daemon.command("logs")
def logs(
    *,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, help="How many of the last lines.")] = 50,
    as_json: Json = False,
) -> None:
    """Print the end of the daemon's log. Needs no daemon."""
    file = Path(shim.state_folder(os.environ)) / "daemon.log"
    try:
        with file.open(encoding="utf-8", errors="replace") as log:
            last = list(deque((line.rstrip("\n") for line in log), maxlen=lines))
    except FileNotFoundError:
        last = []
    except OSError as error:
        raise Failure("unreadable", f"{file} cannot be read: {error.strerror}.", status=OUTSIDE) from error
    if as_json:
        print_json({"file": str(file), "lines": last})
    elif last:
        console().print(Text(clean("\n".join(last))), soft_wrap=True)
    else:
        console().print(f"There is no log yet; it will be {file}.")


@daemon.command("backup")
def backup(file: Annotated[Path, typer.Argument(help="A new file for the copy.")], *, as_json: Json = False) -> None:
    """Copy the event log into one file, while the daemon runs. Git holds the rest: back your repositories up, too."""
    _log_verbs().backup(file, as_json=as_json)


@daemon.command("restore")
def restore(file: Annotated[Path, typer.Argument(help="A backup of an event log.")], *, as_json: Json = False) -> None:
    """Go back to a backup of the event log. What is there now is kept beside it. Stop the daemon first."""
    _log_verbs().restore_log(file, as_json=as_json)


@daemon.command("check-log")
def check_log(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Keep a copy and save what is whole. Stop the daemon first.")] = False,
    file: Annotated[Path | None, typer.Option("--file", help="Another log, such as a backup.")] = None,
    as_json: Json = False,
) -> None:
    """Read the whole event log and say what is damaged. Exits with 1 where something is."""
    _log_verbs().check_log_file(file or None, mend=repair, as_json=as_json)


@daemon.command("compact")
def compact(*, as_json: Json = False) -> None:
    """Pack the events of archived SpecTasks and give the room back to the disk. Stop the daemon first."""
    _log_verbs().compact(as_json=as_json)


def _log_verbs() -> ModuleType:
    from specthread.cli import verbs_log  # noqa: PLC0415  no other verb loads the engine

    return verbs_log


def lsp(
    *,
    standalone: Annotated[bool, typer.Option("--standalone", help="Language features alone, without the daemon.")] = False,
) -> None:
    """Serve an editor on stdin and stdout. Editors start this; it reaches the daemon, or starts it."""
    # What is typed exactly so never comes here: `__main__` answers it without loading any of this.
    raise Failure("bad-option", "`specthread lsp` takes nothing but `--standalone`.", f"Given: standalone={standalone}.", status=USAGE)


def allow(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Allow what it asks for without asking, for scripts.")] = False,
    as_json: Json = False,
) -> None:
    """Allow what specthread.toml wants to run and `.specthread/roles` tells agents, and take in git settings and hooks that are new. Shows them first, and asks."""
    folder = checkout()
    loaded = config.load(folder, os.environ)
    _refuse_problems(loaded)
    powers, (known, now) = loaded.powers, _git_settings(folder)
    new = [str(change) for change in unknown_changes(known, now)]
    value: dict[str, object] = {
        "file": str(folder / config_vocabulary.REPOSITORY_FILE),
        "keys": {},
        "fingerprint": "",
        "allowed": False,
        "git": new,
    }
    if powers is not None:
        value |= {"file": str(powers.file), "keys": dict(powers.keys), "fingerprint": powers.fingerprint, "allowed": powers.allowed}
    if (powers is None or powers.allowed) and not new:
        asked = f"What {powers.file} asks for is allowed already." if powers else "This repository asks for nothing that needs your leave."
        _say_allowed(as_json, value, asked)
        return
    if not as_json:
        _show_asked(None if powers is None or powers.allowed else powers, new)
    if not (yes or (is_terminal() and not as_json and typer.confirm("Allow exactly this for this checkout?"))):
        raise Failure("not-allowed", "Nothing was allowed; it stays without effect.", "Read it, then run `specthread allow --yes`.")
    if powers is not None:
        config.allow(powers, os.environ)
    if new:
        take_in(known, now)
    _say_allowed(as_json, value | {"allowed": powers is not None}, "Allowed. Any change of it needs your leave again.")


def _git_settings(folder: Path) -> tuple[Path, Fingerprint]:
    """Returns where the known git settings of the checkout are written, and those that it has now."""
    try:
        repository = Repository.open(folder)
        return known_settings_file(Path(shim.state_folder(os.environ)), repository), fingerprint_of(repository)
    except GitError as error:
        raise Failure("git", str(error), status=OUTSIDE) from error


def _show_asked(powers: config.Powers | None, new: Sequence[str]) -> None:
    if powers is not None:
        console().print(f"{powers.file} asks for this:")
        console().print(Text("\n".join(_asked(name, asked) for name, asked in powers.keys.items())))
    if new:
        console().print("Git settings and hooks of this repository that are new:")
        console().print(Text("\n".join(f"  {clean(change)}" for change in new)))


def _asked(name: str, value: object) -> str:
    lines = [clean(line) for line in str(value).splitlines()]
    # Behind a bar, so that no line of a text can pass for the next key.
    return f"  {name} = {''.join(lines)}" if len(lines) < 2 else "\n".join([f"  {name}", *(f"    | {line}" for line in lines)])  # noqa: PLR2004  a line and one more


def _say_allowed(as_json: bool, value: dict[str, object], sentence: str) -> None:  # noqa: FBT001  is the option itself
    if as_json:
        print_json(value)
    else:
        console().print(sentence)


def _refuse_problems(loaded: config.Loaded) -> None:
    if loaded.problems:
        raise Failure("bad-config", str(loaded.problems[0]), "Correct the file and try again.")


def init(*, as_json: Json = False) -> None:
    """Write a commented specthread.toml. One that is there is left alone."""
    file = checkout() / config_vocabulary.REPOSITORY_FILE
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(_TEMPLATE)
    except FileExistsError:
        raise Failure("exists", f"{file} is there already; it was not changed.", "Edit it as it is.") from None
    except OSError as error:
        raise Failure("unwritable", f"{file} cannot be written: {error.strerror}.", status=OUTSIDE) from error
    _say_allowed(as_json, {"file": str(file)}, f"Wrote {file}. Every key in it is a comment; nothing changes until you remove a #.")


def checkout() -> Path:
    """Returns the top folder of the checkout we are in."""
    try:
        repository = Repository.open(Path.cwd())
    except GitError as error:
        raise Failure("no-repository", str(error), status=OUTSIDE) from error
    return repository.checkout or repository.git_dir
