"""The MCP server over HTTP, where a person asks for it: on this machine alone, for whoever reads the token in the state folder.

A token and not the loopback address is the boundary: a browser, other users, and sandboxes that share the network reach that address, too.
"""

from __future__ import annotations

import hmac
import os
import secrets
import socket
import stat
import sys
from pathlib import Path
from typing import Any

import uvicorn

from specthread.protocol.mcp.server import Offer, server_for

HOST = "127.0.0.1"
PORT = 47391
"""The port where nobody names one; clients are told of it once, so it stays the same."""
PATH = "/mcp"
TOKEN = "mcp-token"  # noqa: S105  the name of the file

App = Any
"""An application as ASGI has it."""


class NotServedError(Exception):
    """Says why nothing is served: no token that can be trusted, or no free port."""


def token_in(state: Path) -> str:
    """Returns the token that clients must show, from a file that only its user can read; made where there is none. Raises NotServedError."""
    file = state / TOKEN
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _is_private(file):
            known = file.read_text(encoding="ascii").strip()
            if known:
                return known
        file.unlink(missing_ok=True)
        made = secrets.token_urlsafe(32)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w", encoding="ascii") as opened:
            opened.write(f"{made}\n")
    except (OSError, UnicodeDecodeError) as error:
        raise NotServedError(f"The token file {file} cannot be used: {error}. Delete it, and try again.") from error
    return made


def _is_private(file: Path) -> bool:
    """Tells whether the file is there and nobody else can have read it."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def guarded(app: App, token: str, port: int) -> App:
    """Returns the application behind its door: other hosts, pages of other origins, and whoever lacks the token are turned away before a byte is read."""
    hosts = {f"{name}:{port}" for name in (HOST, "localhost")}

    async def guard(scope: dict[str, Any], receive: App, send: App) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        given: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            given.setdefault(name, []).append(value.decode("latin-1"))
        status, sentence = _judged(given, hosts, token)
        if status:
            await _refuse(send, status, sentence)
        else:
            await app(scope, receive, send)

    return guard


def _judged(given: dict[bytes, list[str]], hosts: set[str], token: str) -> tuple[int, str]:
    if given.get(b"host") not in [[host] for host in hosts]:
        return 421, "This server answers to its own address on this machine alone."
    if given.get(b"origin", [""]) not in [[""], *([f"http://{host}"] for host in hosts)]:
        return 403, "Pages of other origins are not served."
    shown = given.get(b"authorization", [])
    if len(shown) != 1 or not hmac.compare_digest(shown[0].encode(), f"Bearer {token}".encode()):
        return 401, f"Show the token in the file {TOKEN} of the state folder, as `Authorization: Bearer …`."
    return 0, ""


async def _refuse(send: App, status: int, sentence: str) -> None:
    body = sentence.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status == 401:  # noqa: PLR2004  the one that says how to come in
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def serve_http(offer: Offer, state: Path, port: int) -> None:
    """Serves clients at `http://127.0.0.1:<port>/mcp` until it is told to stop. Raises NotServedError."""
    token = token_in(state)
    listener = listening_at(port)
    app = server_for(offer).streamable_http_app(streamable_http_path=PATH, host=HOST)
    config = uvicorn.Config(guarded(app, token, port), log_level="warning", access_log=False, ws="none")
    sys.stderr.write(f"MCP is served at http://{HOST}:{port}{PATH}. Clients show the token in {state / TOKEN}. Ctrl-C ends it.\n")
    sys.stderr.flush()
    await uvicorn.Server(config).serve(sockets=[listener])


def listening_at(port: int) -> socket.socket:
    """Returns a socket that listens at a port of this machine alone. Raises NotServedError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise NotServedError(f"Port {port} cannot be used: {error.strerror}. Name another one with --port.") from error
    return listener
