"""Renaming what has an id: where it is defined, wherever a list of ids names it, and in the graph; prose is left as it is.

A rename is only given where reading the documents anew shows that it means what it should: each reference still points at what it pointed at.
"""

import re
from collections.abc import Iterator, Mapping

from specthread.spec.changes import Cannot, Changes, exchanged, spec_with
from specthread.spec.document import Change, DocumentName, squeezed
from specthread.spec.entries import Renamed, entry_changes
from specthread.spec.spec import Spec
from specthread.spec.symbols import Occurrence, Symbol, meanings, occurrences, references_in
from specthread.spec.wave_edit import wave_changes


def rename(spec: Spec, symbol: Symbol, new: str) -> Changes | Cannot:
    """The changes that give a symbol another id; criteria follow their requirement, and subtasks their task.

    `new` may be short where the rest is known: `3` for criterion 1.2 is 1.3.
    """
    places = occurrences(spec)
    if not any(each.symbol == symbol and each.is_definition for each in places):
        return Cannot(f"There is no {symbol.kind} {symbol.id} to rename.")
    target = Symbol(symbol.kind, _whole_id(symbol, new.strip()))
    if target == symbol:
        return {}
    reason = _refusal(spec, symbol, target, places)
    if reason:
        return Cannot(reason)
    renamed = renaming(symbol, target)
    changes = _changes(spec, places, renamed)
    if _meaning_of(spec, renamed) != _meaning_of(spec_with(spec, changes), lambda same: same):
        return Cannot(f"“{new}” would not be read as the id of a {symbol.kind} here. Choose one like “{symbol.id}”.")
    return changes


def _whole_id(symbol: Symbol, new: str) -> str:
    """The id that is meant by what a person typed."""
    if symbol.kind == "criterion" and "." not in new:
        return f"{symbol.id.rpartition('.')[0]}.{new}"
    if symbol.kind == "requirement" and new.isdecimal() and (story := _STORY.fullmatch(symbol.id)):
        return f"{story[1]}{new}"
    return new


_STORY = re.compile(r"(US)[0-9]+[A-Za-z]?")


def _refusal(spec: Spec, symbol: Symbol, target: Symbol, places: tuple[Occurrence, ...]) -> str:
    if not target.id or "\n" in target.id:
        return f"An id is needed: one like “{symbol.id}”."
    if any(each.symbol == target and each.is_definition for each in places):
        return f"There is a {target.kind} {target.id} already. Choose another id."
    if symbol.kind in {"criterion", "task"} and symbol.id.rpartition(".")[0] != target.id.rpartition(".")[0]:
        return f"{target.id} would stand somewhere else than {symbol.id}. Only the last number of a {symbol.kind} can be renamed."
    if symbol.kind == "criterion" and any(each.name and each.id == symbol.id for _, _, each in spec.criteria):
        return "Scenarios are counted, not named by an id. Change the title instead."
    return ""


def renaming(symbol: Symbol, target: Symbol) -> Renamed:
    """What every symbol is called where this one is called otherwise."""
    follows = {"requirement": "criterion", "task": "task"}.get(symbol.kind)

    def renamed(each: Symbol) -> Symbol:
        if each == symbol:
            return target
        if each.kind == follows and each.id.startswith(f"{symbol.id}."):
            return Symbol(each.kind, target.id + each.id.removeprefix(symbol.id))
        return each

    return renamed


def _changes(spec: Spec, places: tuple[Occurrence, ...], renamed: Renamed) -> Changes:
    found: dict[DocumentName, list[Change]] = {name: [] for name in spec.sources}
    scenarios = {criterion.id for _, _, criterion in spec.criteria if criterion.name}
    for each in places:
        is_entry = not each.is_definition and each.symbol.kind != "property"
        new = renamed(each.symbol)
        if new != each.symbol and not is_entry and each.symbol.id not in scenarios:
            text = spec.sources[each.document].lines[each.span.line - 1].text[each.span.start : each.span.end]
            owner = each.owner and renamed(each.owner)
            written = _as_written(text, each, new, owner)
            found[each.document] += [exchanged(each.span, written)] if written != text else []
    for name, change in reference_changes(spec, renamed):
        found[name].append(change)
    return {name: tuple(changes) for name, changes in found.items() if changes}


def reference_changes(spec: Spec, renamed: Renamed) -> Iterator[tuple[DocumentName, Change]]:
    """The changes to every list of ids and to the graph."""
    meaning: Mapping[str, Symbol] = meanings(spec)
    for name, source in spec.sources.items():
        for reference, _ in references_in(spec, name):
            yield from ((name, change) for change in entry_changes(reference, meaning, renamed, source))
    if spec.tasks_read and spec.tasks_read.graph and spec.tasks_name:
        source = spec.sources[spec.tasks_name]
        for change in wave_changes(source, spec.tasks_read.graph, lambda name: renamed(Symbol("task", name)).id):
            yield spec.tasks_name, change


def _as_written(text: str, place: Occurrence, new: Symbol, owner: Symbol | None) -> str:
    """The new id in the form a definition has: a criterion may write its last number alone, a story no letters."""
    old = place.symbol
    if squeezed(text) == old.id:
        return new.id
    if place.owner is not None and owner is not None and old.id == f"{place.owner.id}.{text}":
        return new.id.removeprefix(f"{owner.id}.")
    return new.id.removeprefix(old.id.removesuffix(text)) if old.id.endswith(text) else text


_Meaning = tuple[frozenset[tuple[object, ...]], object]


def _meaning_of(spec: Spec, renamed: Renamed) -> _Meaning:
    """What is defined and named on each line, and what the graph says, all in new names."""
    places = frozenset(
        (each.document, each.span.line, renamed(each.symbol), each.is_definition, each.owner and renamed(each.owner))
        for each in occurrences(spec)
    )
    graph = spec.tasks_read.graph if spec.tasks_read else None
    names = tuple(tuple(renamed(Symbol("task", name)).id for name in wave) for wave in (*graph.waves, *graph.edges)) if graph else ()
    return places, names
