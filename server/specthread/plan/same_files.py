"""Whether tasks work in the same files, by the paths and patterns that are written under them: one answer for the scheduler and for a plan.

A path names itself and all below it, a pattern what `spec.code_paths` says; what names everything says nothing. Two patterns are not held
against each other beyond that one may name the other as it is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from re import Pattern
from typing import Final, NamedTuple

from specthread.spec.code_paths import pattern_of

MOST_MATCHES: Final = 300_000
"""Patterns without a folder are held against every path; after so many, which take a quarter of a second, no more are."""


def share_files(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a path or pattern of either names something of the other: the same file, or one in a folder or pattern."""
    mine, theirs = _named(tuple(one)), _named(tuple(other))
    return _holds(mine, theirs) or _holds(theirs, mine)


class Naming:
    """Who names which path or pattern, kept by folder, so that what meets is found without holding everything against everything."""

    def __init__(self) -> None:
        self._by_path: dict[str, list[int]] = {}
        self._patterns: dict[str, Pattern[str]] = {}

    def add(self, who: int, written: Sequence[str]) -> None:
        """Notes what somebody names."""
        named = _named(tuple(written))
        self._patterns.update(named.patterns)
        for path in named.paths:
            self._by_path.setdefault(path, []).append(who)

    def meetings(self) -> Iterator[tuple[int, int]]:
        """Yields each two who share files, the lower first, some of them more than once."""
        patterns: defaultdict[str, list[str]] = defaultdict(list)
        for path in self._patterns:
            patterns[_folder_of(path)].append(path)
        tried = 0
        for path, naming in self._by_path.items():
            around = list(_with_folders(path))
            holding = [folder for folder in around if folder in self._by_path]
            for pattern in (each for folder in (*around, "") for each in patterns.get(folder, ()) if each != path):
                tried += 1
                if tried > MOST_MATCHES:
                    break
                holding += [pattern] if self._patterns[pattern].match(path) else []
            for who in naming:
                yield from ((min(who, other), max(who, other)) for place in holding for other in self._by_path[place] if other != who)


class _Named(NamedTuple):
    """What is written for one task: paths and patterns without what means nothing, all they lie in, and the patterns to match by."""

    paths: frozenset[str]
    around: frozenset[str]
    patterns: Mapping[str, Pattern[str]]


@lru_cache(maxsize=4096)
def _named(written: tuple[str, ...]) -> _Named:
    bare = (path.strip().removeprefix("./").rstrip("/") for path in written)
    paths = dict.fromkeys(path for path in bare if path.strip("*."))
    around = frozenset(folder for path in paths for folder in _with_folders(path))
    return _Named(frozenset(paths), around, {path: pattern_of(path) for path in paths if _is_pattern(path)})


def _holds(one: _Named, other: _Named) -> bool:
    return not other.around.isdisjoint(one.paths) or any(pattern.match(path) for pattern in one.patterns.values() for path in other.paths)


def _is_pattern(path: str) -> bool:
    return "*" in path or "?" in path


def _folder_of(pattern: str) -> str:
    """Returns the folder in which all lies that a pattern may name; nothing where that may be anywhere."""
    signs = min(place for sign in "*?[" if (place := pattern.find(sign)) >= 0)
    return pattern[:signs].rpartition("/")[0]


def _with_folders(path: str) -> Iterable[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
