"""The trace index: which code and tests, commits and sessions speak of which requirement, and the other way round. One index for every face.

Theory of operation. Each `with_…` gives the next index at the price of what it is given: a file, a spec. A marker is kept under its id alone; which spec it
means is asked when somebody looks, so that the order in which files and specs become known changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from immutables import Map

from specthread.spec.code_paths import is_prose, is_test, matches
from specthread.spec.dialects import is_spec_folder
from specthread.spec.home import names_of
from specthread.spec.markers import Form, Marker, MarkerKind, PassedOver, form_of, id_key, markers_in, why_passed_over
from specthread.spec.spec import Spec
from specthread.spec.symbols import Symbol

K = TypeVar("K")
V = TypeVar("V")
Key = tuple[MarkerKind, str]
"""What an id is looked up by: its kind, and `id_key` of it."""


class TraceRules(NamedTuple):
    """What a person chose: forms of markers beside the usual ones; which paths are tests (none: the usual conventions); which files are read at all."""

    forms: tuple[Form, ...] = ()
    tests: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """None stands for all."""
    exclude: tuple[str, ...] = ()

    def is_read(self, path: str) -> bool:
        """Whether a file is searched for markers; prose and the folders of specs never are."""
        if is_prose(path) or matches(path, self.exclude) or is_spec_folder(path.rpartition("/")[0]):
            return False
        return not self.paths or matches(path, self.paths)


def rules_of(*, markers: Iterable[str], tests: Iterable[str], paths: Iterable[str], exclude: Iterable[str]) -> TraceRules:
    """The rules as they stand in a settings file. Raises ValueError with a sentence where a marker's form is none."""
    return TraceRules(tuple(map(form_of, markers)), tuple(tests), tuple(paths), tuple(exclude))


class TraceCommit(NamedTuple):
    """A commit that says by its trailers what it is for; `spec` and `task` are empty, `requirements` none, where it does not."""

    oid: str
    subject: str
    spec: str
    task: str
    requirements: tuple[str, ...]
    session: str


class TraceSession(NamedTuple):
    """A work session and the task it worked on."""

    id: str
    task: str
    state: str


class Mention(NamedTuple):
    """A marker that means a symbol of a spec; where several specs may be meant and nothing tells which, it is not sure."""

    path: str
    marker: Marker
    is_test: bool
    is_sure: bool


