"""The verb that sends something to another machine: pr."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from specthread.cli import pages
from specthread.cli.ask import ask_on, connect, make, new_key
from specthread.cli.outcome import Failure, clean
from specthread.cli.screen import Json, console, is_terminal, show
from specthread.cli.verbs_spectask import SpecTaskArgument
from specthread.protocol import wire_params
from specthread.protocol.wire_result import PrResult


def pr(
    spectask: SpecTaskArgument,
    *,
    remote: Annotated[str, typer.Option(metavar="NAME", help="The remote to push to.")] = "origin",
    with_records: Annotated[
        bool,
        typer.Option("--with-records", help="Push the spec's branch and tags too, with everything that was said in the sessions."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Push without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Push the feature branch and open a draft pull request. Shows first what goes where, and asks; again, it brings both up to date."""
    client = connect()
    plan = ask_on(client, "pr", make(wire_params.PrParams, id=spectask, remote=remote, with_records=with_records), PrResult)
    if not yes:
        _require_consent(plan, as_json)
    params = make(wire_params.PrParams, id=plan.spectask, remote=remote, with_records=with_records, confirm=plan.confirm, key=new_key())
    result = ask_on(client, "pr", params, PrResult)
    show(as_json, result.model_dump(mode="json"), lambda: pages.plain(result.text))


def _require_consent(plan: PrResult, as_json: bool) -> None:  # noqa: FBT001  is the option itself
    if as_json or not is_terminal():
        raise Failure("confirm-the-push", plan.text, "Add `--yes` to do that; nothing was pushed.")
    console().print(_page(plan))
    try:
        agreed = typer.confirm("Push that?")
    except typer.Abort:
        agreed = False
    if not agreed:
        raise Failure("not-pushed", "Nothing was pushed.")


def _page(plan: PrResult) -> Group:
    """What would be pushed where, one line each."""
    lines = [Text.assemble("To ", (clean(plan.address), "bold"), f" ({clean(plan.remote)})")]
    lines += [Text(f"  {clean(each.ref)}  {each.commit[:12]}") for each in plan.refs]
    lines.append(
        Text(f"Then: {clean(plan.url)} is brought up to date." if plan.url else f"Then: a draft pull request for {clean(plan.base)}.")
    )
    if plan.with_records:
        lines.append(Text("! With the records goes everything that was said in the sessions.", style="yellow"))
    return Group(*lines)
