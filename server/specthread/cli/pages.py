"""What the views look like in a terminal: one table or page each, calm and dense.

Every state has a shape, a colour and its word; every wait has its sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from specthread.cli.outcome import clean
from specthread.cli.screen import moment, money, span
from specthread.protocol.wire_result import ListResult, RebuildResult, RunResult
from specthread.protocol.wire_view import (
    CommentView,
    DocumentView,
    EventView,
    NeedView,
    SessionView,
    SpecTaskSummary,
    SpecTaskView,
    TaskView,
)

_LOOKS = {
    "pending": ("◌", "bright_black"),
    "open": ("◌", "bright_black"),
    "backlog": ("◌", "bright_black"),
    "blocked": ("▣", "bright_black"),
    "archived": ("▣", "bright_black"),
    "starting": ("◐", "blue"),
    "running": ("◐", "blue"),
    "implementing": ("◐", "blue"),
    "in_progress": ("◐", "blue"),
    "planning": ("✎", "blue"),
    "revising": ("✎", "blue"),
    "waiting": ("◆", "yellow"),
    "spec_review": ("◉", "yellow"),
    "implementation_review": ("◉", "yellow"),
    "verifying": ("▨", "cyan"),
    "claimed": ("▨", "cyan"),
    "verified": ("☑", "green"),
    "approved": ("☑", "green"),
    "merging": ("⋎", "magenta"),
    "merged": ("⋎", "magenta"),
    "done": ("✔", "green"),
    "completed": ("✔", "green"),
    "failed": ("✖", "red"),
    "stuck": ("▲", "dark_orange"),
    "paused": ("‖", "bright_black"),
    "cancelled": ("⊘", "bright_black"),
    "interrupted": ("↯", "bright_black"),
    "skipped": ("⊘", "bright_black"),
}
_APPROVALS = {
    "missing": ("◌ not written", "bright_black"),
    "none": ("◉ to be approved", "yellow"),
    "recording": ("◐ recording…", "blue"),
    "valid": ("☑ approved", "green"),
    "void": ("◆ changed after approval", "yellow"),
}


def state_text(state: str) -> Text:
    """Returns a state as shape, colour and word."""
    shape, style = _LOOKS.get(state, ("·", ""))
    return Text(f"{shape} {state.replace('_', ' ')}", style=style)


def name_text(spectask: SpecTaskSummary) -> Text:
    """Returns a SpecTask's name; what a script plays is never taken for real work."""
    return Text.assemble((spectask.id, "bold"), (" DEMO" if spectask.agent == "demo" else "", "yellow"))


def bar(percent: int, width: int) -> Text:
    """Returns how much is done as a bar that says so without colours too."""
    done = width * percent // 100
    return Text.assemble(("━" * done, "blue" if percent < 100 else "green"), ("─" * (width - done), "bright_black"))  # noqa: PLR2004  all of it


_BAR = 24


def plain(text: str) -> Text:
    """Returns somebody's text, harmless."""
    return Text(clean(text))


def first_line(text: str) -> Text:
    """Returns the first line of somebody's text, to be cut at its end."""
    line = Text(clean(text.strip().partition("\n")[0]))
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def table(*headings: str) -> Table:
    """Returns an empty table without lines."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for heading in headings:
        made.add_column(heading)
    return made


class Told:
    """Rows in columns, each with a sentence of its own below it that is as wide as the screen. Names are never cut: only the last column gives way."""

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[Text | str]], sentences: Sequence[str]) -> None:
        self._rows = [[Text(heading, style="bright_black") for heading in headings], *([_text(cell) for cell in row] for row in rows)]
        self._sentences = ["", *sentences]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields the headings and the rows with their sentences."""
        widths = [max(cell.cell_len for cell in column) + 2 for column in zip(*self._rows, strict=True)]
        room = max(options.max_width - sum(widths[:-1]), _NARROWEST)
        for row, sentence in zip(self._rows, self._sentences, strict=True):
            *cells, last = (cell.copy() for cell in row)
            for cell, width in zip(cells, widths, strict=False):
                cell.truncate(width, pad=True)
            last.truncate(room, overflow="ellipsis")
            yield Text.assemble(*cells, last, no_wrap=True, overflow="ignore")
            if sentence:
                yield Padding(Text(clean(sentence), style="bright_black"), (0, 0, 0, 2))


_NARROWEST = 12
"""Columns that the last one keeps on any screen."""


def _text(cell: Text | str) -> Text:
    return cell if isinstance(cell, Text) else Text(clean(cell))


# --- list ---------------------------------------------------------------------------------------------------------------


def list_page(result: ListResult) -> RenderableType:
    """Returns the SpecTasks, each with the sentence below it that says what it waits for."""
    if not result.spectasks:
        return Text('No SpecTask yet. Say what you want:  specthread new "…"')
    rows = [
        (name_text(each), state_text(each.state), f"{each.progress.percent:>3} %", _count(each), money(each.cost_usd, each.unknown_calls))
        for each in result.spectasks
    ]
    sentences = [" · ".join(filter(None, (each.why, each.progress.left))) for each in result.spectasks]
    return Told(("SpecTask", "State", "Done", "Tasks", "Cost"), rows, sentences)


