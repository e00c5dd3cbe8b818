"""Where everything the command line says goes: pages or one JSON document on stdout, sentences about trouble on stderr."""

from __future__ import annotations

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


class Failure(Exception):  # noqa: N818  is what a person is told, not a kind of error
    """Ends a command: a code, what happened, what to do next, and the exit code."""

    def __init__(self, code: str, message: str, hint: str = "", *, status: int = PROBLEM) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.status = status


def console() -> Console:
    """Returns the console of stdout; where that is no terminal, lines are wide and plain."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def is_terminal() -> bool:
    """Tells whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def show(as_json: bool, value: dict[str, Any], page: Callable[[], RenderableType]) -> None:  # noqa: FBT001  is the option itself
    """Prints a result: the value as JSON, or the page."""
    if as_json:
        print_json(value)
    else:
        console().print(page())


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
    return f"${amount:.2f}{' + unknown' if unknown_calls else ''}"


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
