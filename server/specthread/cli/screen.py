"""Where everything the command line says goes: pages or one JSON document on stdout, sentences about trouble on stderr."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.text import Text

OK, PROBLEM, USAGE, OUTSIDE = 0, 1, 2, 3
"""Exit codes: well; a problem found or a refusal; wrong use; the outside world failed."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PIPE_WIDTH = 140
_DAY = 86_400
_CENT = Decimal("0.01")


class Failure(Exception):  # noqa: N818  is what a person is told, not a kind of error
    """Ends a command: a code, what happened, what to do next, and the exit code."""

    def __init__(self, code: str, message: str, hint: str = "", *, status: int = PROBLEM) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.status = status


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


def sound_streams() -> None:
    """Makes the three standard streams usable: a closed one is replaced, and what an encoding cannot say is shown as a question mark."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  lives as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


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


def print_json(value: dict[str, Any]) -> None:
    """Prints the one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def fail(failure: Failure, arguments: list[str]) -> None:
    """Prints why a command ended; with `--json` among the arguments also as the document on stdout."""
    if "--json" in arguments:
        print_json({"error": {"code": failure.code, "message": failure.message, "hint": failure.hint}})
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text(clean(failure.message), style="bold red" if console.is_terminal else ""))
    if failure.hint:
        console.print(Text(clean(failure.hint)))


def note(sentence: str) -> None:
    """Says something beside the result, on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(clean(sentence), style="dim"))


def clean(text: str) -> str:
    """Returns text that cannot steer the terminal: agents and repositories write it too."""
    return _CONTROL.sub("", text)


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


def silence_stdout() -> None:
    """Keeps the interpreter from complaining at its end that nobody reads stdout any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
