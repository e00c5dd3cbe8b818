"""What a killed writer leaves behind, and how it is cleared without touching anything of the user's."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from specgit.errors import writing
from specgit.repository import Repository
from specgit.types import Oid, RefName

_STALE_AFTER = 60.0
_SCRATCH = re.compile(r"refs/specthread/pending/[0-9a-f]{32}-\d+")  # only written under the write lock, and by nobody else
_LOCK_CONTENT = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})?\n?")
_OWN_FOLDERS = ("refs/heads/spectask", "refs/tags/spectask", "refs/specthread")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReport:
    """What was removed: unpublished commits (they stay in git until it collects them), lock files, crash reports of fast-import."""

    pending: tuple[tuple[RefName, Oid], ...]
    locks: tuple[Path, ...]
    crash_reports: tuple[Path, ...]


@writing()
def recover(repository: Repository) -> RecoveryReport:
    """Clears the leftovers of killed writers; the caller holds the write lock, so no writer of ours is at work."""
    locks = remove_stale_locks(repository.git_dir)
    return RecoveryReport(pending=remove_scratch(repository), locks=locks, crash_reports=remove_crash_reports(repository.git_dir))


def remove_crash_reports(git_dir: Path) -> tuple[Path, ...]:
    """Removes the reports of fast-imports that wrote to our scratch refs, and empty ones, as a full disk leaves them; the user's own are kept."""
    reports = {path: path.read_bytes() for path in sorted(git_dir.glob("fast_import_crash_*"))}
    ours = tuple(path for path, report in reports.items() if not report or b"refs/specthread/pending/" in report)
    for path in ours:
        path.unlink(missing_ok=True)
    return ours


def remove_scratch(repository: Repository) -> tuple[tuple[RefName, Oid], ...]:
    """Removes the scratch refs of writers that came to no end; the caller holds the write lock, so none of them is in use."""
    lines = repository.runner.run(["for-each-ref", "--format=%(refname) %(objectname)", "refs/specthread/pending"]).text.split("\n")
    pairs = [line.split(" ") for line in lines if _SCRATCH.match(line)]
    found = tuple((RefName(ref), Oid(oid)) for ref, oid in pairs)
    if found:
        deletions = "".join(f"delete {ref}\0{oid}\0" for ref, oid in found)
        repository.runner.run(["update-ref", "--no-deref", "--stdin", "-z"], stdin=deletions.encode())
    return found


def remove_stale_locks(git_dir: Path) -> tuple[Path, ...]:
    """Removes locks on our own refs: those on scratch refs, and others that are old and hold nothing but an object id; the caller holds the write lock."""
    candidates = [path for folder in _OWN_FOLDERS for path in sorted((git_dir / folder).glob("**/*.lock"))]
    stale = tuple(path for path in candidates if _SCRATCH.match(str(path.relative_to(git_dir))) or _is_stale(path))
    for path in stale:
        path.unlink(missing_ok=True)
    return stale


def _is_stale(path: Path) -> bool:
    try:
        old = abs(time.time() - path.stat().st_mtime) > _STALE_AFTER  # where the clock was set back, it was left in the future
        return old and _LOCK_CONTENT.fullmatch(path.read_bytes()) is not None
    except FileNotFoundError:
        return False
