"""A run's port that keeps its journal in memory, gives it back as a history, and can stop at any entry, for tests of agents."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from specthread.agents.backend import ModelError, Permission, Reply, RunStopped, ToolResult, ToolSpec, ToolUse, Turn


class Crash(BaseException):
    """Stands for the end of the process."""


@dataclass(slots=True)
class Journal:
    """Is the engine's side of a run; `answers` are given to questions in order, `said` maps a turn to what is said after it.

    `missing` is said to a finish that cannot be taken; a question without an answer stops the run. What is not refused in `permits` is permitted.

    `crash_after` counts entries: with that many written, the next one is not, and the process ends. `stop_before_call` counts calls.
    """

    entries: list[tuple[Any, ...]] = field(default_factory=list)
    turns: dict[int, Turn] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    said: dict[int, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    permits: list[bool] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    crash_after: int | None = None
    stop_before_call: int | None = None

    def history(self) -> tuple[Turn, ...]:
        """Returns the turns as the engine would give them to a resumed run."""
        return tuple(self.turns[number] for number in sorted(self.turns))

    def kinds(self) -> list[str]:
        """Returns the kinds of the entries, in order."""
        return [entry[0] for entry in self.entries]

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        """Returns the entries of one kind, without the kind."""
        return [entry[1:] for entry in self.entries if entry[0] == kind]

    async def call_started(self, turn: int, attempt: int, reserve_usd: Decimal | None, sums_up: int = 0) -> None:
        if self.stop_before_call is not None and len(self.of("started")) >= self.stop_before_call:
            raise RunStopped("Paused by the human.")
        self._write("started", turn, attempt, reserve_usd)
        self.turns[turn] = replace(self.turns.get(turn) or Turn(number=turn, reply=None, sums_up=sums_up), attempts=attempt)

    async def call_finished(self, turn: int, reply: Reply, cost_usd: Decimal | None) -> None:
        self._write("finished", turn, reply, cost_usd)
        self.turns[turn] = replace(self.turns[turn], reply=reply)

    async def call_failed(self, turn: int, error: ModelError, cost_usd: Decimal | None) -> None:
        self._write("failed", turn, error)
        self.turns[turn] = replace(self.turns[turn], overflows=self.turns[turn].overflows + (error.kind == "too_long"))

    async def tool_finished(self, turn: int, result: ToolResult) -> None:
        self._write("tool", turn, result)
        self.turns[turn] = replace(self.turns[turn], results=(*self.turns[turn].results, result))

    def streamed(self, text: str) -> None:
        self.text.append(text)

    async def follow_ups(self, turn: int) -> tuple[str, ...]:
        said = tuple(self.said.pop(turn, ()))
        self.turns[turn] = replace(self.turns[turn], follow_up=self.turns[turn].follow_up + said)
        return said

    async def permit(self, tool: str, what: str, **request: Any) -> Permission:
        self._write("permitted", tool, what)
        self.requests.append(request)
        return Permission(given=self.permits.pop(0) if self.permits else True)

    def awaits_permission(self, tool_use_id: str) -> bool:
        return False

    async def ask(self, tool_use_id: str, question: str, choices: tuple[str, ...]) -> str:
        self._write("asked", tool_use_id, question, choices)
        if not self.answers:
            raise RunStopped("It waits for an answer.")
        return self.answers.pop(0)

    async def coordinate(self, call: ToolUse) -> ToolResult:
        self._write("coordinated", call.id, call.input)
        return ToolResult(tool_use_id=call.id, content="Done.")

    async def finish(self, tool_use_id: str, summary: str) -> str | None:
        self._write("done", tool_use_id, summary)
        return self.missing.pop(0) if self.missing else None

    def _write(self, *entry: Any) -> None:
        if self.crash_after is not None and len(self.entries) >= self.crash_after:
            raise Crash
        self.entries.append(entry)


@dataclass(slots=True)
class RecordingToolbox:
    """Is a toolbox whose tools do one given thing and whose uses are remembered."""

    specs: tuple[ToolSpec, ...]
    do: Callable[[ToolUse], str] = lambda call: f"{call.name} done"
    used: list[ToolUse] = field(default_factory=list)

    async def use(self, call: ToolUse) -> ToolResult:
        self.used.append(call)
        return ToolResult(tool_use_id=call.id, content=self.do(call))
