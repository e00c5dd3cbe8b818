"""Verbs of the review: review, comment, approve, request-changes."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from specthread.cli import pages
from specthread.cli.ask import ask, ask_on, connect, make, new_key
from specthread.cli.client import Client
from specthread.cli.outcome import USAGE, Failure, clean
from specthread.cli.screen import Json, console, is_terminal, show
from specthread.cli.verbs_spectask import SpecTaskArgument, say
from specthread.protocol import wire_params
from specthread.protocol.wire_result import DiffResult, Done, ReviewDocument, ReviewResult
from specthread.protocol.wire_view import ProblemView

_STYLES = {"+": "green", "-": "red", "@": "bright_black"}
_SEVERITIES = {"error": "red", "warning": "yellow", "info": "bright_black"}


def review(spectask: SpecTaskArgument, *, as_json: Json = False) -> None:
    """Show what is to be approved. Versions, problems, comments, and the folder to edit in."""
    result = ask("review", make(wire_params.SpecTaskParams, id=spectask), ReviewResult)
    show(as_json, result.model_dump(mode="json"), lambda: _review_page(result))


def _review_page(result: ReviewResult) -> RenderableType:
    parts: list[RenderableType] = [
        Text.assemble((result.spectask, "bold"), "  ", pages.state_text(result.state)),
        pages.plain(result.why),
        Text(),
        pages.documents_table(result.documents),
    ]
    if result.problems:
        parts += [Text(), Text("Problems", style="bold"), *(problem_line(problem) for problem in result.problems)]
    if result.comments:
        parts += [Text(), Text("Comments", style="bold"), pages.comments_block(result.comments)]
    named = " ".join(shlex.quote(f"{each.name}@{each.digest[:7]}") for each in result.documents if each.approval != "valid")
    parts += [Text(), Text("Read and edit them:")]
    parts += [Text(f"  {result.desk}/{each.path}", no_wrap=True, overflow="ignore") for each in result.documents if each.path]
    broken = next((problem for problem in result.problems if problem.document == "tasks" and problem.severity == "error"), None)
    if named and broken:
        parts.append(Text(f"It cannot be approved yet: tasks:{broken.line} {clean(broken.message)}", style="red"))
    elif named:
        parts.append(Text(f"specthread approve {result.spectask} {named}", style="bright_black", no_wrap=True, overflow="ignore"))
    return Group(*parts)


def problem_line(problem: ProblemView) -> Text:
    """Returns a problem as one line: place, severity, what is wrong."""
    severity = (f"{problem.severity:<8}", _SEVERITIES[problem.severity])
    place, code = f"  {problem.document}:{problem.line}  ", (f"  {problem.code}", "bright_black")
    return Text.assemble(place, severity, clean(problem.message), code)


def diff(
    spectask: SpecTaskArgument,
    document: Annotated[str, typer.Argument(help="One document, such as requirements; all when left out.")] = "",
    *,
    since: Annotated[str, typer.Option(metavar="VERSION", help="`approved`, `live`, `v1` …, or the beginning of a digest.")] = "approved",
    until: Annotated[str, typer.Option(metavar="VERSION", help="The same.")] = "live",
    as_json: Json = False,
) -> None:
    """Show how documents changed between two versions. From the approved to the live one where none is named."""
    result = ask("diff", make(wire_params.DiffParams, id=spectask, document=document, since=since, until=until), DiffResult)
    show(as_json, result.model_dump(mode="json"), lambda: _diff_page(result))


def _diff_page(result: DiffResult) -> RenderableType:
    changed = [each for each in result.documents if each.diff]
    same = ", ".join(each.document for each in result.documents if not each.diff)
    return Group(*(_coloured(each.diff.split("\n")) for each in changed), *([Text(f"No difference: {same}")] if same else []))


def comment(
    spectask: SpecTaskArgument,
    place: Annotated[str, typer.Argument(metavar="FILE:LINE", help="Such as requirements.md:12.")],
    message: Annotated[str, typer.Option("-m", "--message", help="What should change.")],
    *,
    as_json: Json = False,
) -> None:
    """Comment on a line of a document."""
    file, _, line = place.rpartition(":")
    if not file or not line.isdecimal():
        raise Failure("bad-place", f"`{place}` is not FILE:LINE.", "Name a document and a line: requirements.md:12.", status=USAGE)
    params = make(wire_params.CommentParams, id=spectask, file=file, line=int(line), text=message, key=new_key())
    say(as_json, ask("comment", params, Done))


def resolve(
    spectask: SpecTaskArgument,
    comment_id: Annotated[str, typer.Argument(metavar="COMMENT", help="Its id, as `review` shows it.")],
    *,
    as_json: Json = False,
) -> None:
    """Settle a comment. It stays in the history."""
    say(as_json, ask("resolve", make(wire_params.ResolveParams, id=spectask, comment=comment_id, key=new_key()), Done))


def approve(
    spectask: SpecTaskArgument,
    documents: Annotated[
        list[str] | None, typer.Argument(metavar="[DOC@DIGEST]…", help="The exact versions, as `review` prints them.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Approve exact versions of documents. Without one, shows what changed and asks."""
    client = connect()
    named = [_named(each) for each in documents or []]
    if all(named) and named:
        chosen = [each for each in named if each]
    elif is_terminal() and not as_json:
        wanted = [each.rpartition("@") if "@" in each else (each, "", "") for each in documents or []]
        chosen = _ask_for_each(client, spectask, {name.removesuffix(".md"): digest.lower() for name, _, digest in wanted})
        if not chosen:
            console().print("Nothing was approved.")
            return
    else:
        # The daemon refuses, and says which versions could be named.
        chosen = []
    say(as_json, ask_on(client, "approve", make(wire_params.ApproveParams, id=spectask, documents=chosen, key=new_key()), Done))


