"""The page that moves while work goes on: each SpecTask with its bar, its phases, what it needs and what its sessions do, as far as the screen reaches."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.spinner import Spinner
from rich.text import Text

from specthread.cli.outcome import clean
from specthread.cli.pages import bar, name_text, need_line, state_text
from specthread.cli.screen import money, span
from specthread.protocol.wire_progress import ActivityView, PhaseView
from specthread.protocol.wire_view import SpecTaskSummary

MOVING = frozenset({"pending", "starting", "running", "interrupted", "verifying", "merging"})
"""States in which a run goes on by itself."""
_HEARD = 160
"""Characters kept of what a run says."""
_SAID_SECONDS = 4.0
"""How long what a run says is shown in place of what it did last."""
_BARS = {60: 12, 90: 20, 10_000: 30}
"""How wide a bar is on a screen of at most so many columns."""
_NARROW = 60
_STATE = 13
"""Columns of a run's state: the longest word with its shape."""


class LivePage:
    """What is known, and how it looks now; drawn anew several times a second."""

    def __init__(self, hint: str = "") -> None:
        self._spectasks: Sequence[SpecTaskSummary] | None = None
        self._shown = time.monotonic()
        self._said: dict[str, tuple[float, str]] = {}
        self._spinner = Spinner("dots", style="blue")
        self._hint = hint

    def show(self, spectasks: Sequence[SpecTaskSummary]) -> None:
        """Takes what the daemon says now."""
        self._spectasks, self._shown = spectasks, time.monotonic()

    def hear(self, run: str, text: str) -> None:
        """Keeps the end of what a run says."""
        before = self._said.get(run, (0.0, ""))[1]
        self._said[run] = (time.monotonic(), (before + clean(text).replace("\n", " "))[-_HEARD:])

    def forget(self, run: str) -> None:
        """Drops what a run said: the call that said it broke."""
        self._said.pop(run, None)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields lines that fit the screen in both directions."""
        width, height = options.max_width, max(console.height - 2, 1)
        if self._spectasks is None:  # nothing was heard yet
            return
        blocks = [(self._head(each, width), self._details(each, console, width)) for each in self._spectasks]
        foot = [Text(), Text(self._hint, style="bright_black")] if self._hint else []
        lines = fitted(blocks, height - len(foot)) or [Text("Nothing goes on, and nobody needs you.", style="bright_black")]
        for line in [*lines, *foot]:
            line.truncate(width, overflow="ellipsis")
            line.no_wrap = True
            yield line

    def _head(self, spectask: SpecTaskSummary, width: int) -> list[Text]:
        progress = spectask.progress
        name = Text.assemble(name_text(spectask), "  ", state_text(spectask.state))
        size = next(size for most, size in _BARS.items() if width < most)
        done = Text.assemble(bar(progress.percent, size), f" {progress.percent:>3} %  ", clean(progress.left))
        cost = Text(f"  {money(spectask.cost_usd, spectask.unknown_calls)}", style="bright_black")
        return [name + cost, Text("  ") + done]

    def _details(self, spectask: SpecTaskSummary, console: Console, width: int) -> list[Text]:
        progress = spectask.progress
        phases = [Text("  ") + phases_text(progress.phases)]
        phases += [Text("    ") + phases_text(phase.phases) for phase in progress.phases if phase.phases]
        needs = [need_line(need) for need in spectask.needs]
        asking = {need.run for need in spectask.needs}
        runs = list(self._runs([each for each in progress.activities if each.run not in asking], console, width))
        why = [] if needs or runs else [Text(f"  {clean(spectask.why)}")]
        return [*needs, *phases, *runs, *why]

    def _runs(self, activities: Iterable[ActivityView], console: Console, width: int) -> Iterable[Text]:
        passed = time.monotonic() - self._shown
        rows = [(each, each.run.rpartition("/")[2], f"task {each.task}" if each.task else each.role) for each in activities]
        names = max((len(name) for _, name, _ in rows), default=0)
        abouts = max((len(about) for _, _, about in rows), default=0)
        for each, name, about in rows:
            moves = str(self._spinner.render(console.get_time())) if each.status in MOVING else "◆"
            line = Text.assemble("  ", (moves, "blue" if each.status in MOVING else "yellow"), f" {name:<{names}}  {about:<{abouts}}  ")
            if width >= _NARROW:
                state = state_text(each.status)
                state.truncate(_STATE, pad=True)
                line = Text.assemble(line, state, "  ", (f"{span(each.seconds + passed):>7}", "bright_black"), "  ")
            yield line + Text(self._doing(each))

    def _doing(self, activity: ActivityView) -> str:
        heard, said = self._said.get(activity.run, (0.0, ""))
        fresh = activity.status in MOVING and time.monotonic() - heard < _SAID_SECONDS
        return said.strip() if fresh and said.strip() else clean(activity.text)


def phases_text(phases: Iterable[PhaseView]) -> Text:
    """Returns phases beside each other, each with its shape and what of it is done."""
    return Text("   ").join(_phase_text(phase) for phase in phases)


def _phase_text(phase: PhaseView) -> Text:
    shape, style = ("✔", "green") if phase.percent == 100 else ("◐", "blue") if phase.percent else ("◌", "bright_black")  # noqa: PLR2004  all of it
    count = f" {phase.done}/{phase.total}" if phase.total > 1 else ""
    return Text(f"{shape} {clean(phase.title)}{count}", style=style)


def fitted(blocks: Sequence[tuple[list[Text], list[Text]]], height: int) -> list[Text]:
    """Returns heads and details in so many lines: every head first, then details from the top; what is left out is counted."""
    whole = sum(len(head) + len(details) for head, details in blocks)
    apart = [Text()] if whole + len(blocks) - 1 <= height else []
    room = height - sum(len(head) for head, _ in blocks)
    lines: list[Text] = []
    for head, details in blocks:
        kept = details if len(details) <= room or apart else details[: max(room - 1, 0)]
        left_out = len(details) - len(kept)
        lines += [*(apart if lines else ()), *head, *kept]
        if left_out and room > 0:
            lines.append(_more(left_out))
        room -= len(kept) + bool(left_out)
    return lines if len(lines) <= height else [*lines[: height - 1], _more(len(lines) - height + 1)]


def _more(count: int) -> Text:
    return Text(f"  … {count} more line{'' if count == 1 else 's'}", style="bright_black")
