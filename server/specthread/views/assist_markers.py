"""What an editor shows for markers in code, and for a requirement the code that speaks of it: words, and places to go to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from specthread.spec.document import Span
from specthread.spec.markers import Marker
from specthread.spec.symbols import Occurrence, Symbol, SymbolKind, occurrences_of
from specthread.views.assist.explained import STATES
from specthread.views.trace import Meant, TraceIndex
from specthread.views.trace_rows import TraceRow, row_of

_SHOWN = 3


class Place(NamedTuple):
    """Characters of a line of a file; the path is relative to the index's root, `text` the line as it reads."""

    path: str
    span: Span
    text: str


class Link(NamedTuple):
    """A marker, and the one place where what it means is written down."""

    marker: Marker
    target: Place
    kind: SymbolKind


def markers_at(index: TraceIndex, path: str, line: int, character: int) -> tuple[Marker, ...]:
    """The markers at a place of a file, their ends included; several where a range stands for several ids."""
    on_line = (marker for marker in index.files.get(path, ()) if marker.span.line == line)
    return tuple(marker for marker in on_line if marker.span.start <= character <= marker.span.end)


def hover_text(index: TraceIndex, path: str, markers: Iterable[Marker]) -> str:
    """What the markers mean, in plain words with what is known of it; empty where they mean nothing."""
    meant = _meant(index, path, markers)
    told = [_told(index, each) for each in meant[:_SHOWN]]
    if len(meant) > _SHOWN:
        told.append(f"… and {len(meant) - _SHOWN} more")
    return "\n\n".join(filter(None, told))


def definitions(index: TraceIndex, path: str, markers: Iterable[Marker]) -> tuple[Place, ...]:
    """Where what the markers mean is written down in its spec."""
    return tuple(place for each in _meant(index, path, markers) for place in defined_at(index, each.home, each.symbol))


def references(index: TraceIndex, path: str, markers: Iterable[Marker]) -> tuple[Place, ...]:
    """Every place that speaks of what the markers mean: in documents, without the definition, then in code and tests."""
    found: list[Place] = []
    for each in _meant(index, path, markers):
        spoken = [one for one in occurrences_of(index.specs[each.home].spec, each.symbol) if not one.is_definition]
        found += (_place(index, each.home, one) for one in spoken)
        found += mentioned_at(index, each.home, each.symbol)
    return tuple(dict.fromkeys(found))


def defined_at(index: TraceIndex, home: str, symbol: Symbol) -> tuple[Place, ...]:
    """Where a symbol of a spec is defined."""
    return tuple(_place(index, home, each) for each in occurrences_of(index.specs[home].spec, symbol) if each.is_definition)


def mentioned_at(index: TraceIndex, home: str, symbol: Symbol) -> tuple[Place, ...]:
    """Where code and tests speak of a symbol of a spec, whether they surely mean this spec or only may."""
    return tuple(Place(mention.path, mention.marker.span, mention.marker.text) for mention in index.mentions(home, symbol))


def links(index: TraceIndex, path: str) -> tuple[Link, ...]:
    """The markers of a file that surely mean one thing, with where it is written down."""
    return tuple(_links(index, path))


def _links(index: TraceIndex, path: str) -> Iterator[Link]:
    places: dict[Meant, tuple[Place, ...]] = {}
    for marker in index.files.get(path, ()):
        meant = index.meant(path, marker)
        if len(meant) == 1:
            target = places.setdefault(meant[0], defined_at(index, meant[0].home, meant[0].symbol))
            if target:
                yield Link(marker, target[0], meant[0].symbol.kind)


def _meant(index: TraceIndex, path: str, markers: Iterable[Marker]) -> list[Meant]:
    return list(dict.fromkeys(each for marker in markers for each in index.meant(path, marker)))


def _place(index: TraceIndex, home: str, occurrence: Occurrence) -> Place:
    text = index.specs[home].spec.sources[occurrence.document].lines[occurrence.span.line - 1].text
    return Place(f"{home}/{occurrence.document}.md", occurrence.span, text)


def _told(index: TraceIndex, meant: Meant) -> str:
    name = meant.home.rpartition("/")[2]
    if meant.symbol.kind == "task":
        task = next(task for task in index.specs[meant.home].spec.tasks if task.id == meant.symbol.id)
        state = index.specs[meant.home].states.get(task.id, task.state)
        return f"{name}, task {task.id}: {task.title}\n({_words(state)})"
    row = row_of(index, meant.home, meant.symbol)
    return f"{name}, {meant.symbol.kind} {row.symbol.id}: {row.title}\n{_facts(row)}" if row else ""


def _facts(row: TraceRow) -> str:
    facts = [f"{task.id} {task.title} ({_words(task.state)})" for task in row.tasks]
    lines = [f"Tasks: {_few(facts)}" if facts else "No task builds it." if "no-task" in row.gaps else ""]
    lines.append(f"Commits: {_few([f'{commit.oid[:7]} {commit.subject}' for commit in row.commits])}" if row.commits else "")
    tests = list(dict.fromkeys(f"{mention.path}:{mention.marker.span.line}" for mention in row.tests))
    lines.append(f"Tests: {_few(tests)}" if tests else "No test speaks of it.")
    return "\n".join(filter(None, lines))


def _words(state: str) -> str:
    """A state of a box, or of a task of a SpecTask, as a hover in a document says it."""
    return next((words for each, words in STATES.items() if each == state), state.replace("_", " "))


def _few(entries: list[str]) -> str:
    return ", ".join(entries[:_SHOWN]) + (f", {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else "")
