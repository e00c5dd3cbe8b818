"""Verbs about a SpecTask as a whole: new, list, show, watch, report, cost, history, accept, land, skip."""

from __future__ import annotations

import os
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group

from specgit.errors import GitError
from specgit.repository import Repository
from specthread import lost_log, shim
from specthread.cli import pages
from specthread.cli.ask import ask, ask_history, ask_on, connect, make, new_key
from specthread.cli.client import Client
from specthread.cli.cost_page import cost_page
from specthread.cli.follow import Ends, follow, follow_all, follow_silently, until_ended, until_needed
from specthread.cli.keys import Left
from specthread.cli.outcome import OUTSIDE, PROBLEM, USAGE, Failure, clean, print_json
from specthread.cli.screen import Json, console, note, show
from specthread.protocol import wire_params
from specthread.protocol.wire_result import CostResult, Done, HistoryResult, LandResult, ListResult, NewResult, RebuildResult, ReportResult
from specthread.protocol.wire_view import SpecTaskView

SpecTaskArgument = Annotated[str, typer.Argument(metavar="ID", help="The SpecTask; a unique beginning of its id is enough.")]


def new(
    prompt: Annotated[str, typer.Argument(help="What you want, in a sentence; `-` reads it from stdin.", show_default=False)] = "",
    *,
    from_spec: Annotated[
        str,
        typer.Option(
            metavar="PATH", help="Take over an existing spec folder where it stands (Kiro, cc-sdd, spec-kit, spec-workflow, .specs)."
        ),
    ] = "",
    flow: Annotated[str | None, typer.Option(help="feature, bugfix, refactor or quick.", show_default="feature")] = None,
    agent: Annotated[str | None, typer.Option(help="The agent: `messages`, the built-in one.")] = None,
    priority: Annotated[str, typer.Option(help="`low`, `normal` or `high`: whose turn comes first.")] = "normal",
    execute: Annotated[bool, typer.Option("--execute", help="Start the work once it is approved, and follow it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Approve in advance what planning writes, if it lints clean.")] = False,
    as_json: Json = False,
) -> None:
    """Ask for something in a sentence. A planner writes requirements, design and tasks for your review; `--from-spec` takes those that are there."""
    if yes and not execute:
        raise Failure(
            "yes-needs-execute", "`--yes` approves in advance for `--execute`.", "Add `--execute`, or leave `--yes` out.", status=USAGE
        )
    if from_spec and flow:
        raise Failure("flow-of-spec", "With `--from-spec` the flow follows from the documents.", "Leave `--flow` out.", status=USAGE)
    params = make(
        wire_params.NewParams,
        prompt=_prompt(prompt),
        path=str(Path.cwd()),
        from_spec=_typed(from_spec),
        flow=flow or "feature",  # type: ignore[arg-type]  # checked by the model
        agent=agent,
        priority=priority,  # type: ignore[arg-type]  # the same
        execute=execute,
        advance=yes,
        key=new_key(),
    )
    client = connect()
    view = ask_on(client, "new", params, NewResult).spectask
    if not execute:
        show(as_json, view.model_dump(mode="json"), lambda: pages.made_page(view))
        return
    if not as_json:
        console().print(pages.made_page(view))
    _follow(client, view.id, until_needed(), as_json)


MOST_READ = 100 * wire_params.PROMPT_LIMIT
"""Bytes read of a prompt that is piped in, so that its size can be told."""


def _prompt(typed: str) -> str:
    return _typed(typed) if typed != "-" else sys.stdin.buffer.read(MOST_READ).decode("utf-8", "replace")


def _typed(text: str) -> str:
    # Bytes of the command line that are no text come as half characters; they cannot be written down.
    return text.encode("utf-8", "replace").decode()


