"""One entry of a list of ids written anew, in the form it has: `R1` stays with its letter, and a range stays one as far as it can."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from specthread.spec.changes import exchanged
from specthread.spec.document import Change
from specthread.spec.links import short_id
from specthread.spec.references import Reference, ids_of
from specthread.spec.source import Source
from specthread.spec.symbols import Symbol, meant, place_of

Renamed = Callable[[Symbol], Symbol]
"""The new name of a symbol; itself where it keeps its own."""


def entry_changes(reference: Reference, meaning: Mapping[str, Symbol], renamed: Renamed, source: Source) -> Iterator[Change]:
    """The smallest changes after which the entry names the renamed symbols; none where it names no such symbol."""
    names = {written: _in_form(written, meant(meaning, reference.kind, written), renamed) for written in reference.ids}
    if all(old == new for old, new in names.items()):
        return
    wanted = tuple(names.values())
    places = [(span, names[old]) for old in names if (span := place_of(reference, old)) and names[old] != old]
    text = reference.written
    for span, new in sorted(places, reverse=True):
        text = text[: span.start - reference.span.start] + new + text[span.end - reference.span.start :]
    # Words between ids are never taken out: where the new ones would not be read among them, the rename as a whole is refused.
    if ids_of(reference.kind, text) == wanted or not _TO.search(reference.written):
        yield from (exchanged(span, new) for span, new in places)
    else:
        yield exchanged(reference.span, _split(reference, wanted, separator_of(source, reference)))


def entry_without(reference: Reference, written: str, source: Source) -> str:
    """The entry without one of its ids; empty where it holds no other."""
    return _split(reference, tuple(name for name in reference.ids if name != written), separator_of(source, reference))


def separator_of(source: Source, reference: Reference) -> str:
    """What stands between the entries of a list: the sign this line uses."""
    text = source.lines[reference.span.line - 1].text
    found = _SEPARATOR.search(text, reference.span.end) or _SEPARATOR.search(text)
    return found[0] if found else ", "


_SEPARATOR = re.compile(r"(?<=[0-9])(?:,[ \t]*|\u3001|\uff0c)(?=[0-9A-Za-z])")
_TO = re.compile(r"(?<=[0-9])[ \t]*(?:[-\u2010-\u2015\u301c~\uff5e]|\.\.|\bto\b)[ \t]*(?=\S*[0-9])")
_NUMBER = re.compile(r"(?P<family>(?:[0-9]+\.)*)(?P<last>[0-9]+)")
_LAST = re.compile(r"[A-Za-z -]*[0-9]+(?:\.[0-9]+)*[A-Za-z]?(?![0-9A-Za-z])")
_WORD = re.compile(r"(?P<lead>.*?)(?P<glued>[A-Za-z]*)")


def _in_form(written: str, symbol: Symbol, renamed: Renamed) -> str:
    new = renamed(symbol)
    if new == symbol:
        return written
    return short_id(new.id) if written != symbol.id and written == short_id(symbol.id) else new.id


def _split(reference: Reference, wanted: Sequence[str], separator: str) -> str:
    """The ids as entries of their own, neighbours in number still as a range; a word or letter in front of the first one stays."""
    dash = _TO.search(reference.written)
    first = place_of(reference, reference.ids[0])
    front = _WORD.fullmatch(reference.written[: first.start - reference.span.start] if first else "")
    lead, glued = (front["lead"], front["glued"]) if front else ("", "")
    pieces = [glued + run[0] if len(run) == 1 else f"{glued}{run[0]}{dash[0] if dash else '-'}{glued}{run[-1]}" for run in _runs(wanted)]
    return lead + separator.join(pieces) + _tail(reference, dash) if pieces else ""


def _tail(reference: Reference, dash: re.Match[str] | None) -> str:
    """What stands behind the ids of an entry, such as a remark in brackets."""
    last = _LAST.match(reference.written, dash.end()) if dash else place_of(reference, reference.ids[-1])
    if isinstance(last, re.Match):
        return reference.written[last.end() :]
    return reference.written[last.end - reference.span.start :] if last else ""


def _runs(names: Sequence[str]) -> Iterator[list[str]]:
    run: list[str] = []
    for name in names:
        if run and not _follows(run[-1], name):
            yield run
            run = []
        run.append(name)
    if run:
        yield run


def _follows(one: str, other: str) -> bool:
    low, high = _NUMBER.fullmatch(one), _NUMBER.fullmatch(other)
    return low is not None and high is not None and low["family"] == high["family"] and int(high["last"]) == int(low["last"]) + 1
