"""The linter as a tool: `specthread check` in a process of its own, over files that the agent can read; no daemon is needed for it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from specthread.protocol.mcp.link import Link, ToolError
from specthread.protocol.mcp.pages import SHOWN_PROBLEMS
from specthread.protocol.mcp.tool import Told, text, tool

SECONDS = 60.0


async def _checked(_: Link, given: Mapping[str, Any]) -> Told:
    path = Path(given.get("path", "."))
    if not await asyncio.to_thread(path.exists):
        raise ToolError(f"There is nothing at {path}. Name a spec folder, a document of one, or a folder above them.")
    command = [sys.executable, "-m", "specthread", "check", "--format", "json", "--", str(path)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, said = await process.communicate()
    except TimeoutError as error:
        raise ToolError(f"The check took longer than {SECONDS:.0f} seconds. Name a smaller folder.") from error
    finally:
        if process.returncode is None:
            process.kill()
    try:
        found = json.loads(out)
    except ValueError as error:
        raise ToolError(said.decode(errors="replace").strip() or "The linter said nothing.") from error
    if "problems" not in found:
        raise ToolError(found.get("error", {}).get("message") or out.decode(errors="replace").strip())
    return _page(found["problems"], found["troubles"])


def _page(problems: list[dict[str, Any]], troubles: list[Any]) -> Told:
    kept = [{name: each[name] for name in ("path", "line", "code", "severity", "message")} for each in problems]
    counts = {severity: sum(each["severity"] == severity for each in kept) for severity in ("error", "warning", "info")}
    lines = [f"{each['path']}:{each['line']}: {each['severity']}: {each['message']} ({each['code']})" for each in kept[:SHOWN_PROBLEMS]]
    more = [f"… and {len(kept) - SHOWN_PROBLEMS} more."] if len(kept) > SHOWN_PROBLEMS else []
    words = "\n".join([*lines, *more, *map(str, troubles)]) or "Nothing is wrong with the documents."
    return Told(text=words, data={"counts": counts, "problems": kept[:SHOWN_PROBLEMS], "troubles": troubles})


CHECK = tool(
    "check_documents",
    "Check spec documents",
    "Checks spec documents (requirements, design, tasks; Specthread, Kiro, spec-kit, OpenSpec and others) with the linter and says what is wrong where. "
    "Changes nothing. Use it after writing or editing such documents.",
    _checked,
    required={},
    optional={"path": text("A spec folder, one document, or a folder above them; without it, the folder this server was started in.")},
    reads=True,
)