def list_spectasks(
    *,
    here: Annotated[bool, typer.Option("--here", help="Only those of the repository you are in.")] = False,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False,
    as_json: Json = False,
) -> None:
    """List the SpecTasks. Those that need you come first, each with what it waits for."""
    params = make(wire_params.ListParams, repository=str(Path.cwd()) if here else "", archived=archived)
    result = ask("list", params, ListResult)
    show(as_json, result.model_dump(mode="json"), lambda: pages.list_page(result))


def show_spectask(spectask: SpecTaskArgument, *, as_json: Json = False) -> None:
    """Show everything about a SpecTask. Documents, tasks, sessions, comments, cost, branches."""
    view = ask("show", make(wire_params.SpecTaskParams, id=spectask), SpecTaskView)
    show(as_json, view.model_dump(mode="json"), lambda: pages.spectask_page(view))


def watch(
    spectask: Annotated[str, typer.Argument(help="Its id, or a unique beginning of it; none: all that go on.", show_default=False)] = "",
    *,
    until: Annotated[str, typer.Option(help="`end` of the SpecTask, or `human`: when it needs somebody.")] = "end",
    as_json: Json = False,
) -> None:
    """Follow a SpecTask live, or all of them. Leaving with q or Ctrl-C changes nothing."""
    ends = {"end": until_ended, "human": until_needed()}.get(until)
    if ends is None:
        raise Failure("bad-option", f"`--until` is `end` or `human`, not `{until}`.", status=USAGE)
    client = connect()
    if spectask:
        identifier = ask_on(client, "show", make(wire_params.SpecTaskParams, id=spectask), SpecTaskView).id
        _follow(client, identifier, ends, as_json)
    else:
        _follow_all(client, as_json or until != "end")


def _follow_all(client: Client, needs_one: bool) -> None:  # noqa: FBT001  is the options themselves
    """Shows what goes on until the person leaves."""
    if needs_one or not sys.stdout.isatty():
        hint = "Name one; `specthread list` shows them."
        raise Failure("name-it", "All SpecTasks are followed on a terminal, and without an end.", hint, status=USAGE)
    try:
        follow_all(client)
    except (Left, KeyboardInterrupt) as leaving:
        note("The work goes on; `specthread watch` follows it again.")
        if isinstance(leaving, KeyboardInterrupt):
            raise


def _follow(client: Client, spectask: str, ends: Ends, as_json: bool) -> None:  # noqa: FBT001  is the option itself
    """Follows to the end; a SpecTask that failed is a problem found, and so is one that was not approved in advance as it should."""
    try:
        view = (follow_silently if as_json else follow)(client, spectask, ends)
    except (Left, KeyboardInterrupt) as leaving:
        note(f"The work goes on; `specthread watch {spectask}` follows it again.")
        if isinstance(leaving, KeyboardInterrupt):
            raise
        return
    show(as_json, view.model_dump(mode="json"), lambda: pages.spectask_page(view))
    if view.state == "failed":
        raise typer.Exit(OUTSIDE if view.outside else PROBLEM)
    if view.in_advance and view.state == "spec_review":
        raise typer.Exit(PROBLEM)


def report(spectask: SpecTaskArgument, *, as_json: Json = False) -> None:
    """Print the report of a SpecTask as Markdown."""
    result = ask("report", make(wire_params.SpecTaskParams, id=spectask), ReportResult)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        sys.stdout.write(clean(result.markdown))


def cost(
    spectask: Annotated[str, typer.Argument(metavar="[ID]", help="One SpecTask; all when left out.")] = "",
    *,
    calls: Annotated[bool, typer.Option("--calls", help="Each call with its tokens and prices; of one SpecTask.")] = False,
    as_json: Json = False,
) -> None:
    """Show what was spent, by run, role and requirement."""
    result = ask("cost", make(wire_params.CostParams, id=spectask, calls=calls), CostResult)
    show(as_json, result.model_dump(mode="json"), lambda: cost_page(result))


