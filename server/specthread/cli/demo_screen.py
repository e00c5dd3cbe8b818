"""What the demo shows on stderr while it plays: the human's commands as they are typed, a feed of events, and one line per document set and session."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from specthread.agents.sandbox import SandboxProbe
from specthread.cli.follow import QUIET_EVENTS
from specthread.cli.outcome import clean
from specthread.cli.pages import event_line, first_line, state_text
from specthread.cli.screen import money, span
from specthread.protocol.wire_view import EventView, SpecTaskView

LABEL = "DEMO  no model is used, nothing here was reasoned: agents and human follow a script."
REAL = "Engine, git, worktrees{sandbox}, checks and merges are the real ones."
_WIDTH = 140
_HEARD = 80
_WRITTEN = ("◌", "☑")
_LINTED = re.compile(r"^- (line \d+: (?:error|warning) \S+: .+)$", re.MULTILINE)


class DemoScreen:
    """Writes to stderr; on a terminal a few lines at the bottom move, elsewhere there are only lines that stay."""

    def __init__(self) -> None:
        self.view: SpecTaskView | None = None
        plain = Console(stderr=True, highlight=False)
        self._console = plain if plain.is_terminal else Console(stderr=True, highlight=False, width=_WIDTH)
        self._heard: dict[str, str] = {}
        self._told = 0
        self._began = time.monotonic()

    @property
    def moves(self) -> bool:
        """Tells whether somebody can watch the lines that move."""
        return self._console.is_terminal

    @property
    def seconds(self) -> float:
        """Returns how long the demo has been playing."""
        return time.monotonic() - self._began

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows the lines that move, where somebody can see them."""
        if not self.moves:
            yield
            return
        with Live(self, console=self._console, refresh_per_second=8, transient=True):
            yield

    def head(self, probed: SandboxProbe) -> None:
        """Says what this is, and why there is no sandbox, where there is none."""
        self._console.print(Text(LABEL, style="bold yellow"))
        self._console.print(Text(REAL.format(sandbox=", sandbox" if probed.available else ""), style="bright_black"))
        if not probed.available:
            words = f"UNSANDBOXED  the demo's own commands run without a sandbox: {clean(probed.reason)}"
            self._console.print(Text(words, style="bold red"), soft_wrap=True)

    def type(self, command: str) -> None:
        """Shows a command of the human."""
        self._console.print(Text.assemble(("$ ", "bright_black"), (clean(command), "bold")), soft_wrap=True)

    def tell(self, event: EventView) -> None:
        """Shows an event the first time it comes, unless it only moves a line."""
        if event.seq <= self._told:
            return
        self._told = event.seq
        if event.kind == "CallLost":
            self._heard.pop(event.payload["run"], None)
        if event.kind not in QUIET_EVENTS:
            self._console.print(event_line(event), soft_wrap=True)
        for found in _LINTED.findall(str(event.payload.get("content", ""))) if event.kind == "ToolFinished" else ():
            self._console.print(Text(f"          the linter, {clean(found)}", style="yellow"), soft_wrap=True)

    def hear(self, run: str, text: str) -> None:
        """Keeps the end of what a run says."""
        before = self._heard.get(run, "")
        gap = " " if before.endswith((".", "?", ":")) else ""
        self._heard[run] = (before + gap + clean(text).replace("\n", " "))[-_HEARD:]

    def note(self, sentence: str) -> None:
        """Says something beside the story."""
        self._console.print(Text(clean(sentence), style="bright_black"), soft_wrap=True)

    def __rich__(self) -> RenderableType:
        """Returns the lines that move."""
        view = self.view
        if view is None:
            return Text("")
        head = Text.assemble(
            ("DEMO ", "yellow"), (view.id, "bold"), "  ", state_text(view.state), f"  {view.merged}/{view.total or '?'} merged  "
        )
        head.append(f"{money(view.spend.cost_usd)}  {span(self.seconds)}", style="bright_black")
        documents = Text("  ".join(f"{_WRITTEN[bool(each.digest)]} {each.name}" for each in view.documents), style="bright_black")
        return Group(Text(), head, documents, self._runs(view), first_line(view.why))

    def _runs(self, view: SpecTaskView) -> Table:
        lines = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for run in [*view.planning, *view.sessions]:
            if run.completed is None:
                said = self._heard.get(run.id) if run.status in {"starting", "running"} else run.why
                lines.add_row(run.id.rpartition("/")[2], run.task or run.role, state_text(run.status), first_line(said or run.why))
        return lines
