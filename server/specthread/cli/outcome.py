"""How a command line ends: exit codes, the failure that ends it, and what is said then. Loads nothing but the standard library.

Results go to stdout, as pages or as one JSON document; sentences about trouble go to stderr.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any, TextIO

OK, PROBLEM, USAGE, OUTSIDE = 0, 1, 2, 3
"""Exit codes: well; a problem found or a refusal; wrong use; the outside world failed."""

_INTERRUPTED = 130
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Failure(Exception):  # noqa: N818  is what a person is told, not a kind of error
    """Ends a command: a code, what happened, what to do next, and the exit code."""

    def __init__(self, code: str, message: str, hint: str = "", *, status: int = PROBLEM) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.status = status


def carried_out(verb: Callable[[], int], arguments: list[str]) -> int:
    """Carries out one command line and returns its exit code, whatever goes wrong; never raises."""
    sound_streams()
    try:
        status = _carried_out(verb, arguments)
        sys.stdout.flush()
    except OSError as error:
        silence_stdout()
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"The output cannot be written: {error.strerror}.\n")
        return OUTSIDE
    return status


def _carried_out(verb: Callable[[], int], arguments: list[str]) -> int:
    try:
        _require_folder()
        return verb()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OUTSIDE
    except Failure as failure:
        fail(failure, arguments)
        return failure.status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        silence_stdout()
        return OUTSIDE
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        fail(Failure("system", f"The system refused: {error.strerror or error}{place}.", "Put that right and try again."), arguments)
        return OUTSIDE
    except Exception as error:  # noqa: BLE001  the last resort: a person never sees a traceback
        fail(Failure("internal", f"This failed because of a mistake in Specthread: {error!r}", _kept(), status=OUTSIDE), arguments)
        return OUTSIDE


def _require_folder() -> None:
    try:
        os.getcwd()  # noqa: PTH109  only whether there is one
    except FileNotFoundError:
        raise Failure("no-folder", "The folder you are in was deleted.", "Go to another one and try again.", status=OUTSIDE) from None


def _kept() -> str:
    """Returns where the details of a mistake were written."""
    import traceback  # noqa: PLC0415  only a mistake needs it
    from pathlib import Path  # noqa: PLC0415  the same

    from specthread import shim  # noqa: PLC0415  the same

    file = Path(shim.state_folder(os.environ)) / "cli-error.log"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{sys.argv!r}\n{traceback.format_exc()}", encoding="utf-8", errors="replace")
    except OSError:
        return "The details could not be written down: the state folder cannot be written to."
    return f"The details are in {file}; please report them."


def sound_streams() -> None:
    """Makes the three standard streams usable: a closed one is replaced, and what an encoding cannot say is shown as a question mark."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  lives as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def print_json(value: dict[str, Any]) -> None:
    """Prints the one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def fail(failure: Failure, arguments: list[str]) -> None:
    """Prints why a command ended; with `--json` among the arguments also as the document on stdout."""
    if "--json" in arguments:
        print_json({"error": {"code": failure.code, "message": failure.message, "hint": failure.hint}})
    message = clean(failure.message)
    sys.stderr.write(f"\x1b[1;31m{message}\x1b[0m\n" if has_colours(sys.stderr) else f"{message}\n")
    if failure.hint:
        sys.stderr.write(f"{clean(failure.hint)}\n")


def has_colours(stream: TextIO) -> bool:
    """Tells whether a stream leads to a terminal whose owner wants colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def clean(text: str) -> str:
    """Returns text that cannot steer the terminal: agents and repositories write it too."""
    return _CONTROL.sub("", text)


def silence_stdout() -> None:
    """Keeps the interpreter from complaining at its end that nobody reads stdout any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
