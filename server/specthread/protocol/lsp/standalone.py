"""`specthread lsp --standalone`: the language features alone, in the editor's own process, without a daemon and without anything that needs one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from lsprotocol import types as lsp

from specthread import __version__, config
from specthread.check_settings import settings_above
from specthread.domain.model import Refusal, State
from specthread.engine.trace import Traces
from specthread.protocol.encode import EventBodies
from specthread.protocol.lsp import actions, documents, edit_actions, language, language_edit
from specthread.protocol.lsp.arguments import arguments_from
from specthread.protocol.lsp.editor import Editor
from specthread.protocol.lsp.frames import BoundedWriter, FrameError, read_body
from specthread.protocol.lsp.session import Presence, Session
from specthread.protocol.port import EnginePort, Ports
from specthread.protocol.visitor import Visitor
from specthread.protocol.wire import LINE_LIMIT, Hello
from specthread.spec.levels import CheckSettings
from specthread.views.trace import RootedTrace, TraceRules, rules_of


@dataclass(frozen=True, slots=True)
class _NoEngine:
    """An engine that knows no SpecTask; the features that are installed ask for nothing else."""

    visible: State = field(default_factory=State)
    instance: str = ""


def serve() -> int:
    """Serves one editor on standard input and output until it goes, and returns the exit code."""
    return asyncio.run(_serve())


async def _serve() -> int:
    reader, writer = await _streams()
    bounded = BoundedWriter(writer)
    # Nothing is on a desk here: no path lies below the null device.
    traces = Traces(_rules_at, asyncio.get_running_loop().time)
    alone = _Alone(
        engine=cast("EnginePort", _NoEngine()), state_folder=Path(os.devnull), trace_at=traces.at, check_settings_at=settings_above
    )
    ports = cast("Ports", alone)
    hello = Hello(specthread=1, role="lsp", version=__version__, cwd=str(Path.cwd()), client="standalone", pid=os.getpid())
    editor = Editor(bounded, lambda name, given: _execute(session, name, given))
    session = Session(
        editor=editor, ports=ports, visitor=Visitor(hello, ports), presence=Presence(), clients=lambda: 1, bodies=EventBodies()
    )
    documents.install(session)
    language.install(session)
    language_edit.install(session)
    actions.install(session, (edit_actions.actions,))
    editor.command(edit_actions.FIX_ALL_COMMAND)(_announced)
    try:
        while not editor.ended and (body := await read_body(reader)) is not None:
            editor.take(body)
            if bounded.is_behind:
                await bounded.wait_room()
    except FrameError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        await session.close()
        with contextlib.suppress(ConnectionError):
            await writer.drain()
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alone:
    engine: EnginePort
    state_folder: Path
    trace_at: Callable[[Path], Awaitable[RootedTrace | None]]
    check_settings_at: Callable[[Path], CheckSettings]


def _rules_at(checkout: Path) -> TraceRules:
    """Returns what is chosen for a checkout; what is wrong in a settings file is told by `specthread doctor`."""
    return rules_of(**asdict(config.load(checkout, os.environ).settings.trace))


def _announced(*_: object) -> None:
    """Stands for a command in the announcement; `_execute` carries it out."""


def _execute(session: Session, name: str, given: list[Any]) -> None:
    """Begins the one command that needs nothing but the editor; every other one needs the daemon, and says so."""
    arguments = arguments_from(given)
    if isinstance(arguments, Refusal):
        session.refuse(arguments)
    elif name == edit_actions.FIX_ALL_COMMAND:
        session.begin(session.tell(edit_actions.fix_all(session, arguments), name))
    else:
        session.editor.say(f"{name} needs the daemon; this editor runs `specthread lsp --standalone`.", lsp.MessageType.Warning)


async def _streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
