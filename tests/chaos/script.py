"""The model of the chaos run: what its planner writes, and what its sessions do. What it says follows from the conversation alone.

Each step of a session adds a line to a file of its task. The line names the run and the turn, so whatever is carried out twice stands there twice. Every call is noted
in a file beside the disk before it is answered, in one write that a kill cannot cut.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

from specthread.agents.backend import ModelRequest, Reply, ToolResult, ToolUse
from specthread.agents.scripted import opening, say, spoken, use
from support.engine_world import DESIGN, REQUIREMENTS, plan, task

STEPS = 3
"""Lines that a task's file must have."""
TASKS = 4
ASKS, SPAWNS, LOCKS = "1", "2", "4"
"""The task that asks its human, the one that spawns a session and waits for it, and the one that takes a resource in the middle of its work, where it may be too slow.

Task 2 has a resource from the start, and task 3 waits for both 1 and 2.
"""
TIME, TOO_LONG = 8, 20
"""Seconds that the last task may take, and that its first try may dawdle."""
CHECKER = f"""import sys

lines = open(f"parts/{{sys.argv[1]}}.txt").read().splitlines()
sys.exit(len(lines) < {STEPS})
"""
SLOWEST = 0.4
"""Seconds that a reply or a step takes at most; everything takes some, so that a fault finds something in the middle of it."""


def _task(number: str, depends: str = "none", uses: str = "") -> str:
    return task(number, f"Write part {number}", f"python3 checker.py {number}", files=f"parts/{number}.txt", depends=depends, uses=uses)


DOCUMENTS = {
    "requirements": REQUIREMENTS,
    "design": DESIGN,
    "tasks": plan(
        _task(ASKS),
        _task(SPAWNS, uses="database:test"),
        _task("3", depends="1, 2"),
        _task(LOCKS, depends="1") + f"  - _Timeout: {TIME}s_\n",
    ),
}


class ChaosModel:
    """Plays all roles, and notes each call as `run turn attempt` in `calls`."""

    name: ClassVar[str] = "chaos"

    def __init__(self, calls: Path) -> None:
        self._calls = os.open(calls, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Says in two pieces what comes next."""
        os.write(self._calls, f"{request.run} {request.turn} {request.attempt}\n".encode())
        pause = random.Random(f"{request.run} {request.turn}").uniform(0, SLOWEST / 2)
        for piece in ("I go on ", "where I was."):
            on_text(piece)
            await asyncio.sleep(pause)
        following = _planned(request) if request.role == "planner" else _worked(request)
        return spoken(request, say("I go on where I was."), following)


def line_of(run: str, turn: int) -> str:
    """Returns the line that the step of a turn adds."""
    return f"{run} {turn}"


def _planned(request: ModelRequest) -> ToolUse:
    written = {call.input["document"] for call in _done(request) if call.name == "write_document"}
    missing = [name for name in DOCUMENTS if name not in written]
    return use("write_document", document=missing[0], text=DOCUMENTS[missing[0]]) if missing else use("finish", summary="Planned.")


def _worked(request: ModelRequest) -> ToolUse:
    told = opening(request)
    number = told.partition("# Task ")[2].partition(":")[0]
    done = list(_done(request))
    since = max((place for place, call in enumerate(done) if call.name == "finish"), default=-1) + 1
    steps = sum("parts/" in call.input.get("command", "") for call in done[since:])
    used = {call.input.get("action", call.name) for call in done}
    if number == ASKS and steps == 1 and "ask" not in used:
        return use("ask", question=f"May {request.run} go on?", choices=["Yes", "No"])
    if number == SPAWNS and steps == 1 and "spawn" not in used:
        return use("coordinate", action="spawn", text=f"Write a part for {line_of(request.run, request.turn)}")
    if number == SPAWNS and steps == STEPS and "wait" not in used:
        return use("coordinate", action="wait")
    if number == LOCKS and steps == 1 and "lock" not in used:
        return use("lock", resource="custom:printer")
    if steps == STEPS:
        return use("finish", summary=f"Wrote part {number}.")
    if (
        number == LOCKS
        and steps == 2
        and "# An earlier try" not in told
        and not _dawdled(done)
        and random.Random(request.run).random() < 0.5
    ):
        return use("shell", command=f"sleep {TOO_LONG}")
    pause = random.Random(f"{request.turn} {request.run}").uniform(0, SLOWEST)
    file = f"parts/{number}.txt"
    return use("shell", command=f"mkdir -p parts && echo {line_of(request.run, request.turn)} >> {file} && sleep {pause:.2f}")


def _dawdled(done: list[ToolUse]) -> bool:
    return any(call.input.get("command") == f"sleep {TOO_LONG}" for call in done)


def _done(request: ModelRequest) -> Iterator[ToolUse]:
    """Yields the tool calls of the conversation that went well, in order; finishing has gone well where the work was sent back, and what others are told is told once."""
    calls: dict[str, ToolUse] = {}
    for message in request.messages:
        for block in message.content:
            if isinstance(block, ToolUse):
                calls[block.id] = block
            elif isinstance(block, ToolResult) and (not block.is_error or calls[block.tool_use_id].name in {"finish", "coordinate"}):
                yield calls[block.tool_use_id]
