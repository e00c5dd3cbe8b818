"""Dependency graphs written into a tasks document: waves of tasks as JSON in a code fence, in every shape that is in use.

Shapes: `{"waves": [{"id": 0, "tasks": ["1.1"]}]}`, `{"wave": 1, "tasks": […]}`, waves with `depends_on`, waves as bare arrays, tasks as objects
with an `id`, and `T1 --> T2` or mermaid arrows, where each arrow is an edge.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from specthread.spec.source import Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Waves:
    """Task ids wave by wave, or edges (prerequisite, dependent) where the graph is drawn with arrows; `line` is that of the fence."""

    waves: tuple[tuple[str, ...], ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    line: int


def waves_in(lines: Lines) -> Waves | None:
    """The first graph in a fence on these lines."""
    title = ""
    above = 0
    for first, last in _fences(lines):
        title = next((line.heading.title for line in reversed(lines[above:first]) if line.heading), title)
        above = first
        body = "\n".join(line.text for line in lines[first + 1 : last])
        if '"waves"' in body and (waves := _from_json(body)):
            return Waves(waves=waves, line=first + 1)
        if _GRAPH_HEADING.search(title) and (edges := tuple(_arrows(body))):
            return Waves(edges=edges, line=first + 1)
    return None


TASK_ID = re.compile(r"(?:(?:Tasks?|T)[ _-]?)?(?P<id>[0-9]{1,6}(?:\.[0-9]{1,6}){0,7}[a-z]?)\.?", re.IGNORECASE)
_GRAPH_HEADING = re.compile(r"(?:Task )?Dependenc(?:y|ies)|依赖|依賴|依存|의존|Dependencia|Зависимост", re.IGNORECASE)
LABEL = re.compile(
    r"(?:Tasks?[ _]?|T)?(?P<node>[0-9]{1,6})[\[({]+\"?(?P<id>[0-9]{1,6}(?:\.[0-9]{1,6}){0,7}[a-z]?)(?=[.:]?[ \t\])}\"])", re.IGNORECASE
)
ARROW = re.compile(r"(?:Tasks?[ _]?|T)?(?P<one>[0-9]{1,6}(?:\.[0-9]{1,6}){0,7}[a-z]?)(?:[\[({\"][^\n]{0,200}?[\])}\"])?[ \t]*(?:--+>|==+>|->|→)[ \t]*"
                    r"(?=(?:Tasks?[ _]?|T)?(?P<other>[0-9]{1,6}(?:\.[0-9]{1,6}){0,7}[a-z]?)\b)", re.IGNORECASE)  # fmt: skip


def _fences(lines: Lines) -> Iterator[tuple[int, int]]:
    first = None
    for index, line in enumerate(lines):
        in_fence = line.mark == "fence"
        if in_fence and first is None:
            first = index
        elif first is not None and (not in_fence or index == len(lines) - 1):
            yield first, index
            first = None


def _from_json(body: str) -> tuple[tuple[str, ...], ...]:
    start = body.find("{")
    try:
        value, _ = json.JSONDecoder().raw_decode(body[start:])
    except (ValueError, RecursionError):
        return ()
    waves = value.get("waves") if isinstance(value, dict) else None
    found = (tuple(_task_ids(wave)) for wave in waves) if isinstance(waves, list) else ()
    return tuple(wave for wave in found if wave)


def _task_ids(wave: object) -> Iterator[str]:
    entries = wave.get("tasks") if isinstance(wave, dict) else wave
    for entry in entries if isinstance(entries, list) else ():
        name = entry.get("id") if isinstance(entry, dict) else entry
        if isinstance(name, str | int | float) and (found := TASK_ID.fullmatch(str(name).strip())):
            yield found["id"]


def _arrows(body: str) -> Iterator[tuple[str, str]]:
    """The edges; a node with a label that starts with a number (`T4[1.3 Tests]`) stands for that task."""
    labels = {found["node"]: found["id"] for found in LABEL.finditer(body)}
    for found in ARROW.finditer(body):
        yield labels.get(found["one"], found["one"]), labels.get(found["other"], found["other"])