class Meant(NamedTuple):
    """What a marker means: a symbol of the spec at a home."""

    home: str
    symbol: Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedSpec:
    """A spec at its home, and the states of its tasks where more is known than their boxes say."""

    spec: Spec
    states: Map[str, str]
    symbols: Map[Key, Symbol] = field(compare=False)
    names: frozenset[str] = field(compare=False)
    files: tuple[str, ...] = field(compare=False)
    """What its tasks say they change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceIndex:
    """Everything known, immutable; two indexes are equal when they know the same, however they came to know it."""

    rules: TraceRules = field(default_factory=TraceRules)
    specs: Map[str, TracedSpec] = field(default_factory=Map)
    """By home, the folder of the spec."""
    files: Map[str, tuple[Marker, ...]] = field(default_factory=Map)
    """The files with markers, by path."""
    passed_over: Map[str, PassedOver] = field(default_factory=Map)
    commits: tuple[TraceCommit, ...] = ()
    sessions: Map[str, tuple[TraceSession, ...]] = field(default_factory=Map)
    """By home of their spec."""
    _speaking: Map[Key, frozenset[str]] = field(default_factory=Map)
    """The files that speak of an id."""
    _defining: Map[Key, frozenset[str]] = field(default_factory=Map)
    """The homes that know an id."""

    def with_file(self, path: str, content: bytes | None) -> TraceIndex:
        """The index where a file reads so, or is gone."""
        why = why_passed_over(content) if content is not None else None
        return self._with(path, markers_in(content, self.rules.forms) if content is not None and why is None else (), why)

    def with_passed_over(self, path: str, why: PassedOver) -> TraceIndex:
        """The index where a file is there and not read."""
        return self._with(path, (), why)

    def _with(self, path: str, found: tuple[Marker, ...], why: PassedOver | None) -> TraceIndex:
        before = self.files.get(path, ())
        if found == before and why == self.passed_over.get(path):
            return self
        return replace(
            self,
            files=self.files.set(path, found) if found else _without(self.files, path),
            passed_over=self.passed_over.set(path, why) if why else _without(self.passed_over, path),
            _speaking=_moved(self._speaking, path, map(_key, before), map(_key, found)),
        )

    def with_spec(self, home: str, spec: Spec | None, states: Map[str, str] | None = None) -> TraceIndex:
        """The index where the spec at a home reads so, or is gone."""
        before = self.specs.get(home)
        after = _traced(home, spec, states) if spec is not None else None
        specs = self.specs.set(home, after) if after is not None else _without(self.specs, home)
        defining = _moved(self._defining, home, before.symbols if before else (), after.symbols if after else ())
        return replace(self, specs=specs, _defining=defining)

    def with_commits(self, commits: Sequence[TraceCommit]) -> TraceIndex:
        """The index with these commits, newest first, and no others."""
        return replace(self, commits=tuple(commits))

    def with_sessions(self, home: str, sessions: Sequence[TraceSession]) -> TraceIndex:
        """The index with these sessions of a spec, and no others of it."""
        known = self.sessions.set(home, tuple(sessions)) if sessions else _without(self.sessions, home)
        return replace(self, sessions=known)

    def meant(self, path: str, marker: Marker) -> tuple[Meant, ...]:
        """What a marker in a file means: nothing, one thing, or several where nothing tells which."""
        key = _key(marker)
        homes = sorted(self._defining.get(key, ()))
        if marker.spec:
            name = marker.spec.casefold()
            named = [home for home in homes if name in self.specs[home].names]
            is_name = marker.is_bound or bool(named) or any(name in each.names for each in self.specs.values())
            homes = named if is_name else homes
        if len(homes) > 1:
            homes = self._nearest(path, homes)
        return tuple(Meant(home, self.specs[home].symbols[key]) for home in homes)

    def mentions(self, home: str, symbol: Symbol) -> tuple[Mention, ...]:
        """Where code and tests speak of a symbol of a spec, by path and line."""
        key = _key_of(symbol)
        paths = sorted(self._speaking.get(key, ())) if key else ()
        return tuple(
            Mention(path, marker, is_test(path, self.rules.tests), is_sure=len(meant) == 1)
            for path in paths
            for marker in self.files[path]
            if _key(marker) == key and Meant(home, symbol) in (meant := self.meant(path, marker))
        )

    def _nearest(self, path: str, homes: list[str]) -> list[str]:
        """Of several specs those whose tasks name the file, else those whose name is part of its path, else all."""
        named = [home for home in homes if matches(path, self.specs[home].files)]
        parts = _words_of(path)
        return named or [home for home in homes if not parts.isdisjoint(self.specs[home].names)] or homes


@dataclass(frozen=True, slots=True)
class RootedTrace:
    """An index with the folder its paths begin at."""

    root: str
    index: TraceIndex


def _traced(home: str, spec: Spec, states: Map[str, str] | None) -> TracedSpec:
    symbols: dict[Key, Symbol] = {("task", id_key(task.id)): Symbol("task", task.id) for task in spec.tasks}
    for _, requirement, criterion in spec.criteria:
        del requirement
        symbols["requirement", id_key(criterion.id)] = Symbol("criterion", criterion.id)
    # A requirement wins over a criterion that somebody gave the same id.
    symbols |= {("requirement", id_key(each.id)): Symbol("requirement", each.id) for _, each in spec.all_requirements}
    return TracedSpec(
        spec=spec,
        states=states or Map(),
        symbols=Map(symbols),
        names=names_of(home),
        files=tuple(sorted({file for task in spec.tasks for file in task.files if file.strip(" ./*")})),
    )


def _key(marker: Marker) -> Key:
    return marker.kind, id_key(marker.id)


def _key_of(symbol: Symbol) -> Key | None:
    if symbol.kind == "property":
        return None
    return "task" if symbol.kind == "task" else "requirement", id_key(symbol.id)


def _words_of(path: str) -> frozenset[str]:
    """The parts of a path as names of specs are written: `tests/test_add_json.py` may be about add-json."""
    parts = [part.partition(".")[0] for part in path.casefold().replace("_", "-").split("/")]
    return frozenset(word for part in parts for word in (part, part.removeprefix("test-"), part.removesuffix("-test")))


def _without(kept: Map[K, V], key: K) -> Map[K, V]:
    return kept.delete(key) if key in kept else kept


def _moved(kept: Map[Key, frozenset[str]], name: str, before: Iterable[Key], after: Iterable[Key]) -> Map[Key, frozenset[str]]:
    """The names by key, where one name leaves some keys and enters others."""
    old, new = frozenset(before), frozenset(after)
    changed = kept.mutate()
    for key in old - new:
        left = changed[key] - {name}
        if left:
            changed[key] = left
        else:
            del changed[key]
    for key in new - old:
        changed[key] = changed.get(key, frozenset()) | {name}
    return changed.finish()
