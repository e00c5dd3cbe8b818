"""Live progress: one line per run and a feed of what happens, until the SpecTask ends, or needs a human where that is asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from specthread.cli.ask import ask_history, ask_on, make, new_key, told
from specthread.cli.client import Client
from specthread.cli.outcome import OUTSIDE, Failure, clean
from specthread.cli.pages import event_line, first_line, state_text
from specthread.cli.screen import console, money, span
from specthread.protocol import wire
from specthread.protocol.wire_result import Done, RunResult
from specthread.protocol.wire_view import EventView, NeedView, SessionView, SpecTaskView

ENDED = frozenset({"done", "failed", "cancelled", "archived"})
QUIET_EVENTS = frozenset({"CallStarted", "CallFinished", "ToolFinished", "TranscriptCommitted", "RecordCommitted", "RunReady"})
"""Events that move a line but are no news of their own."""

ASKING = frozenset({"question", "permission", "budget", "task"})
"""Needs that an answer ends."""

_MOVING = frozenset({"pending", "starting", "running", "interrupted", "verifying", "merging"})
_TICK_LENGTH = 60
_TROUBLE_SECONDS = 15.0
"""How long a trouble may last before it is a person's: what is tried again after a second or two mostly passes."""
_REFRESH = 0.5

Ends = Callable[[SpecTaskView], bool]


def until_ended(view: SpecTaskView) -> bool:
    """Tells whether the SpecTask is over."""
    return view.state in ENDED


def until_needed() -> Ends:
    """Returns what tells whether a human is asked something, or needed while nothing else goes on; a trouble that does not pass needs one too."""
    since: dict[str, float] = {}

    def needed(view: SpecTaskView) -> bool:
        if view.state in ENDED or any(need.kind in ASKING for need in view.needs):
            return True
        now = time.monotonic()
        for trouble in since.keys() - {view.trouble}:
            del since[trouble]
        if view.trouble and now - since.setdefault(view.trouble, now) > _TROUBLE_SECONDS:
            return True
        waits = any(need.kind != "trouble" for need in view.needs)
        return waits and not any(run.status in _MOVING for run in (*view.planning, *view.sessions))

    return needed


def follow(client: Client, spectask: str, ends: Ends) -> SpecTaskView:
    """Shows live progress on stdout and returns the SpecTask as it is at the end."""
    page = _Page()
    if not sys.stdout.isatty():
        plain = console()
        plain.print(clean(ask_on(client, "show", wire.SpecTaskParams(id=spectask), SpecTaskView).why), soft_wrap=True)
        return _follow(client, spectask, ends, lambda event: plain.print(event_line(event), soft_wrap=True), page)
    with Live(page, console=console(), refresh_per_second=8, transient=True) as live:
        return _follow(client, spectask, ends, lambda event: live.console.print(event_line(event)), page)


def follow_silently(client: Client, spectask: str, ends: Ends) -> SpecTaskView:
    """Waits for the end without a word."""
    return _follow(client, spectask, ends, lambda _: None, _Page())


def answer_at_terminal(client: Client, view: SpecTaskView) -> bool:
    """Asks the person the first open question of a SpecTask and sends the answer; tells whether there was one."""
    asked = next((need for need in view.needs if need.kind in ASKING), None)
    if asked is None:
        return False
    if asked.kind == "task":
        return _yes_at_terminal(client, view.id, asked)
    out = console()
    out.print(Text(f"◆ {asked.run.rpartition('/')[2]} asks: {clean(asked.text)}", style="yellow"))
    for number, choice in enumerate(asked.choices, 1):
        out.print(Text(f"  {number}. {clean(choice)}"))
    typed = ""
    while not typed:
        typed = out.input("> ").strip()
    ask_on(client, "answer", make(wire.AnswerParams, target=asked.run, text=typed, question=asked.question, key=new_key()), Done)
    return True


