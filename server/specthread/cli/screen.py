"""Where the pages of the command line go: to the screen, or plainly into a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from specthread.cli.outcome import clean, print_json

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_PIPE_WIDTH = 140
_DAY = 86_400
_CENT = Decimal("0.01")


def console() -> Console:
    """Returns the console of stdout; where that is a pipe, lines are plain and as wide as the terminal it may lead to."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _pipe_width())


def _pipe_width() -> int:
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stderr.fileno()).columns)
    except (OSError, ValueError):
        return _PIPE_WIDTH


def is_terminal() -> bool:
    """Tells whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def show(as_json: bool, value: dict[str, Any], page: Callable[[], RenderableType]) -> None:  # noqa: FBT001  is the option itself
    """Prints a result: the value as JSON, or the page."""
    if as_json:
        print_json(value)
    else:
        show_page(page())


def show_page(page: RenderableType) -> None:
    """Prints a page; into a pipe without the blanks that only fill a screen."""
    out = console()
    if out.is_terminal:
        out.print(page, crop=False)
        return
    with out.capture() as captured:
        out.print(page, crop=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def note(sentence: str) -> None:
    """Says something beside the result, on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(clean(sentence), style="dim"))


def money(amount: Decimal, unknown_calls: int = 0) -> str:
    """Returns an amount with two decimals, and whether something is missing in it."""
    if unknown_calls and not amount:
        return "unknown"
    known = "<$0.01" if 0 < amount < _CENT else f"${amount:.2f}"
    return f"{known} + unknown" if unknown_calls else known


def span(seconds: float) -> str:
    """Returns a duration in its two largest units."""
    whole = int(seconds)
    if whole < 60:  # noqa: PLR2004  seconds of a minute
        return f"{whole}s"
    if whole < 3600:  # noqa: PLR2004  seconds of an hour
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def moment(time: datetime) -> str:
    """Returns a time: of day when it was within a day, with the date before that."""
    local = time.astimezone()
    recent = abs((datetime.now(tz=local.tzinfo) - local).total_seconds()) < _DAY
    return local.strftime("%H:%M:%S" if recent else "%Y-%m-%d %H:%M")