def _count(spectask: SpecTaskSummary) -> str:
    return f"{spectask.merged + spectask.skipped}/{spectask.total}" if spectask.total else "-"


def made_page(view: SpecTaskView) -> RenderableType:
    """Returns what is told about a SpecTask just made."""
    warnings = [Text(f"! {clean(warning)}", style="yellow") for warning in view.warnings]
    doing = f"Took over {view.adopted} ({view.dialect}) as " if view.adopted else "Planning "
    head = Text.assemble(clean(doing), (view.id, "bold"), f" from {view.base[:7]}.")
    then = f"specthread review {view.id}   shows it" if view.adopted else f"specthread watch {view.id}   follows it"
    return Group(head, *warnings, Text(then, style="bright_black"))


def rebuilt_page(result: RebuildResult) -> RenderableType:
    """Returns what was found in git, with what cannot be read and why."""
    words = {"rebuilt": "read back", "known": "known already", "damaged": "not readable"}
    rows = [
        (Text(clean(each.spectask), style="bold"), Text(words[each.outcome]), state_text(each.state) if each.state else Text("-"))
        for each in result.spectasks
    ]
    table = Told(("SpecTask", "Found", "State"), rows, [each.reason for each in result.spectasks])
    return Group(*([table] if rows else []), Text(result.text))


# --- show ---------------------------------------------------------------------------------------------------------------


def spectask_page(view: SpecTaskView) -> RenderableType:
    """Returns everything about a SpecTask, what needs a human first."""
    parts: list[RenderableType] = [_head(view), *_needs(view.needs)]
    parts += _section("Documents", documents_table(view.documents) if view.documents else None)
    parts += _section("Tasks", tasks_table(view.tasks) if view.tasks else None)
    parts += _section("Sessions", sessions_table([*view.planning, *view.sessions]) if view.planning or view.sessions else None)
    open_comments = [comment for comment in view.comments if not comment.resolved]
    parts += _section("Comments", comments_block(open_comments) if open_comments else None)
    parts += _section("Where", _places(view))
    return Group(*parts)


def _head(view: SpecTaskView) -> RenderableType:
    title = Text.assemble(name_text(view), "  ", state_text(view.state))
    target = f" for {view.target}" if view.target else ""
    spent = f"{money(view.spend.cost_usd, view.spend.unknown_calls)} of {money(view.limits.stop_usd)}"
    skipped = f", {view.skipped} skipped" if view.skipped else ""
    adopted = f"adopted from {clean(view.adopted)} ({view.dialect}) · " if view.adopted else ""
    facts = (
        f"{adopted}from {view.base[:7]}{target} · {view.flow} · agent {view.agent} · {view.merged}/{view.total} merged{skipped} · {spent}"
    )
    done = Text.assemble(bar(view.progress.percent, _BAR), f" {view.progress.percent} %  {clean(view.progress.left)}")
    lines: list[RenderableType] = [title, first_line(view.prompt), done, plain(view.why), Text(facts, style="bright_black")]
    lines += [Text(f"! {clean(warning)}", style="yellow") for warning in view.warnings]
    if view.has_landed:
        lines.append(Text(f"{clean(view.target)} holds the finished work.", style="green"))
    if view.pull_request:
        said = f"Pull request: {clean(view.pull_request.url)} ({clean(view.pull_request.text)})"
        lines.append(Text(said, no_wrap=True, overflow="ignore"))
    if view.target_behind:
        lines.append(Text(f"! {clean(_moved(view))}", style="yellow"))
    return Group(*lines)


def _moved(view: SpecTaskView) -> str:
    commits = f"{view.target_behind} commit{'' if view.target_behind == 1 else 's'}"
    conflicts = f"; it would conflict in {', '.join(view.target_conflicts)}" if view.target_conflicts else ""
    merges = f" `specthread sync {view.id}` merges it in, with all checks." if view.branches.feature else ""
    return f"{view.target} has moved on by {commits} since{conflicts}.{merges}"


def _needs(needs: Iterable[NeedView]) -> list[RenderableType]:
    lines: list[RenderableType] = [need_line(need) for need in needs]
    return [Text(), Text("Needs you", style="bold yellow"), *lines] if lines else []


def need_line(need: NeedView) -> Text:
    """Returns what a person is needed for, and what they can choose from."""
    name = f"{need.run.rpartition('/')[2]}  " if need.run else ""
    choices = f"  [{' | '.join(need.choices)}]" if need.choices else ""
    return Text(f"  ◆ {name}{clean(need.text)}{clean(choices)}", style="yellow")


def _section(title: str, body: RenderableType | None) -> list[RenderableType]:
    return [] if body is None else [Text(), Text(title, style="bold"), Padding(body, (0, 0, 0, 2))]