def history(
    spectask: SpecTaskArgument,
    *,
    run: Annotated[str, typer.Option(help="Only one run, such as ws-1.")] = "",
    as_json: Json = False,
) -> None:
    """Tell what happened, event by event."""
    result = HistoryResult(events=ask_history(connect(), spectask, run=run))
    show(as_json, result.model_dump(mode="json"), lambda: Group(*(pages.event_line(event) for event in result.events)))


def accept(
    spectask: Annotated[str, typer.Argument(metavar="ID[@COMMIT]", help="With a commit, only if the feature branch still stands there.")],
    *,
    as_json: Json = False,
) -> None:
    """Accept the finished feature branch."""
    identifier, at, commit = spectask.partition("@")
    if at and not commit:
        raise Failure(
            "no-commit", f"`{spectask}` names no commit after the @.", "Name the commit you looked at, or leave the @ out.", status=USAGE
        )
    say(as_json, ask("accept", make(wire_params.AcceptParams, id=identifier, feature=commit.lower(), key=new_key()), Done))


def sync(spectask: SpecTaskArgument, *, as_json: Json = False) -> None:
    """Merge the moved target into the feature branch. All checks run on the merged tree first."""
    say(as_json, ask("sync", make(wire_params.SpecTaskChange, id=spectask, key=new_key()), Done))


def land(spectask: SpecTaskArgument, *, as_json: Json = False) -> None:
    """Bring accepted work onto its target branch. Where that branch is checked out, print the command that does."""
    result = ask("land", make(wire_params.SpecTaskChange, id=spectask, key=new_key()), LandResult)
    show(as_json, result.model_dump(mode="json"), lambda: pages.plain(result.text))


def archive(spectask: SpecTaskArgument, *, as_json: Json = False) -> None:
    """Put an ended SpecTask away. Its worktrees go; its records and work stay in git under refs/specthread/archive, its feature branch and tags as they are."""
    say(as_json, ask("archive", make(wire_params.SpecTaskChange, id=spectask, key=new_key()), Done))


def rebuild(
    spectask: Annotated[str, typer.Argument(help="Its id; without one, all of this repository.", show_default=False)] = "",
    *,
    as_json: Json = False,
) -> None:
    """Read SpecTasks back from the branches of this repository. For a lost or restored event log, or a repository from another machine."""
    state = Path(shim.state_folder(os.environ))
    if lost_log.is_lost(state):
        _require_repository()
        lost_log.give_leave(state)
    result = ask("rebuild", make(wire_params.RebuildParams, path=str(Path.cwd()), id=spectask), RebuildResult)
    show(as_json, result.model_dump(mode="json"), lambda: pages.rebuilt_page(result))
    if any(each.outcome == "damaged" for each in result.spectasks):
        raise typer.Exit(PROBLEM)


def _require_repository() -> None:
    """Begins no new log where nothing can be read back."""
    try:
        Repository.open(Path.cwd())
    except GitError as error:
        raise Failure("no-repository", error.message, "Go to a repository whose branches hold SpecTasks.", status=OUTSIDE) from None


def skip(spectask: SpecTaskArgument, task: Annotated[str, typer.Argument(help="The task's number.")], *, as_json: Json = False) -> None:
    """Leave a task undone on purpose."""
    say(as_json, ask("skip", make(wire_params.SkipParams, id=spectask, task=task, key=new_key()), Done))


def say(as_json: bool, done: Done) -> None:  # noqa: FBT001  is the option itself
    """Prints what a change did."""
    show(as_json, done.model_dump(mode="json"), lambda: pages.plain(done.text))


def dollars(typed: str | None, option: str = "--budget") -> Decimal | None:
    """Returns an amount a person typed, with or without the sign."""
    if typed is None:
        return None
    try:
        return Decimal(typed.removeprefix("$"))
    except InvalidOperation:
        raise Failure("bad-option", f"`{option}` is a number of US dollars, not `{typed}`.", status=USAGE) from None
