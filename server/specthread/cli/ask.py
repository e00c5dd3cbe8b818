"""From a verb to the daemon and back: every way in which that can fail becomes a sentence and an exit code."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from pydantic import ValidationError

from specthread import shim
from specthread.cli.client import Client, RequestError
from specthread.cli.outcome import OUTSIDE, PROBLEM, USAGE, Failure
from specthread.protocol import wire, wire_params
from specthread.protocol.complaint import complaint
from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_result import HistoryResult
from specthread.protocol.wire_view import EventView

T = TypeVar("T", bound=Wire)
P = ParamSpec("P")

_WORDS = {
    "id": ("No SpecTask is named.", "`specthread list` shows their ids; a unique beginning is enough."),
    "target": ("Nothing is named.", "Name a SpecTask, or a run such as ws-1; `specthread list` shows them."),
    "task_usd": ("`--task-budget` must be an amount of dollars, 0 or more.", ""),
    "run_usd": ("`--session-budget` must be an amount of dollars, 0 or more.", ""),
    "budget_usd": ("`--budget` must be an amount of dollars, 0 or more.", ""),
    "max_parallel": ("`--max-parallel` must be a number from 1 to 64.", ""),
    "flow": ("`--flow` is feature, bugfix, refactor or quick.", ""),
    "line": ("Lines count from 1.", "Name a document and a line: requirements.md:12."),
    "feature": ("That is no commit: it takes 7 or more hex digits.", "`specthread show` and `git log` print them."),
}
_STATUS = {wire.REFUSED: PROBLEM, wire.BAD_PARAMS: USAGE}


def connect() -> Client:
    """Returns a client for the state folder of this environment; the daemon is started when it is first asked."""
    return Client(os.environ, cwd=Path.cwd())


def running() -> Client | None:
    """Returns a client of a daemon that runs already, or None."""
    client = Client(os.environ, cwd=Path.cwd(), start=False)
    with told():
        return client if client.attach() else None


def ask(verb: str, params: Wire, result: type[T]) -> T:
    """Asks the daemon one thing."""
    return ask_on(connect(), verb, params, result)


def ask_on(client: Client, verb: str, params: Wire, result: type[T]) -> T:
    """Asks the daemon one thing on a connection that is used further."""
    with told():
        return client.ask(verb, params, result)


def ask_history(client: Client, spectask: str, *, run: str = "", since: int = 0) -> list[EventView]:
    """Asks for all events of a SpecTask after `since`, page by page."""
    events: list[EventView] = []
    while True:
        page = ask_on(client, "history", make(wire_params.HistoryParams, id=spectask, run=run, since=since), HistoryResult)
        events += page.events
        if not page.more:
            return events
        since = page.events[-1].seq


def make(build: Callable[P, T], *args: P.args, **params: P.kwargs) -> T:
    """Builds params from what a person typed; what does not fit is wrong use."""
    try:
        return build(*args, **params)
    except ValidationError as error:
        refusal = complaint("This command", error)
        field = str(error.errors(include_url=False)[0]["loc"][0])
        raise Failure(refusal.code, *_WORDS.get(field, (refusal.message, refusal.hint)), status=USAGE) from error


def new_key() -> str:
    """Returns an idempotency key for one command of a person."""
    return uuid.uuid4().hex


@contextmanager
def told() -> Iterator[None]:
    """Turns what the connection raises into a Failure."""
    try:
        yield
    except RequestError as error:
        refusal = error.refusal
        raise Failure(refusal.code, refusal.message, refusal.hint, status=_STATUS.get(error.code, OUTSIDE)) from error
    except shim.AttachError as error:
        raise Failure("no-daemon", error.message, error.hint, status=OUTSIDE) from error
    except ConnectionError as error:
        hint = "Try again; `specthread daemon logs` may say why."
        raise Failure("connection-lost", "The daemon went away before it answered.", hint, status=OUTSIDE) from error