def documents_table(documents: Iterable[DocumentView]) -> Table:
    """Returns documents with the version to name in `approve`."""
    made = table("Document", "Version", "Approval", "By")
    for document in documents:
        words, style = _APPROVALS[document.approval]
        advance = " (in advance)" if document.approved_in_advance else ""
        version = f"{document.name}@{document.digest[:7]}" if document.digest else ""
        made.add_row(document.name, version, Text(words, style=style), plain(document.approved_by + advance))
    return made


def tasks_table(tasks: Iterable[TaskView]) -> RenderableType:
    """Returns the tasks with what each waits for."""
    rows, sentences = [], []
    for task in tasks:
        marks = " (weak check)" * task.weak + " (recheck)" * task.recheck + " (optional)" * task.optional
        state = Text.assemble(state_text(task.state), (marks, "dark_orange" if task.weak or task.recheck else ""))
        rows.append((task.number, state, task.session.rpartition("/")[2], first_line(task.title)))
        # What the state says already needs no sentence.
        sentences.append("" if task.why.rstrip(".").lower() == task.state else task.why)
    return Told(("", "State", "Session", "Task"), rows, sentences)


def sessions_table(sessions: Iterable[SessionView]) -> RenderableType:
    """Returns runs with their bookkeeping: agent, when they started, how long they took, what they cost."""
    rows, sentences = [], []
    for each, depth in _families(list(sessions)):
        name = "  " * depth + each.id.rpartition("/")[2] + (f" #{each.attempt}" if each.attempt > 1 else "")
        cost = money(each.spend.cost_usd, each.spend.unknown_calls)
        took = (each.agent, moment(each.started), span(each.duration), str(each.spend.calls), cost)
        rows.append((name, each.task or each.role, state_text(each.status), *took))
        sentences.append((each.summary or each.activity).strip().partition("\n")[0])
    return Told(("Run", "Task", "State", "Agent", "Started", "Took", "Calls", "Cost"), rows, sentences)


def _families(sessions: list[SessionView]) -> list[tuple[SessionView, int]]:
    """Returns each run with how deep it stands, those it spawned right after it."""
    known = {each.id for each in sessions}
    below: dict[str, list[SessionView]] = {}
    for each in sessions:
        below.setdefault(each.parent if each.parent in known else "", []).append(each)

    def under(parent: str, depth: int) -> list[tuple[SessionView, int]]:
        return [found for each in below.get(parent, ()) for found in ((each, depth), *under(each.id, depth + 1))]

    return under("", 0)


def comments_block(comments: Iterable[CommentView]) -> RenderableType:
    """Returns comments with the words they are about."""
    lines: list[RenderableType] = []
    for comment in comments:
        place = f"{comment.document}:{comment.line}" if comment.line else comment.document
        settled = "  settled" if comment.resolved else ""
        lines.append(Text(f"{place}  {clean(comment.author)}  {comment.id}{settled}", style="bright_black"))
        if comment.quote:
            lines.append(Text(f"  “{clean(comment.quote)}”", style="italic"))
        lines.append(Text(f"  {clean(comment.text)}"))
        if comment.answer:
            lines.append(Text(f"  ↳ {clean(comment.answer)}"))
    return Group(*lines)


def _places(view: SpecTaskView) -> RenderableType:
    places = {"desk": view.desk, "specs": view.branches.specs, "feature": view.branches.feature}
    places |= {f"version {version.number}": version.tag for version in view.versions}
    places["accepted by"] = clean(view.accepted_by)
    width = max(map(len, places))
    # Paths and names are whole: a terminal breaks a long line, and nothing is cut.
    return Text("\n".join(f"{name:<{width}}  {place}" for name, place in places.items() if place), overflow="fold")


# --- the rest -----------------------------------------------------------------------------------------------------------


def event_line(event: EventView) -> Text:
    """Returns an event as one line of a feed."""
    return Text.assemble((moment(event.time), "bright_black"), f"  {clean(event.text)}")


def run_page(result: RunResult) -> RenderableType:
    """Returns what starts, wave by wave."""
    at_once = f"at most {result.max_parallel} session{'' if result.max_parallel == 1 else 's'} at once"
    head = f"{'Started' if result.started else 'Would start'}, {at_once}; the longest chain is {_first(result.critical_path, ' → ') or 'empty'}."
    waves = [
        Text(f"  wave {number}: task{'' if len(wave) == 1 else 's'} {_first(wave, ', ')}") for number, wave in enumerate(result.waves, 1)
    ]
    why = [Text(f"It cannot start yet: {clean(result.why)}", style="yellow")] if result.why else []
    return Group(Text(head), *waves, *why)


def _first(numbers: list[str], between: str) -> str:
    more = f" … and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return between.join(numbers[:_SHOWN]) + more


_SHOWN = 20
"""So many task numbers in a row; a plan may hold thousands."""
