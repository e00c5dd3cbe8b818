"""The trace table of the report, as Markdown that reads well on a forge."""

from __future__ import annotations

from collections.abc import Iterable

from specthread.domain.model import SpecTask
from specthread.views.trace import Mention, TraceIndex
from specthread.views.trace_rows import TraceRow, rows
from specthread.views.trace_spectask import home_of_spectask, merged_commits, with_spectask

_SHOWN = 3
_TITLE = 80
_GAPS = {"no-task": "**no task**", "no-test": "**no test**"}


def trace_table(spectask: SpecTask, trace: TraceIndex | None) -> str:
    """Returns the section: a row for each criterion; without an index of the code, what the SpecTask itself knows. Empty where nothing is required yet."""
    index = trace or with_spectask(TraceIndex(), spectask).with_commits(merged_commits(spectask))
    found = [part for row in rows(index, home_of_spectask(spectask)) for part in (row.criteria or (row,))]
    if not found:
        return ""
    names = ["Requirement", "Tasks", "Commits", *(["Code", "Tests"] if trace else [])]
    head = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return "\n".join(["## Trace", "", *head, *(_line(row, has_code=trace is not None) for row in found)])


def _line(row: TraceRow, *, has_code: bool) -> str:
    tasks = ", ".join(f"{task.id} ({task.state.replace('_', ' ')})" for task in row.tasks)
    commits = ", ".join(f"`{commit.oid[:12]}`" for commit in row.commits)
    cells = [f"{row.symbol.id} {_cut(row.title)}", tasks or _gap(row, "no-task"), commits]
    if has_code:
        cells += [_places(row.code), _places(row.tests) or _gap(row, "no-test")]
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _gap(row: TraceRow, gap: str) -> str:
    return _GAPS[gap] if gap in row.gaps else ""


def _places(mentions: Iterable[Mention]) -> str:
    places = list(dict.fromkeys(f"`{each.path}:{each.marker.span.line}`" for each in mentions if each.is_sure))
    more = f", {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(places[:_SHOWN]) + more


def _cut(title: str) -> str:
    return title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"


def _cell(text: str) -> str:
    """Words of a document or a file's name, harmless inside a table."""
    return text.replace("|", "\\|").replace("\n", " ").encode("utf-8", "replace").decode()
