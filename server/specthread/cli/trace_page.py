"""The trace in a terminal: a table of requirements by tasks, commits, code and tests, and all that is known of one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from specthread.cli.outcome import clean
from specthread.cli.pages import first_line, table
from specthread.protocol.wire_result import TraceResult
from specthread.protocol.wire_trace import MentionView, TraceRowView

_SHOWN = 3
"""Entries of a cell; all of them are told of one requirement, and in JSON."""
_TITLE = 36
_GAPS = {"no-task": "✖ no task", "no-test": "✖ no test"}


def matrix_page(result: TraceResult) -> RenderableType:
    """Returns the table: a row for each criterion, with gaps marked."""
    if not result.requirements:
        return Text(f"{clean(result.spec)} has no requirements yet.")
    made = table("Requirement", "Tasks", "Commits", "Code", "Tests")
    made.columns[0].max_width = _TITLE
    for column in made.columns[3:]:
        column.overflow = "fold"
    for whole in result.requirements:
        _add(made, whole, "bold")
        for row in whole.criteria:
            _add(made, row, "")
    return Group(made, Text(), _summary(result))


def detail_page(result: TraceResult) -> RenderableType:
    """Returns everything about each row, with the lines of code as they read."""
    return Group(*(part for row in result.requirements for part in _details(row)), _summary(result))


def _add(made: Table, row: TraceRowView, style: str) -> None:
    title = first_line(f"{row.id} {row.title if row.title != row.id else ''}")
    name = Text.assemble("" if style else "  ", (title.plain, style), no_wrap=True, overflow="ellipsis")
    if row.criteria:
        made.add_row(name)
        return
    commits = [each.oid[:7] for each in row.commits]
    cells = (_cell(_tasks(row), row, "no-task"), _cell(commits), _cell(_places(row.code)), _cell(_places(row.tests), row, "no-test"))
    made.add_row(name, *cells)


def _cell(entries: Sequence[str], row: TraceRowView | None = None, gap: str = "") -> Text:
    if row is not None and gap in row.gaps:
        return Text("\n".join([_GAPS[gap], *entries[:_SHOWN]]), style="yellow")
    more = [f"+{len(entries) - _SHOWN} more"] if len(entries) > _SHOWN else []
    return Text("\n".join([*map(clean, entries[:_SHOWN]), *more]))


def _tasks(row: TraceRowView) -> list[str]:
    return [f"{task.id} {task.state.replace('_', ' ')}" for task in row.tasks]


def _places(mentions: Iterable[MentionView]) -> list[str]:
    """Returns each place once; a question mark tells that another spec may be meant."""
    return list(dict.fromkeys(f"{each.path}:{each.line}{'' if each.sure else ' ?'}" for each in mentions))


def _details(row: TraceRowView) -> Iterator[RenderableType]:
    yield Text(f"{row.id} {clean(row.title)}", style="bold")
    yield Text(f"  {row.document}.md:{row.line}", style="bright_black")
    sections = {
        "Tasks": [f"{task.id} {task.state.replace('_', ' ')}  {task.title}" for task in row.tasks],
        "Properties": row.properties,
        "Sessions": [f"{each.id} {each.state}" for each in row.sessions],
        "Commits": [f"{each.oid[:7]} {each.subject}" for each in row.commits],
        "Code": _lines(row.code),
        "Tests": _lines(row.tests),
    }
    for name, entries in sections.items():
        if entries:
            yield Padding(Group(Text(name, style="bright_black"), *(Text(f"  {clean(each)}") for each in entries)), (0, 0, 0, 2))
    if row.gaps:
        yield Text(f"  {', '.join(_GAPS[gap] for gap in row.gaps)}", style="yellow")
    yield Text()
    for criterion in row.criteria:
        yield from _details(criterion)


def _lines(mentions: Iterable[MentionView]) -> list[str]:
    return [f"{each.path}:{each.line}{'' if each.sure else ' ?'}  {each.text}" for each in mentions]


def _summary(result: TraceResult) -> Text:
    gaps = [gap for whole in result.requirements for row in (whole, *whole.criteria) for gap in row.gaps]
    counted = [f"{gaps.count(gap)} without a {gap.removeprefix('no-')}" for gap in _GAPS if gap in gaps]
    told = f"{len(gaps)} gap{'' if len(gaps) == 1 else 's'}: {', '.join(counted)}." if gaps else "No gaps."
    if not any(row.code or row.tests for row in result.requirements):
        told += " No file speaks of these requirements; a comment or a test's name does with “Req 1.2”."
    if result.passed_over:
        files = f"{result.passed_over} file{'' if result.passed_over == 1 else 's'}"
        told += f" {files} passed over: binary, or too large."
    return Text(told, style="bright_black")
