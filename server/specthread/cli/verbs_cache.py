"""Verbs about the daemon's cache: daemon cache, and cache export, import and clear."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from specthread.cli.outcome import clean
from specthread.cli.screen import Json, console, show

cache = typer.Typer(help="Show how the cache of what was read before does; copy it, take a copy in, or empty it.")


@cache.callback(invoke_without_command=True)
def show_cache(context: typer.Context, *, as_json: Json = False) -> None:
    """Show how the cache of what was read before does; copy it, take a copy in, or empty it."""
    if context.invoked_subcommand is None:
        _ask("show", as_json=as_json)


@cache.command("export")
def export(file: Annotated[Path, typer.Argument(help="A new file for the copy.")], *, as_json: Json = False) -> None:
    """Copy the cache into a new file."""
    _ask("export", file=file, as_json=as_json)


@cache.command("import")
def import_file(file: Annotated[Path, typer.Argument(help="A file that was exported.")], *, as_json: Json = False) -> None:
    """Take in a copy. Planners read what is in it: take in only files whose origin you know."""
    _ask("import", file=file, as_json=as_json)


@cache.command("clear")
def clear(
    pattern: Annotated[str, typer.Argument(help="Which keys, as a pattern of file names, such as 'read/*'.")] = "*",
    *,
    as_json: Json = False,
) -> None:
    """Forget what is in the cache. It costs the time to find it again, and nothing else."""
    _ask("clear", pattern=pattern, as_json=as_json)


def _ask(action: str, *, file: Path | None = None, pattern: str = "*", as_json: bool) -> None:
    from specthread.cli.ask import ask, make  # noqa: PLC0415  `daemon run` needs no client
    from specthread.cli.cache_page import cache_page  # noqa: PLC0415  the same
    from specthread.protocol.wire_locks import CacheParams, CacheResult  # noqa: PLC0415  the same

    named = str(file.absolute()) if file else ""
    params = make(CacheParams, action=action, file=named, pattern=pattern)  # type: ignore[arg-type]  # one of them, as written above
    result = ask("cache", params, CacheResult)
    if as_json or not result.text:
        show(as_json, result.model_dump(mode="json"), lambda: cache_page(result))
    else:
        console().print(Text(clean(result.text)), soft_wrap=True)
