"""What must be equal, and sound, at the end of the demo's story, whatever happened on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support.demo_run import DemoEnd
from support.git_fixture import git


def same(end: DemoEnd, whole: DemoEnd) -> bool:
    """Tells what must be equal: states of tasks, sessions and approvals, and the trees; not times, ids, attempts or call counts."""
    return replace(end, events=0, calls={}, sessions={}) == replace(whole, events=0, calls={}, sessions={}) and _by_task(end) == _by_task(
        whole
    )


def _by_task(end: DemoEnd) -> list[str]:
    """Which session got which task depends on who was free; that each task's session is completed does not."""
    return sorted(end.sessions.values())


def assert_sound(folder: Path, end: DemoEnd) -> None:
    """Every call number was used once and in order, and no record or merge was committed twice."""
    for numbers in end.calls.values():
        assert list(numbers) == list(range(1, len(numbers) + 1))
    repository = folder / "hours"
    for branch in ("specs", "feature"):
        ref = next(line for line in git(repository, "for-each-ref", "--format=%(refname)").splitlines() if line.endswith(f"/{branch}"))
        walk = ["log", "--first-parent", "--format=%(trailers:key=Specthread-Event,valueonly,separator=%x20)", ref]
        events = [line for line in git(repository, *walk).splitlines() if line]
        assert len(events) == len(set(events)), branch
    assert "error" not in git(repository, "fsck", "--strict").lower()
