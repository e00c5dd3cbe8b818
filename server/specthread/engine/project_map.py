"""The map of a project as a planner is told it: every path of a small one; of a large one its folders, with how many files of which kind and weight they hold.

It costs the same for a million files as for a hundred thousand: what is not looked into is estimated, and said to be.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from specgit.glance import Entry, Folder, look_up, walk
from specgit.repository import Repository
from specgit.types import Oid
from specthread.domain.text import sound_text
from specthread.engine.reading_project import UNREAD

MAP: Final = 1
"""Version of the map, which is remembered: to be raised when it is drawn otherwise."""
MOST_PATHS: Final = 400
MOST_CHARACTERS: Final = 16_000
"""How long a map is at most, but for the last folder that it opens."""
MOST_NAMES: Final = 20
MOST_FOLDERS: Final = 40
LONGEST_NAME: Final = 80
LONGEST_PATH: Final = 300
MOST_BYTES: Final = 8 << 20
"""How much of the tree objects is read: about 200,000 entries."""
MOST_WEIGHED: Final = 20_000
_ASIDE: Final = frozenset({*UNREAD, "vendor", "third_party", "dist", "build", "target", ".git"})
"""Folders that are told and not opened, since they hold other people's work or what tools made."""


def map_of(repository: Repository, commit: Oid) -> str:
    """Returns the map of a commit's files."""
    folders = list(walk(repository, commit, most_bytes=MOST_BYTES))
    blobs = dict.fromkeys(entry.oid for each in folders for entry in each.entries or () if not entry.is_folder and entry.mode != "160000")
    weighed = list(islice(blobs, MOST_WEIGHED))
    return drawn(folders, {oid: found.size for oid, found in zip(weighed, look_up(repository, weighed), strict=True) if found})


def drawn(folders: Sequence[Folder], weights: Mapping[Oid, int]) -> str:
    """Returns the map of folders that were walked; `weights` are the bytes of files, as far as they are known."""
    places = _places(folders, weights)
    top = places[""]
    if top.is_whole and top.files <= MOST_PATHS:
        paths = "\n".join(sorted(f"{place.path}/{name}" if place.path else name for place in places.values() for name in place.names))
        if len(paths) <= MOST_CHARACTERS:
            return sound_text(paths)
    return sound_text("\n".join([f"{_told(top)}. Folders by what they hold:", *(text for _, text in sorted(_blocks(places)))]))


@dataclass(slots=True, kw_only=True)
class _Place:
    """A folder with what lies in it and below: how many files, of which endings, of which weight; `is_whole` unless part of that is estimated."""

    path: str
    names: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    files: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    weight: int = 0
    is_weighed: bool = True
    is_whole: bool = True


def _places(folders: Sequence[Folder], weights: Mapping[Oid, int]) -> dict[str, _Place]:
    places = {each.path: _place(each, weights) for each in folders}
    for path in sorted(places, key=lambda path: path.count("/"), reverse=True):
        if path:
            above, place = places[path.rpartition("/")[0]], places[path]
            above.folders.append(path)
            above.files += place.files
            above.endings.update(place.endings)
            above.weight += place.weight
            above.is_weighed &= place.is_weighed
            above.is_whole &= place.is_whole
    return places


def _place(each: Folder, weights: Mapping[Oid, int]) -> _Place:
    if each.entries is None:
        return _Place(path=each.path, files=each.about, is_weighed=False, is_whole=False)
    files: list[Entry] = [entry for entry in each.entries if not entry.is_folder]
    return _Place(
        path=each.path,
        names=[entry.name for entry in files],
        files=len(files),
        endings=Counter(_ending(entry.name) for entry in files),
        weight=sum(weights.get(entry.oid, 0) for entry in files),
        is_weighed=all(entry.oid in weights for entry in files),
    )


def _ending(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return f".{ending}" if dot and stem and len(ending) <= len("markdown") else ""


def _blocks(places: Mapping[str, _Place]) -> Iterator[tuple[str, str]]:
    """The folders whose insides are told, while there is room: from the top on always the largest that is not opened yet."""
    waiting = [(0, "")]
    room = MOST_CHARACTERS
    while waiting and room > 0:
        _, path = heapq.heappop(waiting)
        place = places[path]
        text = "\n".join(_block(place, places))
        room -= len(text)
        yield path, text
        for below in _largest(place.folders, places):
            if below.rpartition("/")[2] not in _ASIDE and (places[below].names or places[below].folders):
                heapq.heappush(waiting, (-places[below].files, below))


def _largest(paths: Iterable[str], places: Mapping[str, _Place]) -> list[str]:
    return sorted(sorted(paths, key=lambda path: (-places[path].files, path))[:MOST_FOLDERS])


def _block(place: _Place, places: Mapping[str, _Place]) -> Iterator[str]:
    if place.path:
        yield f"{place.path[-LONGEST_PATH:]}/"
    if place.names:
        more = f" and {len(place.names) - MOST_NAMES:,} more files" if len(place.names) > MOST_NAMES else ""
        yield f"  {', '.join(name[:LONGEST_NAME] for name in sorted(place.names)[:MOST_NAMES])}{more}"
    largest = _largest(place.folders, places)
    for path in largest:
        yield f"  {path.rpartition('/')[2][:LONGEST_NAME]}/: {_told(places[path])}"
    if len(place.folders) > len(largest):
        yield f"  and {len(place.folders) - len(largest):,} smaller folders"


def _told(place: _Place) -> str:
    kinds = [ending for ending, _ in sorted(place.endings.items(), key=lambda each: (-each[1], each[0])) if ending][:3]
    weight = f", {_size(place.weight)}" if place.is_weighed and place.weight else ""
    number = f"{place.files:,} file{'' if place.files == 1 else 's'}"
    return f"{number if place.is_whole else f'about {number}'}{weight}" + (f" ({', '.join(kinds)})" if kinds else "")


def _size(size: int) -> str:
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"
