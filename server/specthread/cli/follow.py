"""Live progress: a page that moves and a feed of what happens, until the SpecTask ends, or needs a human where that is asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from specthread.cli.ask import ask_history, ask_on, make, new_key, told
from specthread.cli.client import Client
from specthread.cli.keys import heed, keys
from specthread.cli.live import MOVING, LivePage
from specthread.cli.outcome import OUTSIDE, Failure, clean
from specthread.cli.pages import event_line
from specthread.cli.screen import console
from specthread.protocol import wire_params
from specthread.protocol.wire_result import Done, ListResult, RunResult
from specthread.protocol.wire_view import EventView, NeedView, SpecTaskView

ENDED = frozenset({"done", "failed", "cancelled", "archived"})
QUIET_EVENTS = frozenset({"CallStarted", "CallFinished", "ToolFinished", "TranscriptCommitted", "RecordCommitted", "RunReady"})
"""Events that move a line but are no news of their own."""

ASKING = frozenset({"question", "permission", "budget", "task"})
"""Needs that an answer ends."""

_TROUBLE_SECONDS = 15.0
"""How long a trouble may last before it is a person's: what is tried again after a second or two mostly passes."""
_REFRESH = 0.5
_AGE = 5.0
"""Seconds after which a page is asked for anew although nothing happened: what is left shrinks."""
_FRAMES = 4
"""How often a second the page is drawn."""

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
        return waits and not any(run.status in MOVING for run in (*view.planning, *view.sessions))

    return needed


def follow(client: Client, spectask: str, ends: Ends) -> SpecTaskView:
    """Shows live progress on stdout and returns the SpecTask as it is at the end. Raises Left when the person leaves before."""
    if not sys.stdout.isatty():
        plain = console()
        plain.print(clean(ask_on(client, "show", wire_params.SpecTaskParams(id=spectask), SpecTaskView).why), soft_wrap=True)
        return _follow(client, spectask, ends, lambda event: plain.print(event_line(event), soft_wrap=True), LivePage())
    with keys() as keyboard, _moving(keyboard) as (page, out):
        return _follow(client, spectask, ends, lambda event: out.print(event_line(event)), page, keyboard)


def follow_all(client: Client) -> None:
    """Shows on a terminal all SpecTasks that go on or need somebody. Raises Left when the person leaves; nothing else ends it."""
    with keys() as keyboard, _moving(keyboard) as (page, _):
        with told():
            client.watch_all()
        asked, changed = 0.0, True
        while True:
            passed = time.monotonic() - asked
            if passed > _AGE or (changed and passed > _REFRESH):
                asked, changed = time.monotonic(), False
                listed = ask_on(client, "list", wire_params.ListParams(), ListResult).spectasks
                page.show([each for each in listed if each.state not in ENDED or each.needs])
            changed |= _take_notes(client, lambda _: None, page, keyboard)


@contextmanager
def _moving(keyboard: Sequence[int]) -> Iterator[tuple[LivePage, Console]]:
    """Draws a page again and again; afterwards nothing is left of it, but what was printed above it stays."""
    page = LivePage("q leaves; the work goes on." if keyboard else "")
    with Live(page, console=console(), refresh_per_second=_FRAMES, transient=True) as live:
        yield page, live.console


def follow_silently(client: Client, spectask: str, ends: Ends) -> SpecTaskView:
    """Waits for the end without a word."""
    return _follow(client, spectask, ends, lambda _: None, LivePage())


def answer_at_terminal(client: Client, view: SpecTaskView) -> bool:
    """Asks the person the first open question of a SpecTask and sends the answer; tells whether there was one."""
    asked = next((need for need in view.needs if need.kind in ASKING), None)
    if asked is None:
        return False
    if asked.kind == "task":
        return _yes_at_terminal(client, view.id, asked)
    out = console()
    out.print(Text(f"◆ {f'{short} asks: ' if (short := asked.run.rpartition('/')[2]) else ''}{clean(asked.text)}", style="yellow"))
    for number, choice in enumerate(asked.choices, 1):
        out.print(Text(f"  {number}. {clean(choice)}"))
    typed = ""
    while not typed:
        typed = out.input("> ").strip()
    ask_on(
        client,
        "answer",
        make(wire_params.AnswerParams, target=asked.run or view.id, text=typed, question=asked.question, key=new_key()),
        Done,
    )
    return True


def _yes_at_terminal(client: Client, spectask: str, asked: NeedView) -> bool:
    """Asks whether a task of an interactive run may begin; tells whether the person said anything but that they leave."""
    out = console()
    out.print(Text(f"◆ {clean(asked.text)}", style="yellow"))
    typed = ""
    while typed not in {"y", "s", "l"}:
        typed = out.input("  [y]es, [s]kip it, or [l]eave it waiting: ", markup=False).strip().lower()[:1]
    if typed == "y":
        ask_on(client, "run", make(wire_params.RunParams, id=spectask, tasks=[asked.task], key=new_key()), RunResult)
    elif typed == "s":
        ask_on(client, "skip", make(wire_params.SkipParams, id=spectask, task=asked.task, key=new_key()), Done)
    else:
        out.print(Text(f"It waits; `specthread run {spectask} --task {asked.task}` lets it begin."))
    return typed != "l"


def _follow(
    client: Client, spectask: str, ends: Ends, tell: Callable[[EventView], None], page: LivePage, keyboard: Sequence[int] = ()
) -> SpecTaskView:
    with told():
        client.watch(spectask)
    view = _shown(client, spectask, page)
    asked = time.monotonic()
    while not ends(view):
        if _take_notes(client, tell, page, keyboard) or view.trouble or time.monotonic() - asked > _AGE:
            view, asked = _shown(client, spectask, page), time.monotonic()
    # The page may be ahead of the feed.
    for event in ask_history(client, spectask, since=client.seen):
        _tell_news(event, tell)
    return view


def _shown(client: Client, spectask: str, page: LivePage) -> SpecTaskView:
    view = ask_on(client, "show", wire_params.SpecTaskParams(id=spectask), SpecTaskView)
    page.show([view])
    return view


def _take_notes(client: Client, tell: Callable[[EventView], None], page: LivePage, keyboard: Sequence[int]) -> bool:
    """Takes what has come, and tells whether the state may have changed. Raises Left."""
    changed, timeout = False, _REFRESH
    while True:
        heed(keyboard)
        with told():
            note = client.next_note(timeout, keyboard)
        if note is None:
            heed(keyboard)
            return changed
        timeout = 0
        changed |= note["method"] != "specthread/tick"
        _take(note, tell, page)


def _take(note: dict[str, Any], tell: Callable[[EventView], None], page: LivePage) -> None:
    if note["method"] == "specthread/event":
        event = EventView.model_validate(note["params"])
        if event.kind == "CallLost":
            page.forget(event.payload["run"])
        _tell_news(event, tell)
    elif note["method"] == "specthread/tick":
        page.hear(note["params"]["run"], note["params"]["text"])
    elif note["method"] == "specthread/stopping":
        hint = "`specthread daemon start` takes the work up again where it stopped."
        raise Failure("daemon-stopped", "The daemon was stopped while this was followed.", hint, status=OUTSIDE)


def _tell_news(event: EventView, tell: Callable[[EventView], None]) -> None:
    if event.kind not in QUIET_EVENTS:
        tell(event)
