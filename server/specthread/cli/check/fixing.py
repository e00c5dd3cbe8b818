"""Mends what can be mended without a person: fixes are made round by round until nothing is left that has one, and then written at once.

Where two fixes touch each other only the first is made; the next round reads what it made of the document. Everything else stays byte for
byte as it was. A file is replaced as a whole, keeps its mode, and is left alone where it changed meanwhile or leads out of the named path.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from specthread.cli.check.discovery import SpecFolder, Trouble
from specthread.cli.check.reading import Finding, content_of, contents_of, findings_in, spec_of
from specthread.cli.outcome import OUTSIDE, Failure
from specthread.spec.document import DocumentName, Problem
from specthread.spec.levels import CheckSettings
from specthread.spec.source import Edit, Source, apply_edits


class Mended(NamedTuple):
    """One document before and after, and how often the fix for each code was made."""

    path: str
    before: bytes
    after: bytes
    made: Mapping[str, int]


class Fixed(NamedTuple):
    """One spec with its fixes made: the documents that changed, what was found first, what is left, and what could not be read."""

    mended: list[Mended]
    found: list[Finding]
    left: list[Finding]
    troubles: list[Trouble]


MOST_ROUNDS: Final = 10


def fixed(folder: SpecFolder, settings: CheckSettings) -> Fixed:
    """Returns the spec with every fix made that its findings bring; nothing is written."""
    contents, troubles = contents_of(folder)
    before = dict(contents)
    made: dict[DocumentName, Counter[str]] = {name: Counter() for name in contents}
    spec = spec_of(folder.path, contents, settings)
    found = left = findings_in(folder, spec, settings)
    for _ in range(MOST_ROUNDS):
        round_of = {name: list(_apart(spec.sources[name], _fixable(left, name))) for name in contents}
        if not any(round_of.values()):
            break
        for name, chosen in round_of.items():
            contents[name] = apply_edits(contents[name], (edit for _, edits in chosen for edit in edits))
            made[name].update(problem.code for problem, _ in chosen)
        spec = spec_of(folder.path, contents, settings)
        left = findings_in(folder, spec, settings)
    mended = [Mended(folder.files[name], before[name], contents[name], made[name]) for name in contents if contents[name] != before[name]]
    return Fixed(mended, found, left, troubles)


def written(mended: Mended, named: str) -> Trouble | None:
    """Puts the mended document into the place of the one before, or says why not. `named` is the path that the user gave."""
    try:
        target = os.path.realpath(mended.path)
        if not _is_inside(target, named):
            return Trouble(mended.path, None, f"{mended.path} leads to {target}, outside of what you named, and was not changed.", OUTSIDE)
        if content_of(mended.path) != mended.before:
            return Trouble(mended.path, None, f"{mended.path} changed while it was read and was left alone. Try again.", OUTSIDE)
        if not os.access(target, os.W_OK):
            return Trouble(mended.path, None, f"{mended.path} is write-protected and was not changed.", OUTSIDE)
        _replaced(target, mended.after)
    except Failure as failure:
        return Trouble(mended.path, None, failure.message, OUTSIDE)
    except OSError as error:
        return Trouble(mended.path, None, f"{mended.path} cannot be written: {error.strerror}.", OUTSIDE)
    return None


def difference(mended: Mended) -> bytes:
    """Returns what changed in a document as a unified diff."""
    from difflib import diff_bytes, unified_diff  # noqa: PLC0415  only a diff needs it

    old, new = (content.splitlines(keepends=True) if b"\r" not in content else _lines(content) for content in (mended.before, mended.after))
    path = os.fsencode(mended.path)
    pieces = diff_bytes(unified_diff, old, new, path, path)
    return b"".join(piece if piece.endswith(b"\n") else piece + b"\n\\ No newline at end of file\n" for piece in pieces)


def _lines(content: bytes) -> list[bytes]:
    """The lines as `patch` counts them, which knows no line that ends with a carriage return alone."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _fixable(findings: Iterable[Finding], name: DocumentName) -> Iterator[Problem]:
    return (finding.problem for finding in findings if finding.problem.fix and finding.problem.document == name)


def _apart(source: Source, problems: Iterable[Problem]) -> Iterator[tuple[Problem, list[Edit]]]:
    """The problems whose fixes can be made together; of those that touch, the first."""
    taken: list[Edit] = []
    for problem in problems:
        edits = [source.edit(change) for change in problem.fix.changes] if problem.fix else []
        if edits and not any(_touch(edit, other) for edit in edits for other in taken):
            taken += edits
            yield problem, edits


def _touch(one: Edit, other: Edit) -> bool:
    return one.range.start <= other.range.end and other.range.start <= one.range.end


def _is_inside(target: str, named: str) -> bool:
    around = os.path.realpath(named if os.path.isdir(named) else os.path.dirname(named) or ".")
    return os.path.commonpath([target, around]) == around


def _replaced(target: str, content: bytes) -> None:
    """Writes a file beside the target and renames it, so that a reader or a crash finds the one or the other, never a part."""
    beside = f"{target}.{os.getpid()}.tmp"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fchmod(handle, os.stat(target).st_mode & 0o7777)
            os.fsync(handle)
        os.replace(beside, target)
    except OSError:
        os.unlink(beside)
        raise
