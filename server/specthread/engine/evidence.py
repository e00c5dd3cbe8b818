"""What a session's diff tells beside its check: files outside the task, and tests that were there before and are no longer the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from specgit.types import Oid
from specthread.domain.run import WorkSession
from specthread.engine.repositories import OpenRepository

_TEST_FILE = re.compile(r"(^|/)(tests?|__tests__|spec)/|(^|/)test_[^/]*$|[._-](test|spec)\.[^/]*$|_test\.[^/]*$")
NOTED = 20
TOLD = 2_000
"""Characters of names that an agent is told in one text."""


def evidence_in(opened: OpenRepository, session: WorkSession, commit: Oid, files: Sequence[str], changed: Sequence[str]) -> tuple[str, ...]:
    """Returns what a reviewer should look at; `files` are the paths and patterns the task names, none where it names none."""
    tests = [path for path in changed if _TEST_FILE.search(path)]
    known = [
        path
        for path, content in zip(tests, opened.repository.read_all([(session.start, path) for path in tests]), strict=True)
        if content is not None
    ]
    now = opened.repository.read_all([(commit, path) for path in known])
    return (
        *noted("outside the task's files", strayed(files, changed)),
        *noted("an existing test was deleted", [path for path, content in zip(known, now, strict=True) if content is None]),
        *noted("an existing test was changed", [path for path, content in zip(known, now, strict=True) if content is not None]),
    )


def noted(said: str, places: Sequence[str]) -> tuple[str, ...]:
    """Returns a note for each of the first places, and one for how many more there are."""
    more = len(places) - NOTED
    return (*(f"{said}: {place}" for place in places[:NOTED]), *([f"{said}: {more:,} more"] if more > 0 else []))


def strayed(files: Sequence[str], changed: Sequence[str]) -> tuple[str, ...]:
    """Returns the changed paths that the task does not name; nothing where it names no files at all."""
    return tuple(path for path in changed if files and not any(_covers(pattern, path) for pattern in files))


def unexplained(files: Sequence[str], changed: Sequence[str], summary: str) -> tuple[str, ...]:
    """Returns the changed paths that neither the task nor the agent's summary names: a reviewer would not know why they changed."""
    return tuple(path for path in strayed(files, changed) if path not in summary)


def _covers(pattern: str, path: str) -> bool:
    return path == pattern or path.startswith(pattern.rstrip("/") + "/") or PurePosixPath(path).match(pattern)