def _yes_at_terminal(client: Client, spectask: str, asked: NeedView) -> bool:
    """Asks whether a task of an interactive run may begin; tells whether the person said anything but that they leave."""
    out = console()
    out.print(Text(f"◆ {clean(asked.text)}", style="yellow"))
    typed = ""
    while typed not in {"y", "s", "l"}:
        typed = out.input("  [y]es, [s]kip it, or [l]eave it waiting: ", markup=False).strip().lower()[:1]
    if typed == "y":
        ask_on(client, "run", make(wire.RunParams, id=spectask, tasks=[asked.task], key=new_key()), RunResult)
    elif typed == "s":
        ask_on(client, "skip", make(wire.SkipParams, id=spectask, task=asked.task, key=new_key()), Done)
    else:
        out.print(Text(f"It waits; `specthread run {spectask} --task {asked.task}` lets it begin."))
    return typed != "l"


def _follow(client: Client, spectask: str, ends: Ends, tell: Callable[[EventView], None], page: _Page) -> SpecTaskView:
    with told():
        client.watch(spectask)
    view = page.view = ask_on(client, "show", wire.SpecTaskParams(id=spectask), SpecTaskView)
    while not ends(view):
        if _take_notes(client, tell, page) or view.trouble:
            view = page.view = ask_on(client, "show", wire.SpecTaskParams(id=spectask), SpecTaskView)
    # The page may be ahead of the feed.
    for event in ask_history(client, spectask, since=client.seen):
        _tell_news(event, tell)
    return view


def _take_notes(client: Client, tell: Callable[[EventView], None], page: _Page) -> bool:
    """Takes what has come, and tells whether the state may have changed."""
    changed, timeout = False, _REFRESH
    while True:
        with told():
            note = client.next_note(timeout)
        if note is None:
            return changed
        timeout = 0
        changed |= note["method"] != "specthread/tick"
        _take(note, tell, page)


def _take(note: dict[str, Any], tell: Callable[[EventView], None], page: _Page) -> None:
    if note["method"] == "specthread/event":
        _tell_news(EventView.model_validate(note["params"]), tell)
    elif note["method"] == "specthread/tick":
        page.hear(note["params"]["run"], note["params"]["text"])
    elif note["method"] == "specthread/stopping":
        hint = "`specthread daemon start` takes the work up again where it stopped."
        raise Failure("daemon-stopped", "The daemon was stopped while this was followed.", hint, status=OUTSIDE)


def _tell_news(event: EventView, tell: Callable[[EventView], None]) -> None:
    if event.kind not in QUIET_EVENTS:
        tell(event)


class _Page:
    """The moving part of the screen; drawn anew several times a second."""

    def __init__(self) -> None:
        self.view: SpecTaskView | None = None
        self._said: dict[str, str] = {}
        self._began = time.monotonic()
        self._spinner = Spinner("dots", style="blue")

    def hear(self, run: str, text: str) -> None:
        """Keeps the end of what a run says."""
        self._said[run] = (self._said.get(run, "") + clean(text).replace("\n", " "))[-_TICK_LENGTH:]

    def __rich__(self) -> RenderableType:
        """Returns the head and one line per run that is not over."""
        view = self.view
        if view is None:
            return Text("")
        done = f"{view.merged + view.skipped}/{view.total} tasks" if view.total else "planning"
        head = Text.assemble((view.id, "bold"), "  ", state_text(view.state), f"  {done}  {money(view.spend.cost_usd)}  ")
        head.append(span(time.monotonic() - self._began), style="bright_black")
        runs = [run for run in (*view.planning, *view.sessions) if run.completed is None]
        return Group(head, self._lines(runs), Text(clean(view.why)))

    def _lines(self, runs: list[SessionView]) -> Table:
        made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for run in runs:
            moves: RenderableType = self._spinner if run.status in _MOVING else Text("◆", style="yellow")
            says = self._said.get(run.id) or run.why
            made.add_row(moves, run.id.rpartition("/")[2], run.task or run.role, state_text(run.status), first_line(says))
        return made