def _named(typed: str) -> wire_params.DigestParams | None:
    name, at, digest = typed.rpartition("@")
    if at and not re.fullmatch("[0-9a-fA-F]{7,64}", digest):
        hint = "`specthread review` prints the versions, such as requirements@1a2b3c4."
        raise Failure("bad-version", f"`{typed}` names no version: it takes 7 or more hex digits after the @.", hint, status=USAGE)
    return make(wire_params.DigestParams, document=name, digest=digest.lower()) if at else None


def _ask_for_each(client: Client, spectask: str, only: Mapping[str, str]) -> list[wire_params.DigestParams]:
    """Shows each document that is not approved, and returns those the person agreed to; `only` names documents, with a digest or none."""
    result = ask_on(client, "review", make(wire_params.SpecTaskParams, id=spectask), ReviewResult)
    present = {document.name: document.digest for document in result.documents}
    for name, digest in only.items():
        if name not in present or not present[name].startswith(digest):
            there = ", ".join(f"{each}@{version[:7]}" for each, version in present.items())
            raise Failure("unknown-version", f"There is no {name}{'@' * bool(digest)}{digest} to approve.", f"There is: {there}.")
    chosen = []
    for document in result.documents:
        if document.approval in {"valid", "recording"} or (only and document.name not in only):
            continue
        console().print(_difference(document))
        if _agreed(f"Approve {document.name}@{document.digest[:7]}?"):
            chosen.append(make(wire_params.DigestParams, document=document.name, digest=document.digest))
    return chosen


def _agreed(question: str) -> bool:
    """Asks; leaving with Ctrl-C approves nothing at all."""
    try:
        return typer.confirm(question)
    except typer.Abort:
        raise Failure("not-approved", "Nothing was approved.") from None


def _difference(document: ReviewDocument) -> RenderableType:
    """Returns what changed since the last approval, or the whole text where there was none."""
    if not document.approved_text:
        lines = document.text.count("\n")
        return Group(Text(f"{document.name}: {lines} lines, never approved", style="bold"), pages.plain(document.text))
    before, after = document.approved_text.splitlines(), document.text.splitlines()
    changes = list(difflib.unified_diff(before, after, "approved", "now", lineterm="", n=2))[2:]
    return Group(
        Text(f"{document.name}: changed since it was approved", style="bold"),
        _coloured(changes),
    )


def _coloured(changes: Iterable[str]) -> RenderableType:
    return Group(*(Text(clean(line), style=_STYLES.get(line[:1], "")) for line in changes))


def request_changes(
    spectask: SpecTaskArgument,
    message: Annotated[str, typer.Option("-m", "--message", help="What should change; open comments are sent along.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Send the documents back to the planner. Your message and the open comments go along."""
    say(as_json, ask("request-changes", make(wire_params.RequestChangesParams, id=spectask, message=message, key=new_key()), Done))
