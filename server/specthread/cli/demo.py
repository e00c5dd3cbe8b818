"""The verb demo: the whole loop on a toy repository, without a key, with a daemon and a state folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from specgit.errors import GitError
from specgit.repository import Repository
from specgit.worktrees import Worktrees
from specthread.agents.sandbox import probe
from specthread.cli.ask import ask_history
from specthread.cli.client import Client
from specthread.cli.demo_daemon import demo_environment, stop_daemon
from specthread.cli.demo_end import Played, end_json, end_page, places_page
from specthread.cli.demo_play import play_story
from specthread.cli.demo_screen import DemoScreen
from specthread.cli.demo_toy import make_toy_repository
from specthread.cli.demo_verdict import verdict_on
from specthread.cli.outcome import OUTSIDE, PROBLEM, USAGE, Failure, print_json
from specthread.cli.screen import Json, console, note

WATCHABLE = 0.1
"""Seconds between the pieces of what the agents say, where somebody watches."""
_TERMINATED = 143


def demo_command(
    *,
    directory: Annotated[Path | None, typer.Option("--dir", help="Where to make the toy repository; a new folder when left out.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the demo's state folder too; the repository always stays.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Leave the demo's daemon running, to look around with any client.")] = False,
    as_json: Json = False,
) -> None:
    """Play the whole loop on a toy repository. No model, no key, no cost."""
    folder = _folder(directory)
    repository, state = folder / "hours", folder / "state"
    screen = DemoScreen()
    screen.head(probe())
    with _outside_told():
        make_toy_repository(repository)
    environ = demo_environment(os.environ, state, WATCHABLE if screen.moves else 0.0)
    try:
        with _terminable():
            played = _play(Client(environ, cwd=repository), repository, screen)
    except BaseException:
        stop_daemon(environ, repository)
        raise
    if not open_:
        stop_daemon(environ, repository)
    if keep or open_:
        played = replace(played, state=state, open=open_)
    else:
        _forget(repository, state)
    if as_json:
        print_json(end_json(played))
    else:
        console().print(end_page(played))
        console().print(places_page(played), soft_wrap=True)
    if not played.verdict.good:
        note(f"The demo did not end as it must: {played.verdict.problems[0]} Everything is in {folder}.")
        raise typer.Exit(PROBLEM)


def _folder(wished: Path | None) -> Path:
    """Returns the folder to play in, by its real path."""
    if wished is None:
        return Path(tempfile.mkdtemp(prefix="specthread-demo-")).resolve()
    if wished.exists() and (not wished.is_dir() or any(wished.iterdir())):
        raise Failure(
            "folder-in-use",
            f"{wished} is not an empty folder.",
            "Name a new or empty one; the demo changes nothing that is there.",
            status=USAGE,
        )
    with _outside_told():
        wished.mkdir(parents=True, exist_ok=True)
    return wished.resolve()


def _play(client: Client, repository: Path, screen: DemoScreen) -> Played:
    with screen.shown():
        view = play_story(client, repository, screen)
    events = len(ask_history(client, view.id))
    with _outside_told():
        verdict = verdict_on(view, repository, events)
    return Played(view=view, repository=repository, events=events, seconds=screen.seconds, verdict=verdict)


def _forget(repository: Path, state: Path) -> None:
    """Removes the state folder with the worktrees in it; git holds everything that counts."""
    with _outside_told():
        worktrees = Worktrees(Repository.open(repository))
        for worktree in worktrees.list():
            worktrees.remove(worktree.path, keep=None)
        shutil.rmtree(state)


@contextmanager
def _outside_told() -> Iterator[None]:
    try:
        yield
    except (GitError, OSError) as error:
        raise Failure("outside", f"The demo cannot go on: {error}", "Repair that, then run it again.", status=OUTSIDE) from error


@contextmanager
def _terminable() -> Iterator[None]:
    """Lets a request to terminate end the demo in order, as Ctrl-C does: its daemon must not outlive it."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_number: int, _frame: object) -> NoReturn:
    sys.exit(_TERMINATED)
