"""What a document's file on the desk has held: the texts that editors may have started from, and everything that was set aside.

One folder per document. Files are numbered in the order of the disk; the ending tells what they are. Everything here blocks and is called
in a thread.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

VERSIONS = 50
"""Versions kept per document, and as many texts set aside."""
KEEP_LIMIT = 64_000_000
"""Bytes above which a refused file is not copied."""

VersionKind = Literal["daemon", "human"]
AsideKind = Literal["refused", "conflict", "resolved", "draft"]

_VERSION_ENDINGS = {".daemon", ".human"}
_STANDING = "standing"
_OFFERED = "offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A text that stood on the desk, and who had put it there."""

    kind: VersionKind
    content: bytes


def has_set_aside(folder: Path) -> bool:
    """Tells whether the histories of a desk hold anything that never became a version: only here is it kept."""
    return any(path.suffix not in _VERSION_ENDINGS and path.name != _STANDING for path in folder.rglob("*") if not path.is_dir())


@dataclass(frozen=True, slots=True)
class DeskHistory:
    """The kept texts of one document; every write is on disk when it returns."""

    folder: Path

    def versions(self) -> tuple[Version, ...]:
        """Returns the texts that stood on the desk, oldest first."""
        return tuple(_version(path) for path in self._numbered() if path.suffix in _VERSION_ENDINGS)

    def last(self) -> Version | None:
        """Returns the text that came to stand on the desk last, or None."""
        last = [path for path in self._numbered() if path.suffix in _VERSION_ENDINGS][-1:]
        return _version(last[0]) if last else None

    def record(self, kind: VersionKind, content: bytes) -> None:
        """Adds a text that stands on the desk now, or will in a moment."""
        if self.last() != Version(kind=kind, content=content):
            self._write(self._next(kind), content)
            self._prune()

    def begin_offer(self, content: bytes) -> None:
        """Remembers, over a crash, a human save that is about to be submitted."""
        self._write(self.folder / _OFFERED, content)

    def offered(self) -> bytes | None:
        """Returns the save whose submission was not finished, or None."""
        path = self.folder / _OFFERED
        return path.read_bytes() if path.exists() else None

    def take_offer(self) -> None:
        """Makes the submitted save the version that came to stand on the desk last."""
        (self.folder / _OFFERED).replace(self._next("human"))
        self._prune()

    def drop_offer(self) -> None:
        """Forgets a save that was not taken; its file still holds it."""
        (self.folder / _OFFERED).unlink()

    def forget_last(self) -> None:
        """Takes back the version recorded last, which did not come to stand on the desk."""
        self._numbered()[-1].unlink()

    def keep(self, kind: AsideKind, content: bytes) -> Path:
        """Sets a text aside for good or until many newer ones are there; returns its path."""
        path = self._next(kind)
        self._write(path, content)
        self._prune()
        return path

    def keep_file(self, found: Path) -> Path | None:
        """Sets a file aside that is not a document, links as links; returns None where it is no file or far too large to copy."""
        status = found.lstat()
        if not (stat.S_ISLNK(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_size <= KEEP_LIMIT)):
            return None
        path = self._next("refused")
        shutil.copyfile(found, path, follow_symlinks=False)
        self._prune()
        return path

    def move_in(self, kind: AsideKind, found: Path) -> None:
        """Sets a file aside by moving it here, so that whatever is still written into it is kept too."""
        if found.exists():
            found.replace(self._next(kind))
            self._prune()

    def standing(self) -> bytes | None:
        """Returns what a question that stands on the desk rests on (a conflict: the live text it shows; a draft: its template), or None."""
        path = self.folder / _STANDING
        return path.read_bytes() if path.exists() else None

    def stand(self, content: bytes) -> None:
        """Remembers, over a restart too, that a question stands on the desk."""
        self._write(self.folder / _STANDING, content)

    def settle(self) -> None:
        """Forgets the question."""
        (self.folder / _STANDING).unlink(missing_ok=True)

    def _numbered(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.*") if path.stem.isdigit()) if self.folder.is_dir() else []

    def _next(self, ending: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        number = max((int(path.stem) for path in self._numbered()), default=0) + 1
        return self.folder / f"{number:08}.{ending}"

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        prepared = path.with_name(f"{path.name}~")
        with prepared.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        prepared.replace(path)

    def _prune(self) -> None:
        numbered = self._numbered()
        versions = [path for path in numbered if path.suffix in _VERSION_ENDINGS]
        aside = [path for path in numbered if path.suffix not in _VERSION_ENDINGS]
        for path in (*versions[:-VERSIONS], *aside[:-VERSIONS]):
            path.unlink()


def _version(path: Path) -> Version:
    return Version(kind="human" if path.suffix == ".human" else "daemon", content=path.read_bytes())


def likely_base(versions: Sequence[Version], saved: bytes) -> bytes:
    """Returns the text a saved one was most likely made from: the nearest that an editor can still hold, on a tie the older.

    Texts from before the last human save do not count: the editor that made that save holds it, or something newer. So a second save that
    takes back words of the first one is read as just that. Empty where nothing is known, which makes every difference a question.
    """
    last = max((number for number, version in enumerate(versions) if version.kind == "human"), default=0)
    candidates = [version.content for version in versions[last:]]
    return min(candidates, key=lambda content: difference(content, saved), default=b"")


def difference(old: bytes, new: bytes) -> int:
    """Counts the words that only one of two texts holds, in the lines that only one of them holds; 0 exactly where they are equal."""
    if old == new:
        return 0
    lines_old, lines_new = Counter(old.splitlines(keepends=True)), Counter(new.splitlines(keepends=True))
    words_old, words_new = _words(lines_old - lines_new), _words(lines_new - lines_old)
    return 1 + ((words_old - words_new) + (words_new - words_old)).total()


def _words(lines: Counter[bytes]) -> Counter[bytes]:
    return Counter(word for line in lines.elements() for word in line.split())
