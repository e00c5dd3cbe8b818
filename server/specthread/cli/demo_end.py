"""The end of the demo: what came of it as one table and as one JSON value, and the commands to look for yourself."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from specthread.cli.demo_screen import LABEL
from specthread.cli.demo_verdict import Verdict
from specthread.cli.pages import first_line, table
from specthread.cli.screen import money, span
from specthread.protocol.wire_view import SpecTaskView


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A demo that has ended; `state` is its state folder where that was kept, `open` tells that its daemon still runs."""

    view: SpecTaskView
    repository: Path
    events: int
    seconds: float
    verdict: Verdict
    state: Path | None = None
    open: bool = False

    @property
    def sandboxed(self) -> bool:
        """Tells whether every check ran in a sandbox."""
        return not any(each.verification and each.verification.unprotected for each in self.view.sessions)

    @property
    def verified(self) -> int:
        """Counts the sessions whose check was red before and green after."""
        return sum(each.verification is not None and each.verification.outcome == "verified" for each in self.view.sessions)


def commands_to_look(played: Played) -> dict[str, str]:
    """Returns commands that show what the demo left behind, each with what it shows; they are to be given in the repository."""
    view = played.view
    records = f"{view.branches.specs}:.specs/{view.id}"
    session = view.sessions[0].id.rpartition("/")[2] if view.sessions else "plan-1"
    commands = {
        f"git log --first-parent --oneline {view.base[:12]}..{view.branches.feature}": "what was merged, task by task",
        f"git diff {view.base[:12]} {view.branches.feature} -- hours README.md": "the code",
        f"git log --oneline {view.branches.specs}": "the story: documents, comments, approvals, sessions",
        f"git cat-file -p {records}/report.md": "the report",
        f"git cat-file -p {records}/sessions/{session}/00/0001.md": "how a session began, word by word",
        "git branch --all --list 'spectask/*'": "every branch; your own were not touched",
    }
    commands |= {f"git show --stat {version.tag}": f"version {version.number} as it was approved" for version in view.versions}
    if played.state is not None:
        starts = "" if played.open else "; it starts the demo's daemon again"
        commands[f"SPECTHREAD_STATE={shlex.quote(str(played.state))} specthread show {view.id}"] = f"the SpecTask{starts}"
    return commands


def end_page(played: Played) -> RenderableType:
    """Returns the table, the sum, and where to look."""
    view = played.view
    rows = table("Task", "", "Session", "Verified", "Sent back", "Conflicts", "Merged", "Time", "Cost")
    sessions = {each.id: each for each in view.sessions}
    for task in view.tasks:
        each = sessions.get(task.session)
        if each is None:
            rows.add_row(task.number, first_line(task.title), "", task.state)
            continue
        check = each.verification
        verified = f"red → green{' UNSANDBOXED' if check.unprotected else ''}" if check and check.outcome == "verified" else "no"
        row = (each.id.rpartition("/")[2], verified, str(each.send_backs), str(each.conflicts), task.merged[:7], span(each.duration))
        rows.add_row(task.number, first_line(task.title), *row, money(each.spend.cost_usd, each.spend.unknown_calls))
    total = (
        f"{len(view.tasks)} tasks, {len(view.sessions)} sessions, {played.verified} verified, {view.merged} merged, "
        f"{played.events} events, {span(played.seconds)}, cost {money(view.spend.cost_usd)}"
    )
    problems = [Text(f"✖ {problem}", style="red") for problem in played.verdict.problems]
    return Group(Text(), Text(LABEL, style="yellow"), Text(), rows, Text(), Text(total, style="bold"), *problems)


def places_page(played: Played) -> Text:
    """Returns where to look; to be printed without wrapping, so that every command can be copied."""
    lines = [("\nLook for yourself:\n", ""), (f"  cd {shlex.quote(str(played.repository))}\n", "")]
    for command, shows in commands_to_look(played).items():
        lines += [(f"  # {shows}\n", "bright_black"), (f"  {command}\n", "")]
    if played.open:
        stop = f"  SPECTHREAD_STATE={shlex.quote(str(played.state))} specthread daemon stop\n"
        lines += [("  # the demo's daemon still runs; this stops it\n", "bright_black"), (stop, "")]
    return Text.assemble(*lines, end="")


def end_json(played: Played) -> dict[str, Any]:
    """Returns the same as one JSON value."""
    view = played.view
    return {
        "demo": True,
        "label": " ".join(LABEL.split()),
        "ok": played.verdict.good,
        "problems": list(played.verdict.problems),
        "spectask": view.id,
        "state": view.state,
        "repository": str(played.repository),
        "state_folder": str(played.state) if played.state else "",
        "sandboxed": played.sandboxed,
        "events": played.events,
        "seconds": round(played.seconds, 2),
        "cost_usd": str(view.spend.cost_usd),
        "verified": played.verified,
        "merged": view.merged,
        "tasks": [task.model_dump(mode="json") for task in view.tasks],
        "sessions": [each.model_dump(mode="json") for each in view.sessions],
        "planning": [each.model_dump(mode="json") for each in view.planning],
        "versions": [version.model_dump(mode="json") for version in view.versions],
        "branches": view.branches.model_dump(mode="json"),
        "look": list(commands_to_look(played)),
    }
