"""A plan for a person at a terminal: its waves, the longest chain, what more places bring, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from shutil import get_terminal_size
from typing import Any, Final

from specthread.cli.outcome import clean


def plan_page(plan: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Returns the page of a plan as `plan_value` tells it; `titles` are the tasks' by number."""
    width = max(40, get_terminal_size().columns)
    return "".join(f"{line if len(line) <= width else f'{line[: width - 1]}…'}\n" for line in _lines(plan, titles)) + "".join(
        f"\n{problem['severity']}: {clean(problem['message'])} (line {problem['line']}, {problem['code']})\n"
        for problem in plan["problems"]
    )


_MOST_SHOWN: Final = 12


def _lines(plan: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    waves = plan["waves"]
    yield f"{_counted(plan['nodes'], 'task')}, {_counted(len(plan['edges']), 'dependency')} ({len(plan['reduced_edges'])} needed), {_counted(len(waves), 'wave')}"
    waits: dict[str, list[str]] = {}
    for before, node in plan["reduced_edges"]:
        waits.setdefault(node, []).append(before)
    critical = frozenset(plan["critical_path"])
    for number, wave in enumerate(waves, 1):
        yield ""
        yield f"wave {number}"
        for node in wave:
            behind = f"   after {_shortened(waits[node])}" if node in waits else ""
            mark = "▸" if node in critical else " "
            yield f"  {mark} {node}. {clean(titles.get(node, ''))}{behind}"
    yield ""
    yield f"longest chain  {_shortened(plan['critical_path'], ' → ') or 'none'}{'   by estimates' if plan['estimates'] else ''}"
    yield f"side by side   {plan['max_parallelism']} at most; with {plan['max_parallel']} sessions up to {plan['speed_up']:g} times as quick as one by one"
    if plan["soft_edges"]:
        pairs = [f"{one} and {other}" for one, other in plan["soft_edges"]]
        yield f"same files     {_shortened(pairs)} (nothing keeps them apart)"
    yield f"hash           {plan['hash'][:12]}"


def _shortened(names: Sequence[str], between: str = ", ") -> str:
    more = f"{between}… ({len(names)})" if len(names) > _MOST_SHOWN else ""
    return between.join(names[:_MOST_SHOWN]) + more


def _counted(number: int, word: str) -> str:
    if number == 1:
        return f"1 {word}"
    return f"{number:,} {word[:-1]}ies" if word.endswith("y") else f"{number:,} {word}s"
