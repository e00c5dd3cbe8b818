"""Which forges a person uses, and the token that each of them gets, and no other host.

A token is looked for each time it is needed: in the environment, else `gh` or `glab` is asked, where one is installed. It is kept nowhere.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from specgit.forge import PUBLIC, ForgeAddress, ForgeHost
from specthread.agents.process import run_process
from specthread.agents.retry import FORGE, RetryPolicy

EVERY = 300.0
"""Seconds between two looks at an open pull request."""
QUIET = 10.0
"""Seconds that changes are gathered before its text is brought up to date."""
TOKENS = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITLAB_TOKEN")
"""The variables that may hold one; what they hold is shown to nobody."""

_ASKED_SECONDS = 20.0
_LONGEST = 4000
_TOKEN = re.compile(r"[\x21-\x7e]{8,1000}")
_SHARED = ("PATH", "HOME", "USER", "LANG", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
_SETTINGS = ("GH_CONFIG_DIR", "GLAB_CONFIG_DIR")


async def _no_token(_: ForgeAddress) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forges:
    """The forges by host, where their tokens come from (nothing where there is none), and how often an open pull request is looked at."""

    hosts: Mapping[str, ForgeHost] = field(default_factory=lambda: MappingProxyType(dict(PUBLIC)))
    token: Callable[[ForgeAddress], Awaitable[str]] = _no_token
    every: float = EVERY
    quiet: float = QUIET
    retry: RetryPolicy = FORGE
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random


def token_of(environ: Mapping[str, str]) -> Callable[[ForgeAddress], Awaitable[str]]:
    """Returns what finds a token: the environment's, else the one that `gh` or `glab` keeps."""

    async def found(address: ForgeAddress) -> str:
        return _from_environment(address, environ) or await _from_program(address, environ)

    return found


def _from_environment(address: ForgeAddress, environ: Mapping[str, str]) -> str:
    """A token without the name of a host is meant for the public one; for another one its program's own variable must name it."""
    if address.kind == "gitlab":
        meant = environ.get("GITLAB_HOST") or "gitlab.com"
        return environ.get("GITLAB_TOKEN", "") if meant.removeprefix("https://").rstrip("/") == address.host else ""
    if address.host == "github.com":
        return environ.get("GH_TOKEN") or environ.get("GITHUB_TOKEN") or ""
    if environ.get("GH_HOST") != address.host:
        return ""
    return environ.get("GH_ENTERPRISE_TOKEN") or environ.get("GITHUB_ENTERPRISE_TOKEN") or ""


async def _from_program(address: ForgeAddress, environ: Mapping[str, str]) -> str:
    name = "gh" if address.kind == "github" else "glab"
    program = shutil.which(name, path=environ.get("PATH", os.defpath))
    if program is None:
        return ""
    question: Sequence[str] = (
        ("auth", "token", "--hostname", address.host) if name == "gh" else ("config", "get", "token", "--host", address.host)
    )
    kept = {key: environ[key] for key in (*_SHARED, *_SETTINGS) if key in environ}
    try:
        # Away from any repository, whose config could say how the program behaves.
        done = await run_process(
            (program, *question),
            cwd=Path("/"),
            environment={**kept, "NO_COLOR": "1", "GH_PROMPT_DISABLED": "1"},
            timeout=_ASKED_SECONDS,
            output_limit=_LONGEST,
        )
    except OSError:
        return ""
    line = done.output.strip()
    return line if done.exit_code == 0 and _TOKEN.fullmatch(line) else ""
