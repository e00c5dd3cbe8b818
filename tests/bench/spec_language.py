"""Spec documents in an editor and on the command line: how long a keystroke takes to be checked, beside other language servers, and a folder."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from bench import keystroke, spec_check
from bench.keystroke import Change, Open
from bench.measure import Figure, compared, in_turn, median, p99, spread
from bench.peers import AbsentError, program
from bench.spec_documents import NOTE, REQUIREMENTS, python_module, requirements, tasks

BIN = Path(sys.executable).parent
SERVER = [str(BIN / "specthread"), "lsp", "--standalone"]
LENGTH, LONG = 2_000, 20_000
KEYS = 400
"""Keys of prose."""
BLOCK = 10
CHANGES = {"key in prose": 120, "key in a reference": 120, "new line": 120, "code fence": 30}
"""Changes of each kind in documents of both lengths."""
MIDDLE_LIMIT_MS, TAIL_LIMIT_MS = 2.0, 10.0
PROSE = NOTE

Step = Callable[[], Awaitable[object]]


def figures() -> list[Figure]:
    """Returns the figures of the spec language."""
    with tempfile.TemporaryDirectory() as name:
        return [*asyncio.run(_keys(Path(name))), *spec_check.figures()]


async def _keys(folder: Path) -> list[Figure]:
    async with AsyncExitStack() as stack:
        text, long_text = tasks(LENGTH).decode(), tasks(LONG).decode()
        ours = await stack.enter_async_context(keystroke.served(SERVER, _spec(folder, "usual", text), text))
        peers, absent = await _peers(stack, folder)
        mine, *theirs = await in_turn(
            [ours.presses(keystroke.prose(text, PROSE)), *peers.values()], rounds=KEYS // BLOCK, block=BLOCK, warm=3
        )
        figures = [_key(mine), *(_beside(name, mine, taken) for name, taken in zip(peers, theirs, strict=True)), *absent]
        long = await stack.enter_async_context(keystroke.served(SERVER, _spec(folder, "long", long_text), long_text))
        for kind, changes in _KINDS.items():
            steps = [ours.presses(changes(text)), long.presses(changes(long_text))]
            usual, many = await in_turn(steps, rounds=CHANGES[kind] // BLOCK, block=BLOCK, warm=1)
            figures.append(compared(f"{kind}, {LONG:,} lines", many, usual, peer_name=f"{LENGTH:,} lines"))
    return figures


_KINDS: Mapping[str, Callable[[str], Iterator[Change]]] = {
    "key in prose": lambda text: keystroke.prose(text, PROSE),
    "key in a reference": keystroke.reference,
    "new line": lambda text: keystroke.new_line(text, PROSE),
    "code fence": keystroke.fence,
}


def _spec(folder: Path, name: str, text: str) -> Path:
    spec = folder / ".specs" / name
    _written(spec / "requirements.md", requirements().decode())
    return _written(spec / "tasks.md", text)


async def _peers(stack: AsyncExitStack, folder: Path) -> tuple[dict[str, Step], list[Figure]]:
    """Returns the same typing in documents that other servers have open, and a row for each that cannot be had here."""
    found: dict[str, Step] = {}
    absent: list[Figure] = []
    for name, opened in {"ruff server": _ruff, "vscode-markdown-languageserver": _markdown}.items():
        try:
            found[name] = await opened(stack, folder / "peers")
        except AbsentError as error:
            absent.append(Figure(name=f"key in prose, {LENGTH:,} lines, beside {name}", measured="", floor=str(error)))
    return found, absent


async def _ruff(stack: AsyncExitStack, folder: Path) -> Step:
    argv = [program("ruff", BIN), "server"]
    text = python_module(LENGTH)
    opened = await stack.enter_async_context(keystroke.served(argv, _written(folder / "parts.py", text), text, "python"))
    return opened.presses(keystroke.prose(text, PROSE))


async def _markdown(stack: AsyncExitStack, folder: Path) -> Step:
    text = tasks(LENGTH).decode() + "\n[nowhere]: ./nowhere.md\n"
    opened: Open = await stack.enter_async_context(keystroke.served_by_markdown(_written(folder / "tasks.md", text), text))
    return opened.presses(keystroke.prose(text, PROSE))


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _key(taken: list[float]) -> Figure:
    return Figure(
        name=f"key in prose to diagnostics, {LENGTH:,} lines beside {REQUIREMENTS} requirements",
        target=f"≤ {MIDDLE_LIMIT_MS:g} ms median, ≤ {TAIL_LIMIT_MS:g} ms p99",
        measured=spread(taken),
        holds=median(taken) <= MIDDLE_LIMIT_MS and p99(taken) <= TAIL_LIMIT_MS,
        numbers={"median": median(taken), "p99": p99(taken)},
    )


def _beside(name: str, mine: list[float], taken: list[float]) -> Figure:
    told = {"vscode-markdown-languageserver": ", its client's parsing not counted"}.get(name, "")
    return compared(f"key in prose, {LENGTH:,} lines{told}", mine, taken, peer_name=name)
