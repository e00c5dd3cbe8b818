"""What a planner is told of a project beside its map: what it says to its contributors, how it is checked, and what was planned here before that resembles the request."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from specgit.glance import folder, look_up
from specgit.repository import Repository
from specgit.types import Oid
from specthread.domain.model import SpecTask
from specthread.domain.names import documents_of
from specthread.domain.text import listed, shortened, sound_text
from specthread.engine.detected_checks import SOURCES, detected
from specthread.spec.document import BUGFIX, REQUIREMENTS, DocumentName
from specthread.spec.requirements import parse_requirements
from specthread.spec.spec import kind_of

BACKGROUND: Final = 1
"""Version of what is read of a commit, which is remembered: to be raised when it is read otherwise."""
CONVENTIONS: Final = (
    "AGENTS.md",
    "CLAUDE.md",
    "CONTRIBUTING.md",
    ".github/CONTRIBUTING.md",
    ".github/copilot-instructions.md",
    ".cursorrules",
)
CONVENTION_FOLDERS: Final = (".kiro/steering", ".cursor/rules")
MOST_FILES: Final = 12
LARGEST: Final = 256 << 10
LARGEST_FOLDER: Final = 64 << 10
FILE_CHARACTERS: Final = 8_000
ALL_CHARACTERS: Final = 30_000
MOST_RELATED: Final = 3
ENOUGH_ALIKE: Final = 2
"""So many words, or files that count for more, must be shared."""
_FILE_COUNTS: Final = 3
_PLAIN_NAME: Final = re.compile(r"[\w.-]+")


def conventions(repository: Repository, commit: Oid) -> dict[str, str]:
    """Returns what the files say that a project keeps for its contributors, people and agents, each cut and all of them together bounded, by path."""
    paths = [*CONVENTIONS, *_in_folders(repository, commit)]
    found = look_up(repository, [f"{commit}:{path}" for path in paths])
    first: dict[Oid, str] = {}
    for path, each in zip(paths, found, strict=True):
        if each is not None and each.kind == "blob" and each.size <= LARGEST:
            first.setdefault(each.oid, path)
    chosen = list(first.values())[:MOST_FILES]
    told: dict[str, str] = {}
    room = ALL_CHARACTERS
    for path, content in zip(chosen, repository.read_all([(commit, path) for path in chosen]), strict=True):
        text = (content or b"").decode(errors="replace").strip()
        if text and posixpath.normpath(posixpath.join(posixpath.dirname(path), text)) not in paths:  # a link to another of them
            told[path] = shortened(sound_text(text), min(FILE_CHARACTERS, room))
            room -= len(told[path])
        if room <= 0:
            break
    return told


def _in_folders(repository: Repository, commit: Oid) -> Iterator[str]:
    for path, found in zip(CONVENTION_FOLDERS, look_up(repository, [f"{commit}:{path}" for path in CONVENTION_FOLDERS]), strict=True):
        if found is not None and found.kind == "tree" and found.size <= LARGEST_FOLDER:
            names = (entry.name for entry in folder(repository, found.oid) if not entry.is_folder)
            yield from (f"{path}/{name}" for name in names if name.endswith((".md", ".mdc")) and _PLAIN_NAME.fullmatch(name))


def commands(repository: Repository, commit: Oid) -> str:
    """Returns how the project is checked, as its own files say, a command on each line."""
    sizes = look_up(repository, [f"{commit}:{name}" for name in SOURCES])
    named = [name for name, found in zip(SOURCES, sizes, strict=True) if found and found.kind == "blob" and found.size <= LARGEST]
    contents = repository.read_all([(commit, name) for name in named])
    found = detected({name: (content or b"").decode(errors="replace") for name, content in zip(named, contents, strict=True)})
    return "\n".join(f"{kind}: {command}" for kind, command in found.commands.items())


def related(spectask: SpecTask, others: Iterable[SpecTask]) -> dict[str, str]:
    """Returns what was planned in the same repository for requests with the same words or files, the most alike first."""
    words, files = _words(spectask.prompt), _files_in(spectask.prompt)
    alike = []
    for other in others:
        if other.id == spectask.id or other.repository != spectask.repository or not other.documents:
            continue
        shared = words & _words(" ".join((other.prompt, *(task.plan.title for task in other.tasks.values()))))
        same = {path for task in other.tasks.values() for path in task.plan.files if path in files or posixpath.basename(path) in files}
        likeness = len(shared) + _FILE_COUNTS * len(same)
        if likeness >= ENOUGH_ALIKE:
            alike.append((likeness, other.created, other))
    alike.sort(key=lambda each: each[:2], reverse=True)
    return {other.id: _summary(other) for _, _, other in alike[:MOST_RELATED]}


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"[^\W\d_]{4,}", text.casefold()) if word not in _COMMON)


_COMMON: Final = frozenset(
    ["that", "this", "with", "from", "into", "when", "then", "have", "should", "make", "must", "each", "which", "their", "there", "also"]
)


def _files_in(text: str) -> frozenset[str]:
    return frozenset(word.strip("`'\".,;:()") for word in text.split() if "." in word.strip(".") or "/" in word)


def _summary(other: SpecTask) -> str:
    titles = [
        each.title
        for name in documents_of(other)
        if name in other.documents and kind_of(DocumentName(name)) in {REQUIREMENTS, BUGFIX}
        for each in parse_requirements(other.documents[name].content, other.dialect).requirements
    ]
    files = sorted({path for task in other.tasks.values() for path in task.plan.files})
    parts: Mapping[str, str] = {
        "Asked": shortened(" ".join(other.prompt.split()), 300),
        "State": other.state,
        "Required": listed(titles, 600),
        "Files": listed(files, 600),
        "Documents": listed([document.path for document in other.documents.values()], 300),
    }
    return "\n".join(f"{name}: {text}" for name, text in parts.items() if text)
