"""`specthread mcp`: the daemon for agents of other programs."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specthread import shim
from specthread.cli.outcome import USAGE, Failure
from specthread.engine.doors import INSIDE

if TYPE_CHECKING:
    from specthread.protocol.mcp.server import Offer

PORT = 47391


def mcp(
    *,
    bound: Annotated[
        bool, typer.Option("--bound", help=f"For the session whose door is at {INSIDE}; so it is wherever there is one.")
    ] = False,
    http: Annotated[
        bool, typer.Option("--http", help="Over HTTP on this machine, with the token in the state folder, in place of stdin and stdout.")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=1024, max=65535, help="The port of --http.")] = PORT,
) -> None:
    """Serve an agent over the Model Context Protocol. Claude Code, VS Code, Cursor and others start this; it reaches the daemon, or starts it."""
    # Its libraries take a second, which no other verb need spend.
    from specthread.protocol.mcp import server  # noqa: PLC0415
    from specthread.protocol.mcp.link import through_the_door, to_the_daemon  # noqa: PLC0415

    inside = bound or Path(INSIDE).exists()
    if inside and http:
        raise Failure(
            "bad-option", "A session's door is for its own program: it is not served over HTTP.", "Leave out --http.", status=USAGE
        )
    offer = server.for_a_session(through_the_door()) if inside else server.for_a_person(to_the_daemon(os.environ, str(Path.cwd())))
    with contextlib.suppress(KeyboardInterrupt):
        if http:
            _over_http(offer, port)
        else:
            asyncio.run(server.serve_stdio(offer))


def _over_http(offer: Offer, port: int) -> None:
    from specthread.protocol.mcp import http  # noqa: PLC0415  loads a web server

    try:
        asyncio.run(http.serve_http(offer, Path(shim.state_folder(os.environ)), port))
    except http.NotServedError as error:
        raise Failure("not-served", str(error), status=3) from error
