"""An existing spec folder as the documents of a new SpecTask: found in the checkout, read with care, never written.

A document that is committed as it stands in the checkout is taken from the commit; any other is taken from the disk, with a warning. Whether the
documents are a spec that can be carried out is for the rules to say.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from specgit.repository import Head
from specthread.domain.commands import AdoptedDocument
from specthread.domain.model import Flow, Refusal
from specthread.domain.names import adopted_flow, adopted_names
from specthread.domain.text import sound_text
from specthread.engine.desk_file import look
from specthread.engine.repositories import OpenRepository
from specthread.engine.spec_folder import documents_in, name_in
from specthread.spec.dialects import DOCUMENT_FILES, Dialect, detect, document_of, is_change, place_of
from specthread.spec.source import scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What is taken over: the folder's path in the repository, its documents, and what the human should know about them."""

    folder: str
    title: str
    dialect: Dialect
    flow: Flow
    documents: tuple[AdoptedDocument, ...]
    warnings: tuple[str, ...]


def adoption(opened: OpenRepository, head: Head, path: Path) -> Adoption | Refusal:
    """Reads the spec folder at `path`, or around the file there; raises OSError where the disk does not let it."""
    folder = _folder(opened, path)
    if isinstance(folder, Refusal):
        return folder
    place, checkout = folder
    files, spare, skipped = _documents_in(checkout, place)
    contents: dict[str, bytes] = {}
    loose: list[str] = []
    for name, file in files.items():
        relative = f"{place}/{file}"
        read = _read(checkout / relative, relative)
        if isinstance(read, Refusal):
            return read
        committed = None if relative in head.dirty else opened.repository.read(head.oid, relative)
        contents[name] = read if committed is None else committed
        loose += [relative] if committed is None else []
    flow, dialect = adopted_flow(contents.keys()), detect(place, contents.get("tasks", b""))
    names = [name for name in adopted_names(contents, flow, dialect) if name in contents]
    spare += [files[name] for name in contents if name not in names]
    return Adoption(
        folder=place,
        title=_title(place, next(iter(contents.values()))),
        dialect=dialect,
        flow=flow,
        documents=tuple(AdoptedDocument(name=name, path=f"{place}/{files[name]}", content=contents[name]) for name in names),
        warnings=_warnings(loose, spare, skipped),
    )


def _folder(opened: OpenRepository, path: Path) -> tuple[str, Path] | Refusal:
    """Returns the folder's path in the repository and the checkout, both with links resolved."""
    if opened.repository.checkout is None:
        return Refusal(
            code="no-checkout", message="This repository has no checkout.", hint="Adopt a spec from a checkout that holds its folder."
        )
    checkout = opened.repository.checkout.resolve()
    shown = sound_text(str(path))
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return Refusal(code="no-such-folder", message=f"There is no {shown}.", hint="Name the folder that holds the spec's documents.")
    real = real if real.is_dir() else Path((place_of(str(real)) or (real.parent,))[0])
    if not real.is_relative_to(checkout) or any((each / ".git").exists() for each in (real, *real.parents) if _is_below(each, checkout)):
        hint = "Name a spec folder of the repository you are in."
        return Refusal(code="outside-repository", message=f"{shown} is not in the repository at {sound_text(str(checkout))}.", hint=hint)
    place = real.relative_to(checkout).as_posix()
    if place == "." or place.partition("/")[0] == ".git" or sound_text(place) != place or not _documents_in(checkout, place)[0]:
        return Refusal(
            code="no-spec-folder",
            message=f"{shown} is no spec folder.",
            hint=f"A spec folder has files such as {', '.join(DOCUMENT_FILES)}.",
        )
    return place, checkout


def _is_below(folder: Path, checkout: Path) -> bool:
    return folder != checkout and folder.is_relative_to(checkout)


def _documents_in(checkout: Path, place: str) -> tuple[dict[str, str], list[str], list[str]]:
    """Returns the document files by the name of the document, those that say the same as an earlier one, and what is skipped below a change's `specs`."""
    folder = checkout / place
    order = {name: place for place, name in enumerate(DOCUMENT_FILES)}
    found = sorted((name for name in os.listdir(folder) if document_of(name)), key=lambda name: (order[name.casefold()], name))  # noqa: PTH208  names are wanted
    files: dict[str, str] = {}
    for file in found:
        files.setdefault(str(document_of(file)), file)
    spare = [file for file in found if file not in files.values()]
    if not is_change(place):
        return files, spare, []
    deltas = {str(name_in(folder, path)): path.relative_to(folder).as_posix() for path in documents_in(folder) if path.parent != folder}
    below = (path.relative_to(folder).as_posix() for path in sorted((folder / "specs").rglob("*")) if path.is_symlink() or path.is_file())
    return {**files, **deltas}, spare, [path for path in below if path not in deltas.values()]


def _read(file: Path, shown: str) -> bytes | Refusal:
    found = look(file)
    if found.kind in {"absent", "open", "refused"}:
        reason = found.reason or ("is gone" if found.kind == "absent" else "is being written by another program")
        return Refusal(code="unreadable-document", message=f"{shown} {reason}.", hint="Put that right, then try again.")
    return found.content


def _title(place: str, content: bytes) -> str:
    """Returns what the spec is about: what its first heading says behind a colon, else the name of its folder."""
    first = next((line.heading.title for line in scan(content).lines if line.heading is not None and line.heading.level == 1), "")
    return sound_text(first.partition(":")[2].strip()) or place.rpartition("/")[2]


def _warnings(loose: list[str], spare: list[str], skipped: list[str]) -> tuple[str, ...]:
    taken = f"Taken over as they are on the disk, not as committed: {', '.join(loose)}."
    left = f"Left out, because another document of the folder stands for the same: {sound_text(', '.join(spare))}."
    passed = f"Left out, because only files named spec.md in folders that are no links are read there: {sound_text(', '.join(skipped))}."
    return (*([taken] if loose else []), *([left] if spare else []), *([passed] if skipped else []))
